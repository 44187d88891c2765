#include "store/delivery_resolve.h"

#include "store/delivery.h"
#include "store/document.h"

struct resolving {
    struct uuid id;
    const char *external_id;
    struct delivery_view *into;
};

STATEMENT(delivery_uncertain_sql,
          "SELECT 1 FROM region.delivery WHERE workspace_id = $1 AND id = $2"
          " AND state = 'uncertain' FOR UPDATE");

static enum err lock_uncertain(const struct scope *scope, struct uuid id, struct delivery *into)
{
    int64_t one;
    TRY(delivery_get(scope, id, into));
    enum err error =
        db_int(scope, &delivery_uncertain_sql, PARAMS(P(scope->workspace), P(id)), &one);
    if (error == ERR_NOT_FOUND)
        return arena_fail(scope->arena, ERR_CONFLICT, NULL,
                          "The delivery is %s; only an uncertain one can be resolved.",
                          into->state);
    return error;
}

static enum err arrived(const struct scope *scope, void *arg)
{
    const struct resolving *resolving = arg;
    struct delivery delivery;
    TRY(lock_uncertain(scope, resolving->id, &delivery));
    struct delivery_outcome outcome = {
        .end = END_DONE, .status = "arrived", .external_id = resolving->external_id};
    TRY(delivery_settle(scope, &delivery, &outcome));
    return delivery_view_get(scope, resolving->id, resolving->into);
}

enum err delivery_arrived(const struct scope *scope, struct uuid id, const char *external_id,
                          struct delivery_view *into)
{
    struct resolving resolving = {id, external_id, into};
    return db_transaction(scope, arrived, &resolving);
}

/* The job that sends it reads this and does not look. */
STATEMENT(delivery_resend_sql,
          "UPDATE region.delivery SET state_reason = 'resend', row_version = row_version + 1"
          " WHERE workspace_id = $1 AND id = $2");

static enum err resend(const struct scope *scope, void *arg)
{
    const struct resolving *resolving = arg;
    struct delivery delivery;
    TRY(lock_uncertain(scope, resolving->id, &delivery));
    struct delivery_outcome outcome = {.end = END_ABSENT, .status = "resend"};
    TRY(delivery_settle(scope, &delivery, &outcome));
    TRY(db_exec(scope, &delivery_resend_sql, PARAMS(P(scope->workspace), P(resolving->id)), NULL));
    TRY(delivery_enqueue(scope, delivery.id, delivery.connection));
    return delivery_view_get(scope, resolving->id, resolving->into);
}

enum err delivery_resend(const struct scope *scope, struct uuid id, struct delivery_view *into)
{
    struct resolving resolving = {.id = id, .into = into};
    return db_transaction(scope, resend, &resolving);
}
