/* The audit log and the chain over it. */
#include "store/audit.h"

#include "base/text.h"
#include "handlers/handlers.h"
#include "handlers/listing.h"
#include "handlers/view.h"

struct audit_query {
    struct page page;
    struct uuid subject;
    struct uuid actor;
    const char *action;
};
static const struct input_field list_fields[] = {
    PAGE_FIELDS(struct audit_query, page),
    FIELD_UUID("subject_id", struct audit_query, subject, OPTIONAL),
    FIELD_UUID("actor_id", struct audit_query, actor, OPTIONAL),
    FIELD_TEXT("action", struct audit_query, action, 1, CODE_CHARS_MAX, OPTIONAL),
};

static void out_hash(struct json_out *out, const char *name, struct bytes hash)
{
    out_text(out, name, hash.n > 0 ? hex_encode(out->buf.arena, hash) : NULL);
}

static void out_count_or_null(struct json_out *out, const char *name, int64_t count)
{
    if (count > 0)
        out_int(out, name, count);
    else
        out_null(out, name);
}

/* Jobs have request ids that are no UUIDs: those are not shown. */
static void out_request_id(struct json_out *out, const char *text)
{
    struct uuid id;
    bool shown = text && uuid_parse(text, &id);
    out_uuid_or_null(out, "request_id", shown ? id : (struct uuid){{0}});
}

static void out_audit(struct json_out *out, const struct audit_row *row)
{
    struct actor_view actor = {row->actor_kind, row->actor};
    out_object(out, NULL);
    out_uuid(out, "id", row->id);
    out_instant(out, "at", row->at);
    out_actor(out, "actor", &actor);
    out_text(out, "action", row->action);
    out_text(out, "subject_kind", row->subject_kind);
    out_uuid_or_null(out, "subject_id", row->subject_id);
    out_json(out, "detail", row->detail);
    out_request_id(out, row->request_id);
    out_count_or_null(out, "seal_seq", row->seal_seq);
    out_hash(out, "hash", row->chain_hash);
    out_end(out);
}

enum err api_audit_list(struct request *req)
{
    struct audit_query query = {.page = PAGE_DEFAULT};
    struct rows rows;
    TRY(list_read(req, list_fields, COUNT(list_fields), &query, &query.page));
    struct audit_filter filter = {
        .subject = query.subject,
        .actor = query.actor,
        .action = query.action,
        .before = query.page.after.id,
        .limit = query.page.limit + 1,
    };
    TRY(audit_list(req->scope, &filter, &rows));
    const struct audit_row *audits = rows.at;
    size_t shown = page_shown(&query.page, rows.count);
    struct json_out out = list_begin(req);
    for (size_t i = 0; i < shown; i++)
        out_audit(&out, &audits[i]);
    struct cursor next = {.id = shown ? audits[shown - 1].id : (struct uuid){{0}}};
    return list_end(req, &out, shown < rows.count ? &next : NULL);
}

struct verify_query {
    int64_t from_seq;
};
static const struct input_field verify_fields[] = {
    FIELD_INT("from_seq", struct verify_query, from_seq, 1, MINOR_UNITS_MAX, OPTIONAL),
};

enum err api_audit_verify(struct request *req)
{
    struct verify_query query = {.from_seq = 1};
    struct audit_verification found;
    TRY(query_read(req, verify_fields, COUNT(verify_fields), &query));
    TRY(audit_verify(req->scope, query.from_seq, &found));
    struct json_out out = reply_begin(req);
    out_bool(&out, "intact", found.intact);
    out_int(&out, "from_seq", found.from_seq);
    out_int(&out, "checked", found.checked);
    out_bool(&out, "complete", found.complete);
    out_count_or_null(&out, "next_seq", found.next_seq);
    out_int(&out, "sealed_seq", found.sealed_seq);
    out_hash(&out, "sealed_hash", found.sealed_hash);
    out_int(&out, "unsealed", found.unsealed);
    out_count_or_null(&out, "broken_seq", found.broken_seq);
    return reply_end(req, 200, &out);
}
