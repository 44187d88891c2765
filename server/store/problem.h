/* Problems: what needs a person, with the one click that helps; and notifications. */
#ifndef SLUICE_STORE_PROBLEM_H
#define SLUICE_STORE_PROBLEM_H

#include "db/db.h"
#include "store/machines.h"

struct problem_order {
    const char *code; /* "row_quarantined" */
    const char *text; /* what is wrong, in one sentence; never a secret */
    /* what it is about, as far as known; of one code there is at most one unresolved problem about
     * the first of delivery, item, record, stream, connection, integration that is given */
    struct uuid delivery, item, record, stream, connection, integration;
    const char *detail; /* what the provider said, redacted; may be NULL */
    const char *fields; /* JSON array {name, value, reason}: what may be corrected; may be NULL */
    const char *action; /* retry, reconnect, choose_account, resolve_delivery; NULL: none */
    bool warning;       /* not an error */
    struct uuid id;     /* filled */
    bool made;          /* filled: false when it was there already, and was counted once more */
};
/* `fields` of an order about one field that somebody has to correct; NULL without a name. */
const char *problem_field(const struct scope *scope, const char *name, const char *reason);
/* A problem that was being retried is open again. */
enum err problem_open(const struct scope *scope, struct problem_order *order) MUST_USE;

struct problem {
    struct uuid id;
    const char *code;
    enum problem_state state;
    bool warning;
    const char *action;
    struct uuid integration_id;
    struct uuid connection_id;
    struct uuid stream_id;
    struct uuid record_id;
    struct uuid item_id;
    struct uuid delivery_id;
    const char *source_id; /* the source's own id of the record */
    const char *text;
    const char *detail;
    const char *fields;
    int occurrences;
    const char *dismissed_reason;
    int64_t row_version;
    struct instant created_at;
    struct instant updated_at;
};
enum err problem_get(const struct scope *scope, struct uuid id, struct problem *into) MUST_USE;
/* The same, held until the transaction ends. */
enum err problem_lock(const struct scope *scope, struct uuid id, struct problem *into) MUST_USE;

struct problem_filter {
    const char *state; /* NULL: any; "unresolved": open and retrying */
    struct uuid integration;
    struct uuid connection;
    struct uuid item;
    const char *code;
    struct uuid before; /* older than; nil: the newest */
    int64_t limit;
};
enum err problem_list(const struct scope *scope, const struct problem_filter *filter,
                      struct rows *into) MUST_USE;
/* Open and retrying ones of an integration, its connections included. */
enum err problem_count_open(const struct scope *scope, struct uuid integration,
                            int64_t *into) MUST_USE;

/* Moves of the machine; ERR_CONFLICT when it has no such move. */
enum err problem_retrying(const struct scope *scope, struct uuid id) MUST_USE;
enum err problem_dismiss(const struct scope *scope, struct uuid id, const char *reason) MUST_USE;
enum err problem_reopen(const struct scope *scope, struct uuid id) MUST_USE;
/* Whatever is open or retrying about this is resolved. A NULL code means every code. */
struct problem_subject {
    struct uuid delivery, item, stream, connection; /* those given must all match */
    const char *code;
};
enum err problem_resolve(const struct scope *scope, const struct problem_subject *about,
                         int64_t *resolved) MUST_USE;

/* ---- notifications ---- */

struct notification {
    struct uuid id;
    const char *event; /* "connection_need_reconnect" */
    const char *text;
    struct uuid user_id; /* nil: every owner and admin */
    struct uuid integration_id;
    struct uuid connection_id;
    struct uuid item_id;
    struct uuid problem_id;
    struct instant created_at;
};
/* Fills id and created_at. */
enum err notification_add(const struct scope *scope, struct notification *notification) MUST_USE;
/* Newest first, older than `before`; those for `user` and those for everybody. */
enum err notification_list(const struct scope *scope, struct uuid user, struct uuid before,
                           int64_t limit, struct rows *into) MUST_USE;

#endif
