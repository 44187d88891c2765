#include "store/scoring.h"

#include "base/text.h"
#include "store/collect_rows.h"
#include "store/json_rows.h"

/* The columns of a record version as struct scoring_item reads them; aliases i, r, v, s. */
#define SCORING_ITEM_COLUMNS                                                                       \
    " i.id AS item, i.record_id AS record, i.version, i.kind, r.posting, s.provider, s.account,"   \
    " s.livemode, r.source_id, v.source_event_id, v.source_txn_id, r.parent_source_id,"            \
    " v.amount_minor, v.currency, v.fee_minor, v.fee_currency, v.net_minor, v.net_currency,"       \
    " v.date, v.due_date, v.occurred_at, v.description, v.reference, v.party_name,"                \
    " v.party->>'email' AS party_email, v.party->>'country' AS party_country,"                     \
    " v.party->>'address' AS party_address, v.party->>'postcode' AS party_postcode,"               \
    " v.party->>'phone' AS party_phone, v.party->>'vat_id' AS party_vat_id,"                       \
    " v.party->>'siren' AS party_siren, v.party->>'iban' AS party_iban,"                           \
    " v.party->>'customer_id' AS party_customer_id,"                                               \
    " coalesce((v.party->>'company')::boolean, false) AS party_company,"                           \
    " r.delivered_by IS NOT NULL OR EXISTS (SELECT FROM region.connection t"                       \
    " JOIN region.delivery d ON d.workspace_id = $1 AND d.connection_id = t.id"                    \
    " AND d.external_id = r.source_id AND d.operation IN ('create', 'mail', 'reverse')"            \
    " WHERE t.workspace_id = $1 AND t.provider = s.provider AND t.account = s.account"             \
    " AND t.livemode = s.livemode) AS ours"
#define SCORING_ITEM_TABLES                                                                        \
    " FROM region.item i"                                                                          \
    " JOIN region.record r ON r.workspace_id = $1 AND r.id = i.record_id"                          \
    " JOIN region.record_version v ON v.workspace_id = $1 AND v.record_id = i.record_id"           \
    " AND v.version = i.version"                                                                   \
    " JOIN region.stream s ON s.workspace_id = $1 AND s.id = r.stream_id"

static const struct column item_columns[] = {
    COLUMN(struct scoring_item, item),
    COLUMN(struct scoring_item, record),
    COLUMN(struct scoring_item, version),
    COLUMN(struct scoring_item, kind),
    COLUMN(struct scoring_item, posting),
    COLUMN(struct scoring_item, provider),
    COLUMN(struct scoring_item, account),
    COLUMN(struct scoring_item, livemode),
    COLUMN(struct scoring_item, source_id),
    COLUMN(struct scoring_item, source_event_id),
    COLUMN(struct scoring_item, source_txn_id),
    COLUMN(struct scoring_item, parent_source_id),
    COLUMN_MONEY("amount_minor", "currency", struct scoring_item, amount),
    COLUMN_MONEY("fee_minor", "fee_currency", struct scoring_item, fee),
    COLUMN_MONEY("net_minor", "net_currency", struct scoring_item, net),
    COLUMN(struct scoring_item, date),
    COLUMN(struct scoring_item, due_date),
    COLUMN(struct scoring_item, occurred_at),
    COLUMN(struct scoring_item, description),
    COLUMN(struct scoring_item, reference),
    COLUMN(struct scoring_item, party_name),
    COLUMN(struct scoring_item, party_email),
    COLUMN(struct scoring_item, party_country),
    COLUMN(struct scoring_item, party_address),
    COLUMN(struct scoring_item, party_postcode),
    COLUMN(struct scoring_item, party_phone),
    COLUMN(struct scoring_item, party_vat_id),
    COLUMN(struct scoring_item, party_siren),
    COLUMN(struct scoring_item, party_iban),
    COLUMN(struct scoring_item, party_customer_id),
    COLUMN(struct scoring_item, party_company),
    COLUMN(struct scoring_item, ours),
    COLUMN(struct scoring_item, delivered_before),
};
static const struct shape item_shape = SHAPE(struct scoring_item, item_columns);

STATEMENT_ROWS(scoring_items_sql, WINDOW_ITEMS_MAX,
               "SELECT" SCORING_ITEM_COLUMNS ","
               " EXISTS (SELECT FROM region.item e WHERE e.workspace_id = $1"
               " AND e.integration_id = i.integration_id AND e.record_id = i.record_id"
               " AND e.version < i.version"
               " AND e.state IN ('scoring', 'queued', 'delivered', 'linked', 'problem')) AS "
               "delivered_before" SCORING_ITEM_TABLES
               " WHERE i.workspace_id = $1 AND i.window_id = $2 AND i.state = 'scoring'"
               " ORDER BY r.source_id, i.id");

static const struct column window_columns[] = {
    COLUMN(struct scoring_window, window),
    COLUMN(struct scoring_window, integration),
    COLUMN(struct scoring_window, target_connection),
    COLUMN(struct scoring_window, target_provider),
    COLUMN(struct scoring_window, target_account),
    COLUMN(struct scoring_window, settings_version),
    COLUMN(struct scoring_window, settings),
    COLUMN(struct scoring_window, workspace_name),
    COLUMN(struct scoring_window, language),
    COLUMN(struct scoring_window, ledger_kind),
    COLUMN(struct scoring_window, ledger_fresh_at),
    COLUMN(struct scoring_window, reviews),
};
static const struct shape window_shape = SHAPE(struct scoring_window, window_columns);

/* Fresh is what every mirror stream of the target's account is: the oldest of their ends. */
STATEMENT(scoring_window_sql,
          "SELECT w.id AS window, i.id AS integration, c.id AS target_connection,"
          " c.provider AS target_provider, coalesce(c.account, '') AS target_account,"
          " i.settings_version, g.settings, t.name AS workspace_name, t.language,"
          " CASE WHEN m.streams > 0 THEN 'mirrored' ELSE 'none' END AS ledger_kind,"
          " CASE WHEN m.streams = m.complete THEN m.oldest END AS ledger_fresh_at,"
          " (SELECT count(*) FROM (SELECT FROM region.review_action a WHERE a.workspace_id = $1"
          " AND a.action IN ('approve', 'pin', 'reject') AND a.undone_by IS NULL LIMIT 10000) x)"
          " AS reviews"
          " FROM region.window w"
          " JOIN region.integration i ON i.workspace_id = $1 AND i.id = w.integration_id"
          " JOIN region.integration_settings g ON g.workspace_id = $1 AND g.integration_id = i.id"
          " AND g.version = i.settings_version"
          " JOIN region.connection c ON c.workspace_id = $1 AND c.id = i.target_connection_id"
          " JOIN region.tenant t ON t.workspace_id = $1"
          " CROSS JOIN LATERAL (SELECT count(*) AS streams, count(s.last_success_at) AS complete,"
          " min(s.last_success_at) AS oldest FROM region.stream s WHERE s.workspace_id = $1"
          " AND s.provider = c.provider AND s.account = c.account AND s.livemode = c.livemode"
          " AND s.purpose = 'mirror') m"
          " WHERE w.workspace_id = $1 AND w.id = $2 AND w.state IN ('collecting', 'scoring')"
          " AND i.state = 'active' FOR UPDATE OF w");

STATEMENT(window_close_sql,
          "UPDATE region.window SET state = 'scoring', closed_at = $3 WHERE workspace_id = $1"
          " AND id = $2 AND state = 'collecting'");
/* A newer version came while this one was scored by a worker that died, or waited for an
 * integration that was paused: it takes the place, so that not both are sent. */
#define HAS_NEWER_SQL                                                                              \
    " AND EXISTS (SELECT FROM region.item n WHERE n.workspace_id = $1"                             \
    " AND n.integration_id = i.integration_id AND n.record_id = i.record_id"                       \
    " AND n.version > i.version)"
STATEMENT(items_unscore_sql,
          "UPDATE region.item i SET state = 'waiting', state_changed_at = $3"
          " WHERE i.workspace_id = $1 AND i.window_id = $2 AND i.state = 'scoring'" HAS_NEWER_SQL);
STATEMENT(items_outdated_sql,
          "UPDATE region.item i SET state = 'superseded', state_changed_at = $3,"
          " row_version = i.row_version + 1"
          " WHERE i.workspace_id = $1 AND i.window_id = $2 AND i.state = 'waiting'" HAS_NEWER_SQL);
STATEMENT(items_score_sql,
          "UPDATE region.item SET state = 'scoring', state_changed_at = $3 WHERE workspace_id = $1"
          " AND id IN (SELECT i.id FROM region.item i JOIN region.record r"
          " ON r.workspace_id = $1 AND r.id = i.record_id"
          " WHERE i.workspace_id = $1 AND i.window_id = $2 AND i.state = 'waiting'"
          " AND r.posting IN ('post', 'correct') ORDER BY i.id LIMIT $4)");
/* What waits for its source is in no window; it joins one when the source has made up its mind. */
STATEMENT(items_leave_sql,
          "UPDATE region.item i SET window_id = NULL FROM region.record r"
          " WHERE i.workspace_id = $1 AND i.window_id = $2 AND i.state = 'waiting'"
          " AND r.workspace_id = $1 AND r.id = i.record_id AND r.posting = 'wait'");
STATEMENT(items_next_window_sql, "UPDATE region.item SET window_id = $3 WHERE workspace_id = $1"
                                 " AND window_id = $2 AND state = 'waiting'");

static enum err overflow_to_next(const struct scope *scope, const struct scoring_window *window)
{
    struct collecting_integration integration = {
        .id = window->integration,
        .live = true, /* the rest follows at once */
        .connection = window->target_connection,
    };
    struct item_order order = {.integration = &integration, .live_window_s = 1};
    integration.settings_version = window->settings_version;
    struct uuid next;
    TRY(window_collecting(scope, &order, &next));
    return db_exec(scope, &items_next_window_sql,
                   PARAMS(P(scope->workspace), P(window->window), P(next)), NULL);
}

struct opening {
    struct uuid window;
    struct scoring_window *into;
};

static enum err open_window(const struct scope *scope, void *arg)
{
    struct opening *opening = arg;
    struct uuid id = opening->window;
    struct instant now = db_now(scope);
    int64_t scored = 0;
    TRY(db_one(scope, &scoring_window_sql, PARAMS(P(scope->workspace), P(id)), &window_shape,
               opening->into));
    TRY(db_exec(scope, &window_close_sql, PARAMS(P(scope->workspace), P(id), P(now)), NULL));
    TRY(db_exec(scope, &items_leave_sql, PARAMS(P(scope->workspace), P(id)), NULL));
    TRY(db_exec(scope, &items_unscore_sql, PARAMS(P(scope->workspace), P(id), P(now)), NULL));
    TRY(db_exec(scope, &items_outdated_sql, PARAMS(P(scope->workspace), P(id), P(now)), NULL));
    TRY(db_exec(scope, &items_score_sql,
                PARAMS(P(scope->workspace), P(id), P(now), P(WINDOW_ITEMS_MAX)), &scored));
    if (scored == WINDOW_ITEMS_MAX)
        TRY(overflow_to_next(scope, opening->into));
    struct rows items;
    TRY(db_all(scope, &scoring_items_sql, PARAMS(P(scope->workspace), P(id)), &item_shape, &items));
    opening->into->items = items.at;
    opening->into->count = items.count;
    return OK;
}

enum err scoring_open(const struct scope *scope, struct uuid window, struct scoring_window *into)
{
    struct opening opening = {window, into};
    return db_transaction(scope, open_window, &opening);
}

/* ---- one item again, for an approval ---- */

STATEMENT(scoring_item_sql,
          "SELECT" SCORING_ITEM_COLUMNS ", false AS delivered_before" SCORING_ITEM_TABLES
          " WHERE i.workspace_id = $1 AND i.id = $2");

enum err scoring_item_get(const struct scope *scope, struct uuid item, struct scoring_item *into)
{
    return db_one(scope, &scoring_item_sql, PARAMS(P(scope->workspace), P(item)), &item_shape,
                  into);
}

/* ---- what the past says ---- */

static const struct column usage_columns[] = {
    COLUMN(struct usage, query),         COLUMN(struct usage, posts),
    COLUMN(struct usage, overturned),    COLUMN(struct usage, low_minor),
    COLUMN(struct usage, high_minor),    COLUMN(struct usage, posts_in_currency),
    COLUMN(struct usage, posts_of_kind),
};
static const struct shape usage_shape = SHAPE(struct usage, usage_columns);

/* Of the latest records only: the past of a busy counterparty costs no more than another's. */
STATEMENT_ROWS(usage_sql, WINDOW_ITEMS_MAX,
               "SELECT q.n AS query, u.* FROM jsonb_to_recordset($2)"
               " AS q(n int, counterparty uuid, currency text, kind text)"
               " CROSS JOIN LATERAL (SELECT"
               " count(*) FILTER (WHERE p.stood) AS posts,"
               " count(*) FILTER (WHERE NOT p.stood) AS overturned,"
               " coalesce(min(p.minor) FILTER (WHERE p.stood AND p.currency = q.currency), 0)"
               " AS low_minor,"
               " coalesce(max(p.minor) FILTER (WHERE p.stood AND p.currency = q.currency), 0)"
               " AS high_minor,"
               " count(*) FILTER (WHERE p.stood AND p.currency = q.currency) AS posts_in_currency,"
               " count(*) FILTER (WHERE p.stood AND p.kind = q.kind) AS posts_of_kind"
               " FROM (SELECT i.state IN ('delivered', 'linked', 'queued') AS stood, i.kind,"
               " v.currency, CASE WHEN i.kind IN ('refund', 'credit_note') THEN -v.amount_minor"
               " ELSE v.amount_minor END AS minor"
               " FROM (SELECT id FROM region.record WHERE workspace_id = $1"
               " AND counterparty_id = q.counterparty ORDER BY id DESC LIMIT 200) r"
               " JOIN region.item i ON i.workspace_id = $1 AND i.record_id = r.id"
               " AND i.state IN ('delivered', 'linked', 'queued', 'rejected')"
               " JOIN region.record_version v ON v.workspace_id = $1"
               " AND v.record_id = i.record_id AND v.version = i.version) p) u"
               " WHERE q.counterparty IS NOT NULL ORDER BY q.n");

enum err usage_find(const struct scope *scope, const struct usage_query *queries, size_t count,
                    struct rows *into)
{
    json_t *rows = rows_new(scope->arena);
    for (size_t i = 0; i < count; i++) {
        json_t *row = rows_add(rows);
        row_int(row, "n", (int64_t)i);
        row_uuid(scope->arena, row, "counterparty", queries[i].counterparty);
        row_text(row, "currency", queries[i].currency);
        row_text(row, "kind", queries[i].kind);
    }
    return db_all(scope, &usage_sql,
                  PARAMS(P(scope->workspace), P_JSON(json_write(scope->arena, rows))), &usage_shape,
                  into);
}

static const struct column duplicate_columns[] = {
    COLUMN(struct duplicate_found, query),
    COLUMN(struct duplicate_found, other),
};
static const struct shape duplicate_shape = SHAPE(struct duplicate_found, duplicate_columns);

/* Equal amounts of one counterparty are common; equal references, or the same or the next day
 * without a reference that tells them apart, are not. One arm each, with its own index: the equal
 * amounts of a subscription may be most of what there is. */
#define ALIKE_SQL(condition)                                                                       \
    " (SELECT r.id FROM region.record_version v JOIN region.record r ON r.workspace_id = $1"       \
    " AND r.id = v.record_id AND r.version = v.version WHERE v.workspace_id = $1"                  \
    " AND v.currency = q.currency AND v.amount_minor = q.minor AND r.id <> q.record"               \
    " AND r.kind = q.kind AND r.posting = 'post'"                                                  \
    " AND (r.counterparty_id = q.counterparty OR v.core_name = q.core)"                            \
    " AND " condition " ORDER BY r.id LIMIT 1)"

/* clang-format off */
STATEMENT_ROWS(duplicates_sql, WINDOW_ITEMS_MAX,
               "WITH q AS MATERIALIZED (SELECT *, date - 1 AS first_day, date + 1 AS last_day"
               " FROM jsonb_to_recordset($2) AS q(n int, record uuid, kind text,"
               " counterparty uuid, core text, currency text, minor bigint, date date,"
               " reference text))"
               " SELECT q.n AS query, o.id AS other FROM q CROSS JOIN LATERAL (SELECT a.id FROM ("
               ALIKE_SQL("v.reference_norm = q.reference")
               " UNION ALL"
               ALIKE_SQL("(q.reference IS NULL OR v.reference_norm IS NULL)"
                         " AND v.date BETWEEN q.first_day AND q.last_day")
               ") a ORDER BY a.id LIMIT 1) o ORDER BY q.n");
/* clang-format on */

enum err duplicates_find(const struct scope *scope, const struct duplicate_query *queries,
                         size_t count, struct rows *into)
{
    struct arena *arena = scope->arena;
    json_t *rows = rows_new(arena);
    for (size_t i = 0; i < count; i++) {
        const struct duplicate_query *query = &queries[i];
        if (query->amount.currency[0] == '\0' || query->date.days == DATE_NONE)
            continue;
        json_t *row = rows_add(rows);
        row_int(row, "n", (int64_t)i);
        row_uuid(arena, row, "record", query->record);
        row_text(row, "kind", query->kind);
        row_uuid(arena, row, "counterparty", query->counterparty);
        row_text(row, "core", query->core);
        row_money(row, "minor", "currency", query->amount);
        row_date(arena, row, "date", query->date);
        row_text(row, "reference", query->reference);
    }
    return db_all(scope, &duplicates_sql,
                  PARAMS(P(scope->workspace), P_JSON(json_write(arena, rows))), &duplicate_shape,
                  into);
}
