#include "store/decision_read.h"

enum {
    ITEMS_AT_ONCE_MAX = 100,
    POLICIES_EACH_MAX = 50,
    POLICY_ROWS_MAX = ITEMS_AT_ONCE_MAX * POLICIES_EACH_MAX,
    CANDIDATE_ROWS_MAX = ITEMS_AT_ONCE_MAX * CANDIDATES_SHOWN_MAX,
};

static const struct column decision_view_columns[] = {
    COLUMN(struct decision_view, id),
    COLUMN(struct decision_view, item),
    COLUMN(struct decision_view, seq),
    COLUMN(struct decision_view, band),
    COLUMN(struct decision_view, action),
    COLUMN(struct decision_view, entry),
    COLUMN(struct decision_view, settlement_entry),
    COLUMN(struct decision_view, p_micro),
    COLUMN(struct decision_view, match_p_micro),
    COLUMN(struct decision_view, gate_p_micro),
    COLUMN(struct decision_view, settlement_p_micro),
    COLUMN(struct decision_view, no_entry_p_micro),
    COLUMN(struct decision_view, match_calibrated),
    COLUMN(struct decision_view, gate_calibrated),
    COLUMN(struct decision_view, axes),
    COLUMN(struct decision_view, contributions),
    COLUMN(struct decision_view, model_version),
    COLUMN(struct decision_view, policy_version),
    COLUMN(struct decision_view, norm_version),
    COLUMN(struct decision_view, settings_version),
    COLUMN_AS("decided_by_kind", struct decision_view, decided_by.kind),
    COLUMN_AS("decided_by", struct decision_view, decided_by.id),
    COLUMN(struct decision_view, decided_at),
};
static const struct shape decision_view_shape = SHAPE(struct decision_view, decision_view_columns);

#define DECISION_VIEW_SQL                                                                          \
    " d.id, d.item_id AS item, d.seq, d.outcome AS band,"                                          \
    " CASE WHEN d.action = 'none' THEN NULL"                                                       \
    " WHEN d.action = 'create' AND r.posting = 'correct' AND r.version = i.version"                \
    " THEN 'reverse' ELSE d.action END AS action, d.entry_id AS entry,"                            \
    " d.settlement_entry_id AS settlement_entry,"                                                  \
    " coalesce(d.p_micro, -1) AS p_micro, coalesce(d.match_p_micro, -1) AS match_p_micro,"         \
    " coalesce(d.gate_p_micro, -1) AS gate_p_micro,"                                               \
    " coalesce(d.settlement_p_micro, -1) AS settlement_p_micro,"                                   \
    " coalesce(d.no_entry_p_micro, -1) AS no_entry_p_micro, d.match_calibrated,"                   \
    " d.gate_calibrated, d.axes, d.contributions, coalesce(d.model_version, '') AS model_version," \
    " coalesce(d.policy_version, '') AS policy_version,"                                           \
    " coalesce(d.norm_version, '') AS norm_version, d.settings_version,"                           \
    " CASE WHEN d.taken_by = 'machine' THEN 'system'"                                              \
    " ELSE coalesce(a.actor_kind, 'user') END AS decided_by_kind, d.actor AS decided_by,"          \
    " d.created_at AS decided_at"                                                                  \
    " FROM region.decision d"                                                                      \
    " JOIN region.item i ON i.workspace_id = d.workspace_id AND i.id = d.item_id"                  \
    " JOIN region.record r ON r.workspace_id = i.workspace_id AND r.id = i.record_id"              \
    " LEFT JOIN LATERAL (SELECT actor_kind FROM region.review_action"                              \
    " WHERE workspace_id = d.workspace_id AND item_id = d.item_id AND decision_id = d.id"          \
    " LIMIT 1) a ON d.taken_by = 'person'"                                                         \
    " WHERE d.workspace_id = $1"

STATEMENT(decisions_latest_sql, "SELECT DISTINCT ON (d.item_id)" DECISION_VIEW_SQL
                                " AND d.item_id = ANY ($2) AND d.taken_by = 'machine'"
                                " ORDER BY d.item_id, d.seq DESC");

STATEMENT(decisions_of_item_sql,
          "SELECT" DECISION_VIEW_SQL " AND d.item_id = $2 ORDER BY d.seq DESC LIMIT $3");

static const struct column policy_view_columns[] = {
    COLUMN(struct policy_view, decision),
    COLUMN(struct policy_view, code),
    COLUMN(struct policy_view, effect),
};
static const struct shape policy_view_shape = SHAPE(struct policy_view, policy_view_columns);

STATEMENT_ROWS(decision_policies_sql, POLICY_ROWS_MAX,
               "SELECT decision_id AS decision, code, effect FROM region.decision_policy"
               " WHERE workspace_id = $1 AND decision_id = ANY ($2) AND effect <> 'note'"
               " ORDER BY decision_id, code");

static const struct column candidate_view_columns[] = {
    COLUMN(struct candidate_view, decision),      COLUMN(struct candidate_view, role),
    COLUMN(struct candidate_view, rank),          COLUMN(struct candidate_view, members),
    COLUMN(struct candidate_view, p_micro),       COLUMN(struct candidate_view, log_odds_micro),
    COLUMN(struct candidate_view, contributions), ENTRY_VIEW_COLUMNS(struct candidate_view, entry.),
};
static const struct shape candidate_view_shape =
    SHAPE(struct candidate_view, candidate_view_columns);

/* The best of both roles, and then by role. */
STATEMENT_ROWS(decision_candidates_sql, CANDIDATE_ROWS_MAX,
               "SELECT k.decision_id AS decision, k.role, k.rank, k.members, k.p_micro,"
               " k.score_micro AS log_odds_micro, k.contributions," ENTRY_VIEW_SQL
               " FROM (SELECT *, row_number() OVER (PARTITION BY decision_id ORDER BY rank, role)"
               " AS place FROM region.candidate"
               " WHERE workspace_id = $1 AND decision_id = ANY ($2)) k"
               " LEFT JOIN region.ledger_entry e ON e.workspace_id = k.workspace_id"
               " AND e.id = k.entry_id" ENTRY_LINK_SQL
               " WHERE k.place <= $3 ORDER BY k.decision_id, k.role, k.rank");

enum err decisions_of_items(const struct scope *scope, struct uuid_list items, int candidates_max,
                            struct decisions_view *into)
{
    assert(items.n <= ITEMS_AT_ONCE_MAX && candidates_max <= CANDIDATES_SHOWN_MAX);
    *into = (struct decisions_view){0};
    if (items.n == 0)
        return OK;
    TRY(db_all(scope, &decisions_latest_sql, PARAMS(P(scope->workspace), P(items)),
               &decision_view_shape, &into->decisions));
    const struct decision_view *decisions = into->decisions.at;
    struct uuid *ids = arena_array(scope->arena, into->decisions.count, sizeof *ids);
    for (size_t i = 0; i < into->decisions.count; i++)
        ids[i] = decisions[i].id;
    struct uuid_list list = {ids, into->decisions.count};
    TRY(db_all(scope, &decision_policies_sql, PARAMS(P(scope->workspace), P(list)),
               &policy_view_shape, &into->policies));
    return db_all(scope, &decision_candidates_sql,
                  PARAMS(P(scope->workspace), P(list), P(candidates_max)), &candidate_view_shape,
                  &into->candidates);
}

const struct decision_view *decision_of_item(const struct decisions_view *decisions,
                                             struct uuid item)
{
    const struct decision_view *at = decisions->decisions.at;
    for (size_t i = 0; i < decisions->decisions.count; i++) {
        if (uuid_equal(at[i].item, item))
            return &at[i];
    }
    return NULL;
}

enum err decisions_of_item(const struct scope *scope, struct uuid item, struct rows *into)
{
    return db_all(scope, &decisions_of_item_sql,
                  PARAMS(P(scope->workspace), P(item), P(ITEM_PARTS_MAX)), &decision_view_shape,
                  into);
}
