#include "store/admin_read.h"

static const struct column admin_lane_columns[] = {
    COLUMN(struct admin_lane, id),
    COLUMN(struct admin_lane, workspace),
    COLUMN(struct admin_lane, connection),
    COLUMN(struct admin_lane, ready),
    COLUMN(struct admin_lane, scheduled),
    COLUMN(struct admin_lane, running),
    COLUMN(struct admin_lane, running_max),
    COLUMN(struct admin_lane, next_at),
    COLUMN(struct admin_lane, oldest_due_at),
    COLUMN(struct admin_lane, order),
};
static const struct shape admin_lane_shape = SHAPE(struct admin_lane, admin_lane_columns);

/* There are as many lanes as connections, and only unfinished jobs in the table. */
STATEMENT(admin_lanes_sql,
          "SELECT l.id::bigint AS id,"
          " nullif(l.workspace_id, '00000000-0000-0000-0000-000000000000') AS workspace,"
          " nullif(l.connection_id, '00000000-0000-0000-0000-000000000000') AS connection,"
          " (SELECT count(*) FROM region.job j WHERE j.lane_id = l.id AND j.state = 0) AS ready,"
          " (SELECT count(*) FROM region.job j WHERE j.lane_id = l.id AND j.state = 2)"
          " AS scheduled, l.running, l.max_running AS running_max,"
          " nullif(l.next_at, 'infinity') AS next_at,"
          " (SELECT min(j.run_at) FROM region.job j WHERE j.lane_id = l.id AND j.state = 0)"
          " AS oldest_due_at, l.place AS \"order\""
          " FROM (SELECT *, CASE WHEN next_at = 'infinity' THEN 9223372036854775807"
          " ELSE (extract(epoch FROM next_at) * 1000000)::bigint END AS place"
          " FROM region.lane) l"
          " WHERE NOT $1 OR (l.place, l.id) > ($2, $3) ORDER BY l.place, l.id LIMIT $4");

enum err admin_lanes(const struct untenanted *at, const struct admin_page *page, struct rows *into)
{
    return db_all(&at->scope, &admin_lanes_sql,
                  PARAMS(P(page->after), P(page->after_order), P(page->after_id), P(page->rows)),
                  &admin_lane_shape, into);
}

static const struct column admin_worker_columns[] = {
    COLUMN(struct admin_worker, id),         COLUMN(struct admin_worker, host),
    COLUMN(struct admin_worker, alive),      COLUMN(struct admin_worker, running),
    COLUMN(struct admin_worker, started_at), COLUMN(struct admin_worker, lease_until),
};
static const struct shape admin_worker_shape = SHAPE(struct admin_worker, admin_worker_columns);

STATEMENT(admin_workers_sql,
          "SELECT w.id, w.host, w.lease_until >= clock_timestamp() AS alive,"
          " (SELECT count(*) FROM region.job j WHERE j.worker_id = w.id AND j.state = 1)"
          " AS running, w.started_at, w.lease_until FROM region.worker w"
          " WHERE (NOT $1 OR w.id < $2)"
          " AND w.lease_until > clock_timestamp() - make_interval(secs => $3::int)"
          " ORDER BY w.id DESC LIMIT $4");

enum err admin_workers(const struct untenanted *at, const struct admin_page *page,
                       struct rows *into)
{
    return db_all(&at->scope, &admin_workers_sql,
                  PARAMS(P(page->after), P(page->after_id), P(WORKERS_SHOWN_S), P(page->rows)),
                  &admin_worker_shape, into);
}

static const struct column admin_connection_columns[] = {
    COLUMN(struct admin_connection, id),
    COLUMN(struct admin_connection, workspace),
    COLUMN(struct admin_connection, provider),
    COLUMN(struct admin_connection, state),
    COLUMN(struct admin_connection, last_success_at),
    COLUMN(struct admin_connection, updated_at),
};
static const struct shape admin_connection_shape =
    SHAPE(struct admin_connection, admin_connection_columns);

STATEMENT(admin_connections_sql,
          "SELECT connection_id AS id, workspace_id AS workspace, provider, state,"
          " last_success_at, updated_at FROM region.connection_glance"
          " WHERE ($1::text IS NULL OR state = $1) AND ($2::uuid IS NULL OR connection_id > $2)"
          " ORDER BY connection_id LIMIT $3");

enum err admin_connections(const struct untenanted *at, const char *state,
                           const struct list_page *page, struct rows *into)
{
    return db_all(&at->scope, &admin_connections_sql,
                  PARAMS(P(state), P(page->after), P(page->rows)), &admin_connection_shape, into);
}
