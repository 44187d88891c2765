#include "store/review_parts.h"

#include "base/text.h"
#include "json/json.h"
#include "store/audit.h"
#include "store/json_rows.h"

static const struct column reviewed_columns[] = {
    COLUMN(struct reviewed, item),
    COLUMN(struct reviewed, state),
    COLUMN(struct reviewed, row_version),
    COLUMN(struct reviewed, target),
    COLUMN(struct reviewed, settings_version),
    COLUMN(struct reviewed, grace_s),
    COLUMN(struct reviewed, closed),
    COLUMN(struct reviewed, archived),
    COLUMN(struct reviewed, counterparty),
    COLUMN(struct reviewed, counterparty_name),
    COLUMN(struct reviewed, core_name),
    COLUMN(struct reviewed, norm_version),
    COLUMN(struct reviewed, machine),
    COLUMN(struct reviewed, proposed),
    COLUMN(struct reviewed, proposed_entry),
    COLUMN(struct reviewed, proposed_settlement),
};
static const struct shape reviewed_shape = SHAPE(struct reviewed, reviewed_columns);

STATEMENT(review_lock_sql,
          "SELECT i.id AS item, i.state, i.row_version, n.target_connection_id AS target,"
          " n.settings_version, coalesce((st.settings ->> 'grace_s')::bigint, $3) AS grace_s,"
          " coalesce(i.date < (st.settings #>> '{policies,closed_before}')::date, false) AS closed,"
          " n.state = 'archived' AS archived,"
          " r.counterparty_id AS counterparty, i.counterparty_name, v.core_name, v.norm_version,"
          " m.id AS machine, m.action AS proposed, m.entry_id AS proposed_entry,"
          " m.settlement_entry_id AS proposed_settlement"
          " FROM region.item i"
          " JOIN region.record r ON r.workspace_id = i.workspace_id AND r.id = i.record_id"
          " JOIN region.record_version v ON v.workspace_id = i.workspace_id"
          " AND v.record_id = i.record_id AND v.version = i.version"
          " JOIN region.integration n ON n.workspace_id = i.workspace_id"
          " AND n.id = i.integration_id"
          " JOIN region.integration_settings st ON st.workspace_id = n.workspace_id"
          " AND st.integration_id = n.id AND st.version = n.settings_version"
          " LEFT JOIN LATERAL (SELECT * FROM region.decision d WHERE d.workspace_id = $1"
          " AND d.item_id = i.id AND d.taken_by = 'machine' ORDER BY d.seq DESC LIMIT 1) m ON true"
          " WHERE i.workspace_id = $1 AND i.id = $2 FOR UPDATE OF i");

enum err reviewed_lock(const struct scope *scope, const struct review_of *of, struct reviewed *into)
{
    TRY(db_one(scope, &review_lock_sql,
               PARAMS(P(scope->workspace), P(of->item), P(REVIEW_GRACE_S_DEFAULT)), &reviewed_shape,
               into));
    if (of->versioned && of->row_version != into->row_version)
        return arena_fail(scope->arena, ERR_STALE, "If-Match",
                          "The item changed since you read it: it is at version %" PRId64 ".",
                          into->row_version);
    return OK;
}

enum err reviewed_waits(const struct scope *scope, const struct reviewed *reviewed)
{
    if (text_equal(reviewed->state, "held") || text_equal(reviewed->state, "stopped"))
        return OK;
    return arena_fail(scope->arena, ERR_CONFLICT, NULL,
                      "The item is %s; only held and stopped items wait for a person.",
                      reviewed->state);
}

/* A person who decides has looked: the item is no longer snoozed. How sure the machine was stays.
 */
STATEMENT(review_item_sql,
          "UPDATE region.item SET state = $3,"
          " state_changed_at = CASE WHEN state = $3 THEN state_changed_at ELSE $4 END,"
          " decision_id = coalesce($5, decision_id),"
          " snoozed_until = CASE WHEN $5::uuid IS NULL THEN snoozed_until END,"
          " row_version = row_version + 1 WHERE workspace_id = $1 AND id = $2");

STATEMENT(review_action_sql,
          "INSERT INTO region.review_action (workspace_id, id, item_id, decision_id, action,"
          " from_state, to_state, entry_id, reason, actor_kind, actor, created_at, effective_at)"
          " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)");

static const char *move_detail(const struct scope *scope, const struct review_move *move)
{
    json_t *detail = json_keep(scope->arena, json_object());
    row_text(detail, "from", move->reviewed->state);
    row_text(detail, "to", move->to);
    if (!uuid_is_nil(move->entry))
        row_uuid(scope->arena, detail, "entry_id", move->entry);
    if (move->reason)
        row_text(detail, "reason", move->reason);
    return json_write(scope->arena, detail);
}

static const char *actor_name(const struct scope *scope)
{
    switch (scope->actor_kind) {
    case ACTOR_USER:
        return "user";
    case ACTOR_API_KEY:
        return "api_key";
    case ACTOR_OPERATOR:
        return "operator";
    case ACTOR_JOB:
        return "job";
    case ACTOR_SYSTEM:
        break;
    }
    return "system";
}

enum err review_moved(const struct scope *scope, const struct review_move *move)
{
    const struct reviewed *reviewed = move->reviewed;
    struct instant now = db_now(scope);
    TRY(db_exec(
        scope, &review_item_sql,
        PARAMS(P(scope->workspace), P(reviewed->item), P(move->to), P(now), P(move->decision)),
        NULL));
    TRY(db_exec(scope, &review_action_sql,
                PARAMS(P(scope->workspace), P(move->id), P(reviewed->item), P(move->decision),
                       P(move->action), P(reviewed->state), P(move->to), P(move->entry),
                       P(move->reason), P(actor_name(scope)), P(scope->actor), P(now),
                       P(move->effective_at)),
                NULL));
    struct audit_entry entry = {
        .action = arena_format(scope->arena, "review.%s", move->action),
        .subject_kind = "item",
        .subject = reviewed->item,
        .detail = move_detail(scope, move),
    };
    return audit_append(scope, &entry);
}
