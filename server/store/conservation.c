#include "store/conservation.h"

#include "base/text.h"

/* $2 integration or NULL, $3 and $4 days or NULL. */
#define PERIOD_OF_DAY(day)                                                                         \
    " AND ($3::date IS NULL OR " day " >= $3) AND ($4::date IS NULL OR " day " <= $4)"
#define PERIOD_OF_TIME(at)                                                                         \
    " AND ($3::date IS NULL OR " at " >= $3::timestamp AT TIME ZONE 'UTC')"                        \
    " AND ($4::date IS NULL OR " at " < ($4 + 1)::timestamp AT TIME ZONE 'UTC')"
#define OF_INTEGRATION(column) " AND ($2::uuid IS NULL OR " column " = $2)"

#define PERIOD_PARAMS(scope, period)                                                               \
    PARAMS(P((scope)->workspace), P((period)->integration), P((period)->from), P((period)->to))

struct state_count {
    const char *state;
    int64_t n;
};
static const struct column state_count_columns[] = {COLUMN(struct state_count, state),
                                                    COLUMN(struct state_count, n)};
static const struct shape state_count_shape = SHAPE(struct state_count, state_count_columns);

STATEMENT(conservation_states_sql,
          "SELECT state, sum(n)::bigint AS n FROM (SELECT state, n FROM region.item_count"
          "  WHERE workspace_id = $1" OF_INTEGRATION("integration_id")
              PERIOD_OF_DAY("day") "  UNION ALL SELECT state, n FROM region.item_count_change "
                                   "WHERE workspace_id = $1" OF_INTEGRATION("integration_id")
                                       PERIOD_OF_DAY("day") ") AS counted GROUP BY state");

static enum err states_read(const struct scope *scope, const struct conservation_period *period,
                            int64_t into[ITEM_STATES])
{
    struct rows rows;
    memset(into, 0, ITEM_STATES * sizeof(into[0]));
    TRY(db_all(scope, &conservation_states_sql, PERIOD_PARAMS(scope, period), &state_count_shape,
               &rows));
    const struct state_count *counts = rows.at;
    for (size_t i = 0; i < rows.count; i++) {
        unsigned state;
        if (!machine_parse(&item_machine, counts[i].state, &state))
            return arena_fail(scope->arena, ERR_INTERNAL, NULL, "There is no item state %s.",
                              counts[i].state);
        into[state] = counts[i].n;
    }
    return OK;
}

enum err item_counts(const struct scope *scope, struct uuid integration, int64_t into[ITEM_STATES])
{
    struct conservation_period all = {integration, {DATE_NONE}, {DATE_NONE}};
    return states_read(scope, &all, into);
}

/* ---- what pages brought ---- */

struct page_sums {
    int64_t pages;
    int64_t rows_received; /* once per page */
    int64_t rows_counted;  /* once per page and integration, as the counts are */
    int64_t inserted;
    int64_t unchanged;
    int64_t quarantined;
};
static const struct column page_sums_columns[] = {
    COLUMN(struct page_sums, pages),        COLUMN(struct page_sums, rows_received),
    COLUMN(struct page_sums, rows_counted), COLUMN(struct page_sums, inserted),
    COLUMN(struct page_sums, unchanged),    COLUMN(struct page_sums, quarantined)};
static const struct shape page_sums_shape = SHAPE(struct page_sums, page_sums_columns);

/* The formatter cannot lay out statements that are put together from macros. */
/* clang-format off */

STATEMENT(
    conservation_pages_sql,
    "WITH counted AS (SELECT p.id, p.rows_received, c.items, c.unchanged, c.quarantined"
    "  FROM region.page_count AS c JOIN region.page AS p"
    "   ON p.workspace_id = c.workspace_id AND p.id = c.page_id WHERE c.workspace_id = $1"
    OF_INTEGRATION("c.integration_id") PERIOD_OF_TIME("p.committed_at") "),"
    " once AS (SELECT DISTINCT id, rows_received FROM counted)"
    " SELECT (SELECT count(*) FROM once) AS pages,"
    " (SELECT coalesce(sum(rows_received), 0)::bigint FROM once) AS rows_received,"
    " coalesce(sum(rows_received), 0)::bigint AS rows_counted,"
    " coalesce(sum(items), 0)::bigint AS inserted,"
    " coalesce(sum(unchanged), 0)::bigint AS unchanged,"
    " coalesce(sum(quarantined), 0)::bigint AS quarantined FROM counted");

/* clang-format on */

/* ---- the same things counted elsewhere ---- */

struct second_counts {
    int64_t delivered;
    int64_t unconfirmed;
    int64_t linked;
    int64_t held;
};
static const struct column second_columns[] = {
    COLUMN(struct second_counts, delivered), COLUMN(struct second_counts, unconfirmed),
    COLUMN(struct second_counts, linked), COLUMN(struct second_counts, held)};
static const struct shape second_shape = SHAPE(struct second_counts, second_columns);

/* Counted without looking at the items' states. Delivered: the newest delivery is at the target.
 * Linked: a link to the very entry that the decision which made it names. Held: what happened last
 * to the item left it in the queue (a hold that nobody answered, an undo, a link that was taken
 * back), and no newer version took its place. */
/* clang-format off */

STATEMENT(
    conservation_second_sql,
    "WITH one AS (SELECT i.id, i.integration_id, i.record_id, i.version FROM region.item AS i"
    "  WHERE i.workspace_id = $1"
    OF_INTEGRATION("i.integration_id") PERIOD_OF_TIME("i.collected_at") "),"
    " sent AS (SELECT DISTINCT ON (d.item_id) d.item_id, d.state FROM region.delivery AS d"
    "  JOIN one ON one.id = d.item_id WHERE d.workspace_id = $1"
    "  AND d.operation IN ('create', 'mail', 'reverse') ORDER BY d.item_id, d.generation DESC),"
    " queued AS (SELECT item_id FROM region.decision WHERE workspace_id = $1 AND outcome = 'hold'"
    "  UNION SELECT item_id FROM region.review_action WHERE workspace_id = $1"
    "  AND to_state = 'held')"
    " SELECT (SELECT count(*) FROM sent"
    "  WHERE state IN ('done', 'accepted', 'confirmed', 'unconfirmed')) AS delivered,"
    " (SELECT count(*) FROM sent WHERE state IN ('accepted', 'unconfirmed')) AS unconfirmed,"
    " (SELECT count(DISTINCT l.item_id) FROM region.link AS l JOIN one ON one.id = l.item_id"
    "  JOIN region.decision AS d ON d.workspace_id = $1 AND d.id = l.decision_id"
    "   AND d.action = 'link' AND d.entry_id = l.entry_id"
    "  WHERE l.workspace_id = $1 AND l.origin IN ('matched', 'pinned')) AS linked,"
    " (SELECT count(*) FROM queued JOIN one ON one.id = queued.item_id"
    "  CROSS JOIN LATERAL (SELECT outcome, created_at FROM region.decision"
    "   WHERE workspace_id = $1 AND item_id = one.id AND taken_by = 'machine'"
    "   ORDER BY seq DESC LIMIT 1) AS machine"
    "  LEFT JOIN LATERAL (SELECT to_state FROM region.review_action"
    "   WHERE workspace_id = $1 AND item_id = one.id"
    "   AND action IN ('approve', 'pin', 'reject', 'undo', 'unlink')"
    "   AND created_at >= machine.created_at"
    "   ORDER BY created_at DESC, id DESC LIMIT 1) AS person ON true"
    "  WHERE coalesce(person.to_state = 'held', machine.outcome = 'hold')"
    "  AND NOT EXISTS (SELECT FROM region.item AS newer WHERE newer.workspace_id = $1"
    "   AND newer.integration_id = one.integration_id AND newer.record_id = one.record_id"
    "   AND newer.version > one.version)) AS held");

/* clang-format on */

static int64_t difference(const struct conservation_check *check)
{
    return check->left > check->right ? check->left - check->right : check->right - check->left;
}

static void compare(struct conservation *into, const struct page_sums *pages,
                    const struct second_counts *second)
{
    int64_t all = 0;
    for (size_t i = 0; i < ITEM_STATES; i++)
        all += into->states[i];
    struct conservation_check checks[CONSERVATION_CHECKS] = {
        {"seen_terms", into->seen, all},
        {"rows_counts", pages->rows_counted,
         pages->inserted + pages->unchanged + pages->quarantined},
        {"delivered_deliveries", into->states[ITEM_DELIVERED], second->delivered},
        {"linked_links", into->states[ITEM_LINKED], second->linked},
        {"held_reviews", into->states[ITEM_HELD], second->held},
    };
    memcpy(into->checks, checks, sizeof(checks));
    for (size_t i = 0; i < CONSERVATION_CHECKS; i++)
        into->unexplained += difference(&checks[i]);
}

struct proof {
    const struct conservation_period *period;
    struct conservation *into;
};

static enum err prove(const struct scope *scope, void *arg)
{
    const struct proof *self = arg;
    struct conservation *into = self->into;
    struct page_sums pages;
    struct second_counts second;
    const struct params *params = PERIOD_PARAMS(scope, self->period);
    *into = (struct conservation){0};
    TRY(states_read(scope, self->period, into->states));
    TRY(db_one(scope, &conservation_pages_sql, params, &page_sums_shape, &pages));
    TRY(db_one(scope, &conservation_second_sql, params, &second_shape, &second));
    into->pages = pages.pages;
    into->rows_received = pages.rows_received;
    into->inserted = pages.inserted;
    into->unchanged = pages.unchanged;
    into->quarantined = pages.quarantined;
    into->seen = pages.inserted + pages.quarantined; /* a row that cannot be read is an item too */
    into->unconfirmed = second.unconfirmed;
    compare(into, &pages, &second);
    return OK;
}

enum err conservation_get(const struct scope *scope, const struct conservation_period *period,
                          struct conservation *into)
{
    struct proof self = {period, into};
    return db_snapshot(scope, prove, &self);
}

static const struct column id_columns[] = {COLUMN(struct conservation_id, id)};
static const struct shape id_shape = SHAPE(struct conservation_id, id_columns);
STATEMENT(
    conservation_ids_sql,
    "SELECT i.id FROM region.item AS i WHERE i.workspace_id = $1" OF_INTEGRATION("i.integration_id")
        PERIOD_OF_TIME("i.collected_at") " AND i.state = $5 AND ($6::uuid IS NULL OR i.id > $6) "
                                         "ORDER BY i.id LIMIT $7");

enum err conservation_ids(const struct scope *scope, const struct conservation_period *period,
                          enum item_state state, struct uuid after, int64_t limit,
                          struct rows *into)
{
    return db_all(scope, &conservation_ids_sql,
                  PARAMS(P(scope->workspace), P(period->integration), P(period->from),
                         P(period->to), P(machine_name(&item_machine, state)), P(after), P(limit)),
                  &id_shape, into);
}

/* ---- keeping the counts ---- */

STATEMENT(item_count_lock_sql, "SELECT pg_try_advisory_xact_lock(hashtextextended("
                               "'sluice.item_count.' || $1, 0))::int::bigint");
/* Only what is seen now is noted as done: a change that commits later has a row of its own. */
STATEMENT(item_count_clean_sql, "DELETE FROM region.dirty_workspace"
                                " WHERE workspace_id = $1 AND what = 'item_count'");
STATEMENT(item_count_fold_sql,
          "WITH gone AS (DELETE FROM region.item_count_change WHERE workspace_id = $1"
          "  RETURNING integration_id, day, state, n),"
          " folded AS (INSERT INTO region.item_count (workspace_id, integration_id, day, state, n)"
          "  SELECT $1, integration_id, day, state, sum(n) FROM gone"
          "  GROUP BY integration_id, day, state ON CONFLICT (workspace_id, integration_id, day,"
          "  state) DO UPDATE SET n = item_count.n + excluded.n)"
          " SELECT count(*) FROM gone");

static enum err fold(const struct scope *scope, void *arg)
{
    int64_t mine;
    TRY(db_int(scope, &item_count_lock_sql,
               PARAMS(P((const char *)uuid_format(scope->arena, scope->workspace))), &mine));
    *(int64_t *)arg = 0;
    if (!mine)
        return OK;
    TRY(db_exec(scope, &item_count_clean_sql, PARAMS(P(scope->workspace)), NULL));
    return db_int(scope, &item_count_fold_sql, PARAMS(P(scope->workspace)), arg);
}

enum err item_count_fold(const struct scope *scope, int64_t *folded)
{
    return db_transaction(scope, fold, folded);
}

/* Nobody may move an item between the two counts. */
STATEMENT(item_hold_all_sql, "SELECT count(*) FROM (SELECT FROM region.integration"
                             " WHERE workspace_id = $1 FOR UPDATE) AS held");
STATEMENT(item_recount_sql,
          "WITH truth AS (SELECT integration_id, (collected_at AT TIME ZONE 'UTC')::date AS day,"
          "  state, count(*) AS n FROM region.item WHERE workspace_id = $1 GROUP BY 1, 2, 3),"
          " kept AS (SELECT integration_id, day, state, sum(n) AS n FROM (SELECT integration_id,"
          "  day, state, n FROM region.item_count WHERE workspace_id = $1 UNION ALL"
          "  SELECT integration_id, day, state, n FROM region.item_count_change"
          "  WHERE workspace_id = $1) AS both_parts GROUP BY 1, 2, 3),"
          " wrong AS (SELECT integration_id, day, state, coalesce(truth.n, 0)"
          "  - coalesce(kept.n, 0) AS n FROM truth FULL JOIN kept"
          "  USING (integration_id, day, state) WHERE coalesce(truth.n, 0)"
          "  <> coalesce(kept.n, 0)),"
          " mended AS (INSERT INTO region.item_count_change (workspace_id, integration_id, day,"
          "  state, n) SELECT $1, integration_id, day, state, n FROM wrong)"
          " SELECT count(*) FROM wrong");

static enum err recount(const struct scope *scope, void *arg)
{
    int64_t held;
    TRY(db_int(scope, &item_hold_all_sql, PARAMS(P(scope->workspace)), &held));
    return db_int(scope, &item_recount_sql, PARAMS(P(scope->workspace)), arg);
}

enum err item_count_recount(const struct scope *scope, int64_t *wrong)
{
    return db_transaction(scope, recount, wrong);
}
