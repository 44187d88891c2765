/* Undoing what a person, or a link that the machine, decided. */
#include "base/text.h"
#include "store/review_parts.h"

struct undoing {
    struct review_of of;
    struct reviewed reviewed;
    struct item_view *into;
};

/* What is to be undone: the person's last decision that still stands. */
struct standing {
    struct uuid id; /* nil: the machine decided */
    struct uuid decision;
    struct instant effective_at;
    bool sent; /* a delivery was made of it */
};
static const struct column standing_columns[] = {
    COLUMN(struct standing, id),
    COLUMN(struct standing, decision),
    COLUMN(struct standing, effective_at),
    COLUMN(struct standing, sent),
};
static const struct shape standing_shape = SHAPE(struct standing, standing_columns);

STATEMENT(undo_standing_sql,
          "SELECT a.id, a.decision_id AS decision, a.effective_at,"
          " EXISTS (SELECT FROM region.delivery d WHERE d.workspace_id = $1 AND d.item_id = $2"
          " AND d.state NOT IN ('rejected', 'bounced', 'canceled')) AS sent"
          " FROM region.review_action a WHERE a.workspace_id = $1 AND a.item_id = $2"
          " AND a.action IN ('approve', 'pin', 'reject') AND a.undone_by IS NULL"
          " ORDER BY a.created_at DESC, a.id DESC LIMIT 1");

static enum err may_undo(const struct scope *scope, const struct reviewed *reviewed,
                         const struct standing *standing)
{
    const char *state = reviewed->state;
    bool settled = text_equal(state, "linked") || text_equal(state, "rejected");
    if (settled && !reviewed->closed)
        return OK;
    if (settled)
        return arena_fail(scope->arena, ERR_CONFLICT, NULL,
                          "The period that the item lies in is closed.");
    if (!text_equal(state, "queued"))
        return arena_fail(scope->arena, ERR_CONFLICT, NULL,
                          "The item is %s; there is nothing that could be undone.", state);
    if (!uuid_is_nil(standing->id) && !standing->sent &&
        standing->effective_at.us > db_now(scope).us)
        return OK;
    return arena_fail(scope->arena, ERR_CONFLICT, NULL,
                      "It is too late: the item is on its way to the target.");
}

/* Links that the decision made, and what they taught. */
STATEMENT(undo_links_sql,
          "WITH gone AS (DELETE FROM region.link WHERE workspace_id = $1 AND item_id = $2"
          " AND origin <> 'delivered' RETURNING entry_id)"
          " UPDATE region.ledger_entry e SET counterparty_id = NULL FROM gone"
          " WHERE e.workspace_id = $1 AND e.id = gone.entry_id AND e.counterparty_id = $3");
STATEMENT(undo_aliases_sql,
          "UPDATE region.counterparty_alias SET confirmed = false, taught_by = NULL,"
          " decision_id = NULL WHERE workspace_id = $1 AND counterparty_id = $2"
          " AND decision_id = $3");
STATEMENT(undo_mark_sql,
          "UPDATE region.review_action SET undone_by = $3 WHERE workspace_id = $1 AND id = $2");

static enum err unlink_all(const struct scope *scope, const struct reviewed *reviewed,
                           const struct standing *standing)
{
    TRY(db_exec(scope, &undo_links_sql,
                PARAMS(P(scope->workspace), P(reviewed->item), P(reviewed->counterparty)), NULL));
    return db_exec(scope, &undo_aliases_sql,
                   PARAMS(P(scope->workspace), P(reviewed->counterparty), P(standing->decision)),
                   NULL);
}

static enum err undo(const struct scope *scope, void *arg)
{
    struct undoing *undoing = arg;
    struct reviewed *reviewed = &undoing->reviewed;
    TRY(reviewed_lock(scope, &undoing->of, reviewed));
    struct standing standing;
    bool found;
    TRY(db_maybe(scope, &undo_standing_sql, PARAMS(P(scope->workspace), P(reviewed->item)),
                 &standing_shape, &standing, &found));
    if (!found)
        standing = (struct standing){.sent = true};
    TRY(may_undo(scope, reviewed, &standing));
    TRY(unlink_all(scope, reviewed, &standing));
    struct review_move move = {
        .reviewed = reviewed,
        .action = "undo",
        .to = "held",
        .id = db_new_id(scope),
        .decision = reviewed->machine,
    };
    TRY(review_moved(scope, &move));
    if (found)
        TRY(db_exec(scope, &undo_mark_sql, PARAMS(P(scope->workspace), P(standing.id), P(move.id)),
                    NULL));
    return item_get(scope, undoing->of.item, undoing->into);
}

struct unlinking {
    struct review_of of;
    const char *reason;
    const char *flag;
};

STATEMENT(unlink_flag_sql,
          "UPDATE region.item SET flags = array_append(array_remove(flags, $3), $3)"
          " WHERE workspace_id = $1 AND id = $2");

/* What the machine finds out: nobody has undone anything, and the period may be closed. */
static enum err unlink_item(const struct scope *scope, void *arg)
{
    const struct unlinking *unlinking = arg;
    struct reviewed reviewed;
    struct standing standing;
    bool found;
    TRY(reviewed_lock(scope, &unlinking->of, &reviewed));
    if (!text_equal(reviewed.state, "linked"))
        return OK;
    TRY(db_maybe(scope, &undo_standing_sql, PARAMS(P(scope->workspace), P(reviewed.item)),
                 &standing_shape, &standing, &found));
    if (!found)
        standing = (struct standing){0};
    TRY(unlink_all(scope, &reviewed, &standing));
    TRY(db_exec(scope, &unlink_flag_sql,
                PARAMS(P(scope->workspace), P(reviewed.item), P(unlinking->flag)), NULL));
    struct review_move move = {
        .reviewed = &reviewed,
        .action = "unlink",
        .to = "held",
        .id = db_new_id(scope),
        .decision = reviewed.machine,
        .reason = unlinking->reason,
    };
    TRY(review_moved(scope, &move));
    if (!found)
        return OK;
    return db_exec(scope, &undo_mark_sql, PARAMS(P(scope->workspace), P(standing.id), P(move.id)),
                   NULL);
}

enum err review_unlink(const struct scope *scope, struct uuid item, const char *flag,
                       const char *reason)
{
    struct unlinking unlinking = {.of = {.item = item}, .reason = reason, .flag = flag};
    return db_transaction(scope, unlink_item, &unlinking);
}

enum err review_undo(const struct scope *scope, const struct review_of *of, struct item_view *into)
{
    struct undoing undoing = {.of = *of, .into = into};
    return db_transaction(scope, undo, &undoing);
}
