#include "store/item_read.h"

#include "base/text.h"

static const struct column item_view_columns[] = {
    COLUMN(struct item_view, id),
    COLUMN(struct item_view, integration),
    COLUMN(struct item_view, record),
    COLUMN(struct item_view, version),
    COLUMN(struct item_view, window),
    COLUMN(struct item_view, kind),
    COLUMN(struct item_view, source_id),
    COLUMN(struct item_view, state),
    COLUMN(struct item_view, band),
    COLUMN(struct item_view, action),
    COLUMN(struct item_view, p_micro),
    COLUMN_MONEY("amount_minor", "currency", struct item_view, amount),
    COLUMN(struct item_view, date),
    COLUMN(struct item_view, counterparty),
    COLUMN(struct item_view, counterparty_is),
    COLUMN(struct item_view, counterparty_name),
    COLUMN(struct item_view, reference),
    COLUMN(struct item_view, description),
    COLUMN(struct item_view, entry),
    COLUMN(struct item_view, assignee),
    COLUMN(struct item_view, due_at),
    COLUMN(struct item_view, snoozed_until),
    COLUMN(struct item_view, send_after),
    COLUMN(struct item_view, closed_before),
    COLUMN(struct item_view, row_version),
    COLUMN(struct item_view, created_at),
    COLUMN(struct item_view, updated_at),
};
static const struct shape item_view_shape = SHAPE(struct item_view, item_view_columns);

/* Corrections are posted as reversals. An approval's grace period stands with the action. */
#define ITEM_VIEW_SQL                                                                              \
    "SELECT i.id, i.integration_id AS integration, i.record_id AS record, i.version,"              \
    " i.window_id AS window, i.kind, r.source_id, i.state, d.outcome AS band,"                     \
    " CASE WHEN i.state IN ('ignored', 'enriched') OR d.action = 'none' THEN NULL"                 \
    " WHEN d.action = 'create' AND r.posting = 'correct' AND r.version = i.version"                \
    " THEN 'reverse' ELSE d.action END AS action, coalesce(i.p_micro, -1) AS p_micro,"             \
    " i.amount_minor, i.currency, i.date, r.counterparty_id AS counterparty,"                      \
    " c.name AS counterparty_is, i.counterparty_name, v.reference, v.description,"                 \
    " l.entry_id AS entry, i.assignee,"                                                            \
    " coalesce(i.due_at, v.due_date::timestamp AT TIME ZONE 'UTC') AS due_at, i.snoozed_until,"    \
    " g.effective_at AS send_after,"                                                               \
    " (st.settings #>> '{policies,closed_before}')::date AS closed_before, i.row_version,"         \
    " i.collected_at AS created_at,"                                                               \
    " greatest(i.state_changed_at, (SELECT max(created_at) FROM region.review_action"              \
    " WHERE workspace_id = i.workspace_id AND item_id = i.id)) AS updated_at"                      \
    " FROM region.item i"                                                                          \
    " JOIN region.record r ON r.workspace_id = i.workspace_id AND r.id = i.record_id"              \
    " JOIN region.record_version v ON v.workspace_id = i.workspace_id"                             \
    " AND v.record_id = i.record_id AND v.version = i.version"                                     \
    " JOIN region.integration n ON n.workspace_id = i.workspace_id AND n.id = i.integration_id"    \
    " JOIN region.integration_settings st ON st.workspace_id = n.workspace_id"                     \
    " AND st.integration_id = n.id AND st.version = n.settings_version"                            \
    " LEFT JOIN region.counterparty c ON c.workspace_id = r.workspace_id"                          \
    " AND c.id = r.counterparty_id"                                                                \
    " LEFT JOIN region.decision d ON d.workspace_id = i.workspace_id AND d.id = i.decision_id"     \
    " LEFT JOIN LATERAL (SELECT entry_id FROM region.link WHERE workspace_id = i.workspace_id"     \
    " AND item_id = i.id AND role = 'document' ORDER BY created_at DESC, entry_id LIMIT 1) l"      \
    " ON true"                                                                                     \
    " LEFT JOIN LATERAL (SELECT effective_at FROM region.review_action"                            \
    " WHERE workspace_id = i.workspace_id AND item_id = i.id AND action = 'approve'"               \
    " AND undone_by IS NULL ORDER BY id DESC LIMIT 1) g ON i.state = 'queued'"                     \
    " WHERE i.workspace_id = $1"

/* A link or a rejection, until the period closes; an approval in its grace period, which ends when
 * its delivery is made. */
bool item_undoable(const struct item_view *item, struct instant now, struct instant *until)
{
    *until = (struct instant){0};
    if (text_equal(item->state, "queued")) {
        *until = item->send_after;
        return item->send_after.us > now.us;
    }
    bool settled = text_equal(item->state, "linked") || text_equal(item->state, "rejected");
    bool closed = item->closed_before.days != DATE_NONE && item->date.days != DATE_NONE &&
                  item->date.days < item->closed_before.days;
    return settled && !closed;
}

#define ITEM_FILTER_SQL                                                                            \
    " AND ($2::uuid IS NULL OR i.integration_id = $2) AND ($3::text IS NULL OR i.state = $3)"      \
    " AND ($4::text IS NULL OR d.outcome = $4) AND ($5::text IS NULL OR i.kind = $5)" RANGE_SQL(   \
        "i", "$6", "$7", "$8", "$9", "$10")
#define ITEM_FILTER_PARAMS(scope, filter)                                                          \
    P((scope)->workspace), P((filter)->integration), P((filter)->state), P((filter)->band),        \
        P((filter)->kind), RANGE_PARAMS(&(filter)->range)

STATEMENT(items_list_sql, ITEM_VIEW_SQL ITEM_FILTER_SQL
          " AND ($11::uuid IS NULL OR i.id < $11) ORDER BY i.id DESC LIMIT $12");

enum err items_list(const struct scope *scope, const struct item_filter *filter,
                    const struct list_page *page, struct rows *into)
{
    return db_all(scope, &items_list_sql,
                  PARAMS(ITEM_FILTER_PARAMS(scope, filter), P(page->after), P(page->rows)),
                  &item_view_shape, into);
}

STATEMENT(items_search_sql,
          ITEM_VIEW_SQL ITEM_FILTER_SQL " ORDER BY r.search_text <->> $11 LIMIT $12");

enum err items_search(const struct scope *scope, const struct item_filter *filter, int64_t rows,
                      struct rows *into)
{
    return db_all(scope, &items_search_sql,
                  PARAMS(ITEM_FILTER_PARAMS(scope, filter), P(filter->text), P(rows)),
                  &item_view_shape, into);
}

STATEMENT(item_view_get_sql, ITEM_VIEW_SQL " AND i.id = $2");

enum err item_get(const struct scope *scope, struct uuid id, struct item_view *into)
{
    return db_one(scope, &item_view_get_sql, PARAMS(P(scope->workspace), P(id)), &item_view_shape,
                  into);
}

STATEMENT(items_of_record_sql, ITEM_VIEW_SQL " AND i.record_id = $2 ORDER BY i.id DESC LIMIT $3");

enum err items_of_record(const struct scope *scope, struct uuid record, struct rows *into)
{
    return db_all(scope, &items_of_record_sql,
                  PARAMS(P(scope->workspace), P(record), P(ITEM_PARTS_MAX)), &item_view_shape,
                  into);
}

/* ---- the review queue ---- */

STATEMENT(
    review_list_sql, ITEM_VIEW_SQL
    " AND i.state = $2 AND i.state IN ('held', 'stopped')"
    " AND ($3::uuid IS NULL OR i.integration_id = $3) AND ($4::text IS NULL OR i.kind = "
    "$4)" RANGE_SQL(
        "i", "$5", "$6", "$7", "$8",
        "$9") " AND ($10::uuid IS NULL OR i.assignee = $10)"
              " AND ($11::text IS NULL OR EXISTS (SELECT FROM region.decision_policy dp"
              " WHERE dp.workspace_id = $1 AND dp.decision_id = i.decision_id AND dp.code = $11))"
              " AND (coalesce(i.snoozed_until, $13) > $13) = $12"
              " AND ($14::uuid IS NULL OR (i.queue_place, i.id) > (-($15::bigint), $14))"
              " ORDER BY i.queue_place, i.id LIMIT $16");

enum err review_list(const struct scope *scope, const struct review_filter *filter,
                     const struct list_page *page, struct rows *into)
{
    return db_all(scope, &review_list_sql,
                  PARAMS(P(scope->workspace), P(filter->state), P(filter->integration),
                         P(filter->kind), RANGE_PARAMS(&filter->range), P(filter->assignee),
                         P(filter->policy), P(filter->snoozed), P(db_now(scope)), P(page->after),
                         P(page->after_order), P(page->rows)),
                  &item_view_shape, into);
}

/* ---- what people did ---- */

static const struct column action_view_columns[] = {
    COLUMN(struct action_view, id),
    COLUMN(struct action_view, item),
    COLUMN(struct action_view, action),
    COLUMN_AS("actor_kind", struct action_view, actor.kind),
    COLUMN_AS("actor", struct action_view, actor.id),
    COLUMN(struct action_view, at),
    COLUMN(struct action_view, text),
    COLUMN(struct action_view, entry),
    COLUMN(struct action_view, undone_by),
};
static const struct shape action_view_shape = SHAPE(struct action_view, action_view_columns);

#define ACTION_VIEW_SQL                                                                            \
    "SELECT id, item_id AS item, action, actor_kind, actor, created_at AS at,"                     \
    " reason AS text, entry_id AS entry, undone_by FROM region.review_action"                      \
    " WHERE workspace_id = $1"

STATEMENT(actions_of_item_sql,
          ACTION_VIEW_SQL " AND item_id = $2 ORDER BY created_at DESC, id DESC LIMIT $3");

enum err actions_of_item(const struct scope *scope, struct uuid item, struct rows *into)
{
    return db_all(scope, &actions_of_item_sql,
                  PARAMS(P(scope->workspace), P(item), P(ITEM_PARTS_MAX)), &action_view_shape,
                  into);
}

STATEMENT(action_get_sql, ACTION_VIEW_SQL " AND id = $2");

enum err action_get(const struct scope *scope, struct uuid id, struct action_view *into)
{
    return db_one(scope, &action_get_sql, PARAMS(P(scope->workspace), P(id)), &action_view_shape,
                  into);
}
