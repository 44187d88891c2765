/* Records that were stored before an integration existed, or while it was paused, become its items,
 * as if their pages had come now: a page of its own says so per stream, so that the proof counts
 * them. */
#include "base/text.h"
#include "store/collect_rows.h"

enum {
    BACKFILL_BATCH = 500,
    BACKFILL_BATCHES_MAX = 100, /* of one stream, in one transaction */
};

struct stored_row {
    struct uuid record;
    int version;
    const char *kind;
    const char *posting;
    const char *quarantine;
};
static const struct column stored_columns[] = {
    COLUMN(struct stored_row, record),     COLUMN(struct stored_row, version),
    COLUMN(struct stored_row, kind),       COLUMN(struct stored_row, posting),
    COLUMN(struct stored_row, quarantine),
};
static const struct shape stored_shape = SHAPE(struct stored_row, stored_columns);

/* Within the reach, or about what the integration has an earlier version of already. */
STATEMENT(backfill_rows_sql,
          "SELECT r.id AS record, r.version, r.kind, r.posting, r.quarantine"
          " FROM region.record r JOIN region.record_version v ON v.workspace_id = $1"
          " AND v.record_id = r.id AND v.version = r.version"
          " WHERE r.workspace_id = $1 AND r.stream_id = $2"
          " AND (coalesce(v.occurred_at, r.first_seen_at) >= $3 OR EXISTS (SELECT"
          " FROM region.item e WHERE e.workspace_id = $1 AND e.integration_id = $6"
          " AND e.record_id = r.id))"
          " AND NOT EXISTS (SELECT FROM region.item i WHERE i.workspace_id = $1"
          " AND i.integration_id = $6 AND i.record_id = r.id AND i.version = r.version)"
          " AND ($4::uuid IS NULL OR r.id > $4) ORDER BY r.id LIMIT $5");

struct stream_row {
    struct uuid id;
};
static const struct column stream_columns[] = {COLUMN(struct stream_row, id)};
static const struct shape stream_shape = SHAPE(struct stream_row, stream_columns);

STATEMENT(backfill_streams_sql,
          "SELECT s.id FROM region.integration i"
          " JOIN region.connection c ON c.workspace_id = $1 AND c.id = i.source_connection_id"
          " JOIN region.stream s ON s.workspace_id = $1 AND s.provider = c.provider"
          " AND s.account = c.account AND s.livemode = c.livemode AND s.purpose = 'collect'"
          " WHERE i.workspace_id = $1 AND i.id = $2 ORDER BY s.id");

struct backfilling {
    struct uuid integration;
    struct instant reach;
    int64_t live_window_s;
    int64_t items;
};

/* What waits of an earlier version gives way to a later one. */
static enum row_change change_of(const struct stored_row *row)
{
    if (row->quarantine)
        return ROW_QUARANTINED;
    return row->version > 1 ? ROW_CHANGED : ROW_NEW;
}

static void plan_rows(struct arena *arena, const struct stored_row *rows, size_t count,
                      struct row_plan *plans)
{
    for (size_t i = 0; i < count; i++) {
        struct collected_record *record = arena_alloc(arena, sizeof *record);
        record->kind = rows[i].kind;
        record->posting = rows[i].posting;
        record->quarantine = rows[i].quarantine;
        plans[i] = (struct row_plan){
            .record = record,
            .change = change_of(&rows[i]),
            .id = rows[i].record,
            .version = rows[i].version,
        };
    }
}

static enum err store_batch(const struct scope *scope, struct backfilling *backfilling,
                            const struct collecting_integration *integration,
                            const struct rows *batch, struct page_counts *counts)
{
    struct row_plan *plans = arena_array(scope->arena, batch->count, sizeof *plans);
    struct item_order order = {
        .integration = integration,
        .plans = plans,
        .count = batch->count,
        .live_window_s = backfilling->live_window_s,
        .now = counts->now,
    };
    plan_rows(scope->arena, batch->at, batch->count, plans);
    for (size_t i = 0; i < batch->count; i++)
        *(plans[i].change == ROW_QUARANTINED ? &counts->quarantined : &counts->inserted) += 1;
    counts->rows_received += (int64_t)batch->count;
    TRY(items_insert(scope, &order));
    backfilling->items += order.inserted;
    return OK;
}

static const struct collecting_integration *find(const struct rows *rows, struct uuid id)
{
    const struct collecting_integration *integrations = rows->at;
    for (size_t i = 0; i < rows->count; i++) {
        if (uuid_equal(integrations[i].id, id))
            return &integrations[i];
    }
    return NULL;
}

/* ---- what waited for its source, which has made up its mind meanwhile ---- */

#define ASLEEP_SQL                                                                                 \
    " FROM region.record r WHERE i.workspace_id = $1 AND i.integration_id = $2"                    \
    " AND i.state = 'waiting' AND i.window_id IS NULL AND r.workspace_id = $1"                     \
    " AND r.id = i.record_id AND r.stream_id = $3 AND r.version = i.version"
STATEMENT(backfill_asleep_sql,
          "SELECT count(*) FROM region.item i CROSS JOIN LATERAL (SELECT" ASLEEP_SQL
          " AND r.posting IN ('post', 'correct')) x");
STATEMENT(backfill_wake_sql, "UPDATE region.item i SET window_id = $4" ASLEEP_SQL
                             " AND r.posting IN ('post', 'correct')");
STATEMENT(backfill_ignore_sql,
          "UPDATE region.item i SET state = 'ignored', row_version = i.row_version + 1,"
          " state_changed_at = $4" ASLEEP_SQL " AND r.posting = 'ignore'");

static enum err wake(const struct scope *scope, const struct backfilling *backfilling,
                     const struct collecting_integration *integration, struct uuid stream)
{
    struct item_order order = {.integration = integration,
                               .live_window_s = backfilling->live_window_s,
                               .now = db_now(scope)};
    struct uuid window;
    int64_t asleep;
    TRY(db_exec(scope, &backfill_ignore_sql,
                PARAMS(P(scope->workspace), P(integration->id), P(stream), P(order.now)), NULL));
    TRY(db_int(scope, &backfill_asleep_sql,
               PARAMS(P(scope->workspace), P(integration->id), P(stream)), &asleep));
    if (asleep == 0)
        return OK;
    TRY(window_collecting(scope, &order, &window));
    return db_exec(scope, &backfill_wake_sql,
                   PARAMS(P(scope->workspace), P(integration->id), P(stream), P(window)), NULL);
}

static enum err backfill_stream(const struct scope *scope, struct backfilling *backfilling,
                                struct uuid stream)
{
    struct rows integrations, batch = {.count = BACKFILL_BATCH};
    struct page_counts counts = {.page = db_new_id(scope), .stream = stream, .now = db_now(scope)};
    struct uuid after = {{0}};
    TRY(integrations_of_stream(scope, stream, &integrations));
    const struct collecting_integration *integration =
        find(&integrations, backfilling->integration);
    if (!integration)
        return OK;
    TRY(wake(scope, backfilling, integration, stream));
    for (int n = 0; batch.count == BACKFILL_BATCH; n++) {
        if (n == BACKFILL_BATCHES_MAX)
            return arena_fail(scope->arena, ERR_FIELD_INVALID, "settings.backfill_days",
                              "More than %d stored records lie within it; reach back less far.",
                              BACKFILL_BATCH * BACKFILL_BATCHES_MAX);
        TRY(db_all(scope, &backfill_rows_sql,
                   PARAMS(P(scope->workspace), P(stream), P(backfilling->reach), P(after),
                          P((int)BACKFILL_BATCH), P(backfilling->integration)),
                   &stored_shape, &batch));
        if (batch.count == 0)
            break;
        after = ((const struct stored_row *)batch.at)[batch.count - 1].record;
        TRY(store_batch(scope, backfilling, integration, &batch, &counts));
    }
    return counts.rows_received > 0 ? page_counts_insert(scope, &counts, integration, 1) : OK;
}

static enum err backfill(const struct scope *scope, void *arg)
{
    struct backfilling *backfilling = arg;
    struct rows rows;
    TRY(db_all(scope, &backfill_streams_sql,
               PARAMS(P(scope->workspace), P(backfilling->integration)), &stream_shape, &rows));
    const struct stream_row *streams = rows.at;
    struct rows locked;
    backfilling->items = 0;
    if (rows.count > 0) /* a page that is being stored knows of the integration, or is stored now */
        TRY(streams_lock(scope, streams[0].id, &locked));
    for (size_t i = 0; i < rows.count; i++)
        TRY(backfill_stream(scope, backfilling, streams[i].id));
    return OK;
}

enum err collect_backfill(const struct scope *scope, struct uuid integration, struct instant reach,
                          int64_t live_window_s, int64_t *items)
{
    struct backfilling backfilling = {integration, reach, live_window_s, 0};
    TRY(db_transaction(scope, backfill, &backfilling));
    *items = backfilling.items;
    return OK;
}
