#include "store/queue.h"

/* What admins and metrics see of the queue: counted on indexes of the hot table, which holds only
 * unfinished jobs. */

static const struct column lane_columns[] = {
    COLUMN(struct lane_view, id),          COLUMN(struct lane_view, workspace),
    COLUMN(struct lane_view, connection),  COLUMN(struct lane_view, ready),
    COLUMN(struct lane_view, scheduled),   COLUMN(struct lane_view, running),
    COLUMN(struct lane_view, running_max), COLUMN(struct lane_view, parked),
    COLUMN(struct lane_view, next_at),     COLUMN(struct lane_view, oldest_due_at)};
static const struct shape lane_shape = SHAPE(struct lane_view, lane_columns);

STATEMENT(lane_list_sql,
          "SELECT id, workspace_id AS workspace, connection_id AS connection,"
          " (SELECT count(*) FROM region.job WHERE lane_id = lane.id AND state = 0) AS ready,"
          " (SELECT count(*) FROM region.job WHERE lane_id = lane.id AND state = 2) AS scheduled,"
          " running, max_running AS running_max, parked,"
          " nullif(next_at, 'infinity') AS next_at,"
          " (SELECT run_at FROM region.job WHERE lane_id = lane.id AND state = 0"
          "  ORDER BY sort_at, id LIMIT 1) AS oldest_due_at"
          " FROM region.lane WHERE id > $1 ORDER BY id LIMIT $2");

enum err queue_lanes(const struct untenanted *at, int64_t after_id, int64_t limit,
                     struct rows *into)
{
    return db_all(&at->scope, &lane_list_sql, PARAMS(P(after_id), P(limit)), &lane_shape, into);
}

static const struct column worker_columns[] = {
    COLUMN(struct worker_view, id),         COLUMN(struct worker_view, host),
    COLUMN(struct worker_view, alive),      COLUMN(struct worker_view, running),
    COLUMN(struct worker_view, started_at), COLUMN(struct worker_view, lease_until)};
static const struct shape worker_shape = SHAPE(struct worker_view, worker_columns);

STATEMENT(worker_list_sql,
          "SELECT id, host, lease_until >= clock_timestamp() AS alive,"
          " (SELECT count(*) FROM region.job WHERE worker_id = worker.id AND state = 1) AS running,"
          " started_at, lease_until FROM region.worker WHERE id > $1 ORDER BY id LIMIT $2");

enum err queue_workers(const struct untenanted *at, int64_t after_id, int64_t limit,
                       struct rows *into)
{
    return db_all(&at->scope, &worker_list_sql, PARAMS(P(after_id), P(limit)), &worker_shape, into);
}

static const struct column depth_columns[] = {
    COLUMN(struct queue_depth, ready), COLUMN(struct queue_depth, scheduled),
    COLUMN(struct queue_depth, running), COLUMN(struct queue_depth, failed)};
static const struct shape depth_shape = SHAPE(struct queue_depth, depth_columns);

STATEMENT(queue_depth_sql, "SELECT count(*) FILTER (WHERE state = 0) AS ready,"
                           " count(*) FILTER (WHERE state = 2) AS scheduled,"
                           " count(*) FILTER (WHERE state = 1) AS running,"
                           " (SELECT count(*) FROM region.job_failed) AS failed FROM region.job");

enum err queue_depth(const struct untenanted *at, struct queue_depth *into)
{
    return db_one(&at->scope, &queue_depth_sql, NO_PARAMS, &depth_shape, into);
}
