#include "store/review.h"

#include "base/text.h"
#include "store/queue.h"
#include "store/review_parts.h"

/* A decision that a person takes. */
struct deciding {
    struct review_of of;
    struct reviewed reviewed;
    const char *action; /* of the review: approve, pin, reject */
    struct uuid entry;  /* to link to; nil: none */
    const char *field;  /* that named the entry */
    bool create;
    const char *reason;
    struct uuid decision;
    struct uuid id; /* of the action */
    struct item_view *into;
};

/* ---- the decision ---- */

STATEMENT(review_decision_sql,
          "INSERT INTO region.decision (workspace_id, id, item_id, seq, outcome, action, entry_id,"
          " settings_version, counterparty_id, taken_by, actor, created_at)"
          " SELECT $1, $2, $3, 1 + coalesce(max(seq), 0), $4, $5, $6, $7, $8, 'person', $9, $10"
          " FROM region.decision WHERE workspace_id = $1 AND item_id = $3");

static enum err decide(const struct scope *scope, struct deciding *deciding, const char *outcome,
                       const char *action)
{
    const struct reviewed *reviewed = &deciding->reviewed;
    deciding->decision = db_new_id(scope);
    deciding->id = db_new_id(scope);
    return db_exec(scope, &review_decision_sql,
                   PARAMS(P(scope->workspace), P(deciding->decision), P(reviewed->item), P(outcome),
                          P(action), P(deciding->entry), P(reviewed->settings_version),
                          P(reviewed->counterparty), P(scope->actor), P(db_now(scope))),
                   NULL);
}

static enum err finish(const struct scope *scope, const struct deciding *deciding, const char *to,
                       struct instant effective_at)
{
    struct review_move move = {
        .reviewed = &deciding->reviewed,
        .action = deciding->action,
        .to = to,
        .id = deciding->id,
        .decision = deciding->decision,
        .entry = deciding->entry,
        .reason = deciding->reason,
        .effective_at = effective_at,
    };
    TRY(review_moved(scope, &move));
    return item_get(scope, deciding->of.item, deciding->into);
}

/* ---- linking ---- */

struct wanted_entry {
    struct uuid connection;
    const char *role;
    const char *counterparty_name;
    const char *core_name;
    const char *norm_version;
    bool removed;
    bool own;           /* a document that we delivered ourselves */
    bool candidate;     /* of the machine's decision */
    struct uuid holder; /* the item that it belongs to */
};
static const struct column wanted_columns[] = {
    COLUMN(struct wanted_entry, connection),
    COLUMN(struct wanted_entry, role),
    COLUMN(struct wanted_entry, counterparty_name),
    COLUMN(struct wanted_entry, core_name),
    COLUMN(struct wanted_entry, norm_version),
    COLUMN(struct wanted_entry, removed),
    COLUMN(struct wanted_entry, own),
    COLUMN(struct wanted_entry, candidate),
    COLUMN(struct wanted_entry, holder),
};
static const struct shape wanted_shape = SHAPE(struct wanted_entry, wanted_columns);

STATEMENT(review_entry_sql,
          "SELECT e.connection_id AS connection, e.role, e.counterparty_name, e.core_name,"
          " e.norm_version, e.removed, e.role = 'document' AND (e.origin = 'delivered'"
          " OR EXISTS (SELECT FROM region.delivery d WHERE d.workspace_id = $1"
          " AND d.file_name = e.file_name AND d.state <> 'canceled')"
          " OR EXISTS (SELECT FROM region.delivery d WHERE d.workspace_id = $1"
          " AND d.connection_id = e.connection_id AND d.external_id = e.external_id"
          " AND d.operation IN ('create', 'reverse'))) AS own,"
          " EXISTS (SELECT FROM region.candidate k WHERE k.workspace_id = $1"
          " AND k.decision_id = $3 AND k.entry_id = e.id) AS candidate,"
          " (SELECT l.item_id FROM region.link l WHERE l.workspace_id = $1 AND l.entry_id = e.id"
          " AND l.role = e.role AND l.exclusive) AS holder"
          " FROM region.ledger_entry e WHERE e.workspace_id = $1 AND e.id = $2 FOR UPDATE OF e");

static enum err find_entry(const struct scope *scope, const struct deciding *deciding,
                           struct wanted_entry *into)
{
    const struct reviewed *reviewed = &deciding->reviewed;
    bool found;
    TRY(db_maybe(scope, &review_entry_sql,
                 PARAMS(P(scope->workspace), P(deciding->entry), P(reviewed->machine)),
                 &wanted_shape, into, &found));
    if (!found || into->removed || !uuid_equal(into->connection, reviewed->target))
        return arena_fail(scope->arena, ERR_FIELD_INVALID, deciding->field,
                          "There is no such entry in the ledger of the integration's target.");
    if (into->own && uuid_is_nil(into->holder))
        return arena_fail(scope->arena, ERR_CONFLICT, NULL,
                          "The entry is a document that Sluice delivered itself.");
    if (!into->candidate && !text_equal(deciding->action, "pin"))
        return arena_fail(scope->arena, ERR_FIELD_INVALID, deciding->field,
                          "The entry is not among the candidates of this item.");
    if (!uuid_is_nil(into->holder) && !uuid_equal(into->holder, reviewed->item))
        return arena_fail(scope->arena, ERR_CONFLICT, NULL, "The entry belongs to item %s already.",
                          uuid_format(scope->arena, into->holder));
    return OK;
}

STATEMENT(review_link_sql,
          "INSERT INTO region.link (workspace_id, item_id, entry_id, role, exclusive, origin,"
          " decision_id, created_by, created_at) VALUES ($1, $2, $3, $4, true, $5, $6, $7, $8)"
          " ON CONFLICT (workspace_id, item_id, entry_id) DO UPDATE SET role = excluded.role,"
          " exclusive = true, origin = excluded.origin, decision_id = excluded.decision_id,"
          " created_by = excluded.created_by, created_at = excluded.created_at");

/* The bank transaction that the machine saw as its payment, unless another item took it since. */
STATEMENT(review_settlement_sql,
          "INSERT INTO region.link (workspace_id, item_id, entry_id, role, origin, decision_id,"
          " created_by, created_at)"
          " SELECT $1, $2, id, role, 'matched', $4, $5, $6 FROM region.ledger_entry"
          " WHERE workspace_id = $1 AND id = $3 AND NOT removed ON CONFLICT DO NOTHING");

static enum err link_settlement(const struct scope *scope, const struct deciding *deciding)
{
    const struct reviewed *reviewed = &deciding->reviewed;
    if (uuid_is_nil(reviewed->proposed_settlement))
        return OK;
    return db_exec(scope, &review_settlement_sql,
                   PARAMS(P(scope->workspace), P(reviewed->item), P(reviewed->proposed_settlement),
                          P(deciding->decision), P(scope->actor), P(db_now(scope))),
                   NULL);
}

STATEMENT(review_alias_sql,
          "INSERT INTO region.counterparty_alias (workspace_id, name_norm, counterparty_id, name,"
          " core_name, norm_version, confirmed, taught_by, decision_id, created_at)"
          " VALUES ($1, $2, $3, $4, $2, $5, true, $6, $7, $8)"
          " ON CONFLICT (workspace_id, name_norm, counterparty_id) DO UPDATE SET confirmed = true,"
          " taught_by = excluded.taught_by, decision_id = excluded.decision_id"
          " WHERE NOT counterparty_alias.confirmed");
STATEMENT(review_entry_party_sql,
          "UPDATE region.ledger_entry SET counterparty_id = $3 WHERE workspace_id = $1 AND id = $2"
          " AND counterparty_id IS NULL");

static enum err teach_name(const struct scope *scope, const struct deciding *deciding,
                           const struct wanted_entry *called)
{
    if (text_blank(called->core_name) || text_blank(called->counterparty_name))
        return OK;
    return db_exec(scope, &review_alias_sql,
                   PARAMS(P(scope->workspace), P(called->core_name),
                          P(deciding->reviewed.counterparty), P(called->counterparty_name),
                          P(called->norm_version ? called->norm_version : ""), P(scope->actor),
                          P(deciding->decision), P(db_now(scope))),
                   NULL);
}

/* The person says that both sides are about the same counterparty: both names stand for it. */
static enum err teach(const struct scope *scope, const struct deciding *deciding,
                      const struct wanted_entry *entry)
{
    const struct reviewed *reviewed = &deciding->reviewed;
    if (uuid_is_nil(reviewed->counterparty))
        return OK;
    struct wanted_entry record = {
        .counterparty_name = reviewed->counterparty_name,
        .core_name = reviewed->core_name,
        .norm_version = reviewed->norm_version,
    };
    TRY(teach_name(scope, deciding, &record));
    TRY(teach_name(scope, deciding, entry));
    return db_exec(scope, &review_entry_party_sql,
                   PARAMS(P(scope->workspace), P(deciding->entry), P(reviewed->counterparty)),
                   NULL);
}

static enum err link_entry(const struct scope *scope, struct deciding *deciding)
{
    struct wanted_entry entry;
    TRY(find_entry(scope, deciding, &entry));
    TRY(decide(scope, deciding, "flow", "link"));
    const char *origin = text_equal(deciding->action, "pin") ? "pinned" : "matched";
    TRY(db_exec(scope, &review_link_sql,
                PARAMS(P(scope->workspace), P(deciding->of.item), P(deciding->entry), P(entry.role),
                       P(origin), P(deciding->decision), P(scope->actor), P(db_now(scope))),
                NULL));
    if (uuid_equal(deciding->entry, deciding->reviewed.proposed_entry))
        TRY(link_settlement(scope, deciding));
    TRY(teach(scope, deciding, &entry));
    return finish(scope, deciding, "linked", (struct instant){0});
}

/* ---- posting ---- */

/* One job per approval: an approval that was undone and given anew has another time. */
static enum err post_entry(const struct scope *scope, struct deciding *deciding)
{
    struct instant send_after = instant_add_s(db_now(scope), deciding->reviewed.grace_s);
    if (deciding->reviewed.archived)
        return arena_fail(scope->arena, ERR_CONFLICT, NULL,
                          "The integration is archived and sends nothing any more; the item can be "
                          "linked or rejected.");
    TRY(decide(scope, deciding, "flow", "create"));
    if (text_equal(deciding->reviewed.proposed, "create"))
        TRY(link_settlement(scope, deciding));
    struct job_order job = {
        .kind = JOB_APPROVED,
        .subject = deciding->of.item,
        .run_at = send_after,
        .dedupe =
            arena_format(scope->arena, "approved:%s", uuid_format(scope->arena, deciding->id)),
    };
    TRY(queue_enqueue(scope, &job));
    return finish(scope, deciding, "queued", send_after);
}

static enum err approve(const struct scope *scope, void *arg)
{
    struct deciding *deciding = arg;
    TRY(reviewed_lock(scope, &deciding->of, &deciding->reviewed));
    TRY(reviewed_waits(scope, &deciding->reviewed));
    const struct reviewed *reviewed = &deciding->reviewed;
    bool asked = deciding->create || !uuid_is_nil(deciding->entry);
    if (!asked && uuid_is_nil(reviewed->machine))
        return arena_fail(scope->arena, ERR_CONFLICT, NULL,
                          "Nothing was proposed for this item: say candidate or create.");
    if (!asked && text_equal(reviewed->proposed, "link"))
        deciding->entry = reviewed->proposed_entry;
    return uuid_is_nil(deciding->entry) ? post_entry(scope, deciding) : link_entry(scope, deciding);
}

enum err review_approve(const struct scope *scope, const struct review_approval *approval,
                        struct item_view *into)
{
    assert(!approval->create || uuid_is_nil(approval->candidate));
    struct deciding deciding = {
        .of = approval->of,
        .action = "approve",
        .entry = approval->candidate,
        .field = "candidate",
        .create = approval->create,
        .reason = approval->note,
        .into = into,
    };
    return db_transaction(scope, approve, &deciding);
}

static enum err pin(const struct scope *scope, void *arg)
{
    struct deciding *deciding = arg;
    TRY(reviewed_lock(scope, &deciding->of, &deciding->reviewed));
    TRY(reviewed_waits(scope, &deciding->reviewed));
    return link_entry(scope, deciding);
}

enum err review_pin(const struct scope *scope, const struct review_of *of, struct uuid entry,
                    struct item_view *into)
{
    struct deciding deciding = {
        .of = *of, .action = "pin", .entry = entry, .field = "ledger_entry_id", .into = into};
    return db_transaction(scope, pin, &deciding);
}

static enum err reject(const struct scope *scope, void *arg)
{
    struct deciding *deciding = arg;
    TRY(reviewed_lock(scope, &deciding->of, &deciding->reviewed));
    TRY(reviewed_waits(scope, &deciding->reviewed));
    TRY(decide(scope, deciding, "stop", "none"));
    return finish(scope, deciding, "rejected", (struct instant){0});
}

enum err review_reject(const struct scope *scope, const struct review_of *of, const char *reason,
                       struct item_view *into)
{
    struct deciding deciding = {.of = *of, .action = "reject", .reason = reason, .into = into};
    return db_transaction(scope, reject, &deciding);
}
