/* One request as a handler sees it, and the pieces that a handler is made of: read what is
 * declared, act through the store, reply. A handler returns OK after one of the reply functions, or
 * the error as it came; the edge turns it into a problem reply and logs it once.
 *
 *   static enum err member_update(struct request *req)
 *   {
 *       struct member_input in = {0};
 *       struct member out;
 *       TRY(json_read(req, member_fields, COUNT(member_fields), &in));
 *       TRY(members_set_role(req->scope, request_uuid(req, "user_id"), in.role, &out));
 *       return reply_member(req, 200, &out);
 *   }
 *
 * Everything that a handler makes lives in req->arena, which ends with the request. */
#ifndef SLUICE_REQUEST_H
#define SLUICE_REQUEST_H

#include "handlers/app.h"
#include "http/cursor.h"
#include "http/json_in.h"
#include "http/json_out.h"
#include "http/router.h"

enum principal_kind { PRINCIPAL_NONE, PRINCIPAL_USER, PRINCIPAL_API_KEY };

struct principal {
    enum principal_kind kind;
    struct uuid id;        /* of the user or of the key */
    struct uuid person;    /* the user, or who made the key; nil: nobody */
    bool operator;         /* runs this installation */
    struct uuid workspace; /* of an API key */
};

struct request {
    struct arena *arena;
    const struct app *app;
    struct request_thread *thread;
    const struct http_request *http;
    struct instant now; /* business time when the request began */
    struct route_match match;
    struct principal principal;
    enum access role;            /* of the caller in the workspace of the path, ACCESS_VIEWER .. */
    const struct scope *scope;   /* of the workspace of the path; NULL where the path has none */
    struct untenanted directory; /* the directory database, without a tenant */
    struct untenanted region;    /* the region's database, without a tenant */
    struct http_reply *reply;
    bool query_read;
    bool body_read;
};

/* ---- reading ---- */

/* Parameters of the path; their names are those of the row (assert). */
struct uuid request_uuid(const struct request *req, const char *name);
const char *request_name(const struct request *req, const char *name);

/* The body by a table of http/json_in.h. An absent body reads as {}. */
enum err json_read(struct request *req, const struct input_field *fields, size_t count,
                   void *into) MUST_USE;
/* The same of a form that a page of ours sent (application/x-www-form-urlencoded). */
enum err form_read(struct request *req, const struct input_field *fields, size_t count,
                   void *into) MUST_USE;
/* For calls that take no body: refuses one that has fields. */
enum err json_read_nothing(struct request *req) MUST_USE;
enum err query_read(struct request *req, const struct input_field *fields, size_t count,
                    void *into) MUST_USE;

/* What every list takes. Put `struct page page;` into the query's struct, PAGE_FIELDS into its
 * table, PAGE_DEFAULT into its initialiser. */
struct page {
    int64_t limit;
    const char *cursor;
    struct cursor after; /* after.given is false on the first page */
};
enum { PAGE_LIMIT_MAX = 100, PAGE_LIMIT_DEFAULT = 25, CURSOR_BYTES_MAX_IN = 1024 };
#define PAGE_DEFAULT                                                                               \
    {                                                                                              \
        .limit = PAGE_LIMIT_DEFAULT                                                                \
    }
#define PAGE_FIELDS(type, member)                                                                  \
    FIELD_INT("limit", type, member.limit, 1, PAGE_LIMIT_MAX, OPTIONAL),                           \
        FIELD_TEXT("cursor", type, member.cursor, 1, CURSOR_BYTES_MAX_IN, OPTIONAL)
/* query_read, and the cursor opened: `page` points into `into`. */
enum err list_read(struct request *req, const struct input_field *fields, size_t count, void *into,
                   struct page *page) MUST_USE;

/* How many of the rows that were asked for (limit + 1, to know whether there is more) are shown. */
size_t page_shown(const struct page *page, size_t rows);

/* If-Match with the version that reply_etag gave out: ERR_PRECONDITION_REQUIRED when it is absent,
 * ERR_STALE when it is not one of ours. The store compares. */
enum err if_match_read(struct request *req, int64_t *version) MUST_USE;
/* The same where If-Match is optional. */
enum err if_match_read_optional(struct request *req, bool *given, int64_t *version) MUST_USE;
/* The value of a cookie that reply_cookie set under this name, or NULL. */
const char *cookie_read(const struct request *req, const char *name);

/* ---- replying ---- */

/* Around whatever waits for a provider. Some request threads are always left for everybody else:
 * false, when no more may wait now. */
bool wait_begin(struct request *req) MUST_USE;
void wait_end(struct request *req);

enum { REPLY_BYTES_MAX = 8 * 1024 * 1024 };

/* struct json_out out = reply_begin(req); out_uuid(&out, "id", id); return reply_end(req, 200,
 * &out): one object. */
struct json_out reply_begin(struct request *req);
enum err reply_end(struct request *req, int status, struct json_out *out) MUST_USE;
/* {"data":[ … ],"next_cursor":…}: write the elements (name NULL) between the two. `next` is where
 * this page ended, NULL when there is nothing behind it. */
struct json_out list_begin(struct request *req);
enum err list_end(struct request *req, struct json_out *out, const struct cursor *next) MUST_USE;
/* The text of a cursor of this list, for a list that is a part of a reply. */
const char *list_cursor(const struct request *req, const struct cursor *next);
enum err reply_empty(struct request *req, int status) MUST_USE;
enum err reply_bytes(struct request *req, const char *content_type, struct bytes bytes) MUST_USE;
/* 302; after a POST 303, since a browser must not send its form to where it goes next. */
enum err reply_redirect(struct request *req, const char *location) MUST_USE;

/* To be called before the reply is ended. */
void reply_etag(struct request *req, int64_t version);
void reply_location(struct request *req, const char *format, ...) FORMAT_LIKE(2, 3);
void reply_field(struct request *req, const char *name, const char *value);
/* HttpOnly, SameSite=Lax; where the public URL is https also Secure, and under the prefix __Host-:
 * no other host of the domain can set it. max_age_s 0 removes it. */
void reply_cookie(struct request *req, const char *name, const char *value, int64_t max_age_s);

#endif
