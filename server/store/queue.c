#include "store/queue.h"

/* Putting in and ending jobs, by the application within the transaction of an outcome. The worker
 * loop's side is queue_worker.c, rate buckets are bucket.c. */

static const struct uuid no_connection;

STATEMENT(lane_find_sql, "SELECT id::bigint FROM region.lane"
                         " WHERE workspace_id = $1 AND connection_id = $2");
/* A new lane begins level with the least served lane that has work, not before all others. */
STATEMENT(lane_insert_sql,
          "INSERT INTO region.lane (workspace_id, connection_id, max_running, vtime)"
          " VALUES ($1, $2, $3,"
          " (SELECT coalesce(min(vtime), 0) FROM region.lane WHERE next_at < 'infinity'))"
          " ON CONFLICT ON CONSTRAINT lane_key DO NOTHING");

static enum err lane_ensure(const struct scope *scope, struct uuid connection, int64_t *into)
{
    const struct params *key = PARAMS(P_UUID_VALUE(scope->workspace), P_UUID_VALUE(connection));
    int running_max =
        uuid_equal(connection, no_connection) ? LANE_RUNNING_MAX_OWN : LANE_RUNNING_MAX;
    enum err err = db_int(scope, &lane_find_sql, key, into);
    if (err != ERR_NOT_FOUND)
        return err;
    arena_failure_clear(scope->arena);
    TRY(db_exec(scope, &lane_insert_sql,
                PARAMS(P_UUID_VALUE(scope->workspace), P_UUID_VALUE(connection), P(running_max)),
                NULL));
    return db_int(scope, &lane_find_sql, key, into);
}

/* rerun_at of a running job, run_at of a waiting one: the earlier time wins. */
STATEMENT(job_insert_sql,
          "INSERT INTO region.job (lane_id, state, run_at, sort_at, priority, max_attempts,"
          " max_run_s, kind, subject_id, dedupe_key, payload, request_id)"
          " VALUES ($1, CASE WHEN $2::timestamptz <= $3::timestamptz THEN 0 ELSE 2 END, $2,"
          " $2 + $4 * interval '30 seconds', $4, $5, $6, $7, $8, $9, $10, $11)"
          " ON CONFLICT (lane_id, dedupe_key) WHERE dedupe_key IS NOT NULL DO UPDATE SET"
          " rerun_at = CASE WHEN job.state = 1 THEN least(job.rerun_at, excluded.run_at) END,"
          " run_at = CASE WHEN job.state = 1 THEN job.run_at"
          "  ELSE least(job.run_at, excluded.run_at) END,"
          " sort_at = CASE WHEN job.state = 1 THEN job.sort_at"
          "  ELSE least(job.sort_at, excluded.sort_at) END,"
          " state = CASE WHEN job.state = 2 THEN excluded.state ELSE job.state END"
          " WHERE (job.state = 1 AND (job.rerun_at IS NULL OR job.rerun_at > excluded.run_at))"
          " OR (job.state <> 1 AND job.run_at > excluded.run_at)");
/* A lane that slept joins again level with the others: its idle time earns no priority. */
STATEMENT(lane_wake_sql,
          "UPDATE region.lane SET next_at = $2, vtime = greatest(vtime,"
          " (SELECT coalesce(min(vtime), 0) FROM region.lane WHERE next_at < 'infinity'))"
          " WHERE id = $1 AND next_at > $2");

static enum err enqueue(const struct scope *scope, void *arg)
{
    const struct job_order *order = arg;
    struct instant now = db_now(scope);
    struct instant run_at = order->run_at.us ? order->run_at : now;
    int64_t lane;
    assert(!order->dedupe || strlen(order->dedupe) <= DEDUPE_BYTES_MAX);
    TRY(lane_ensure(scope, order->connection, &lane));
    TRY(db_exec(scope, &job_insert_sql,
                PARAMS(P(lane), P(run_at), P(now), P(order->priority),
                       P(order->max_attempts ? order->max_attempts : JOB_ATTEMPTS_MAX),
                       P(order->max_run_s ? order->max_run_s : JOB_RUN_S_MAX), P((int)order->kind),
                       P(order->subject), P(order->dedupe), P(order->payload),
                       P(scope->request_id)),
                NULL));
    if (run_at.us > now.us)
        return OK; /* promoted, and its lane woken, when it is due */
    TRY(db_exec(scope, &lane_wake_sql, PARAMS(P(lane), P(now)), NULL));
    db_wake_after_commit(scope);
    return OK;
}

enum err queue_enqueue(const struct scope *scope, const struct job_order *order)
{
    struct job_order copy = *order;
    return db_transaction(scope, enqueue, &copy);
}

static enum err lease_lost(const struct scope *scope)
{
    return arena_fail(scope->arena, ERR_LEASE_LOST, NULL, "%s", err_sentence(ERR_LEASE_LOST));
}

/* Each of these answers no row when the worker does not hold the job any more. */
STATEMENT(job_complete_sql,
          "WITH done AS (DELETE FROM region.job WHERE id = $1 AND worker_id = $2"
          " AND rerun_at IS NULL RETURNING lane_id, false AS ready),"
          " again AS (UPDATE region.job SET state = CASE WHEN rerun_at <= $3 THEN 0 ELSE 2 END,"
          "  run_at = rerun_at, sort_at = rerun_at + priority * interval '30 seconds',"
          "  rerun_at = NULL, attempt = 0, worker_id = NULL, hard_deadline = NULL"
          "  WHERE id = $1 AND worker_id = $2 AND rerun_at IS NOT NULL"
          "  RETURNING lane_id, state = 0 AS ready),"
          " ended AS (SELECT * FROM done UNION ALL SELECT * FROM again)"
          " UPDATE region.lane SET running = greatest(running - 1, 0),"
          " next_at = CASE WHEN ended.ready THEN least(next_at, $3) ELSE next_at END"
          " FROM ended WHERE lane.id = ended.lane_id");

enum err queue_complete(const struct scope *scope, const struct claimed_job *job,
                        struct instant now)
{
    int64_t ended;
    TRY(db_exec(scope, &job_complete_sql, PARAMS(P(job->id), P(job->worker), P(now)), &ended));
    db_wake_after_commit(scope);
    return ended == 1 ? OK : lease_lost(scope);
}

/* $4: what attempt becomes, relative to what it is, or NULL for anew. */
STATEMENT(job_return_sql,
          "WITH back AS (UPDATE region.job SET"
          "  state = CASE WHEN least(rerun_at, $3) <= $5 THEN 0 ELSE 2 END,"
          "  run_at = least(rerun_at, $3),"
          "  sort_at = least(rerun_at, $3) + priority * interval '30 seconds', rerun_at = NULL,"
          "  attempt = coalesce(attempt + $4, 0), worker_id = NULL, hard_deadline = NULL"
          "  WHERE id = $1 AND worker_id = $2 RETURNING lane_id, state = 0 AS ready)"
          " UPDATE region.lane SET running = greatest(running - 1, 0),"
          " next_at = CASE WHEN back.ready THEN least(next_at, $5) ELSE next_at END"
          " FROM back WHERE lane.id = back.lane_id");

static enum err job_return(const struct scope *scope, const struct claimed_job *job,
                           struct instant run_at, struct param attempt, struct instant now)
{
    int64_t ended;
    TRY(db_exec(scope, &job_return_sql,
                PARAMS(P(job->id), P(job->worker), P(run_at), attempt, P(now)), &ended));
    db_wake_after_commit(scope);
    return ended == 1 ? OK : lease_lost(scope);
}

enum err queue_again(const struct scope *scope, const struct claimed_job *job,
                     struct instant run_at, struct instant now)
{
    return job_return(scope, job, run_at, P_INT_IF(false, 0), now);
}

STATEMENT(job_fail_sql,
          "WITH gone AS (DELETE FROM region.job WHERE id = $1 AND worker_id = $2"
          " AND rerun_at IS NULL RETURNING *),"
          " kept AS (INSERT INTO region.job_failed (id, kind, workspace_id, connection_id,"
          "  subject_id, payload, attempts, reason, failed_at)"
          "  SELECT gone.id, gone.kind, lane.workspace_id, lane.connection_id, gone.subject_id,"
          "  gone.payload, gone.attempt, $3, $4 FROM gone JOIN region.lane ON lane.id = lane_id)"
          " UPDATE region.lane SET running = greatest(running - 1, 0) FROM gone"
          " WHERE lane.id = gone.lane_id");

enum err queue_retry(const struct scope *scope, const struct claimed_job *job,
                     const struct job_retry *retry, struct instant now, bool *exhausted)
{
    *exhausted = retry->counts && job->attempt >= job->max_attempts;
    if (!*exhausted)
        return job_return(scope, job, retry->run_at, P(retry->counts ? 0 : -1), now);
    int64_t ended;
    TRY(db_exec(scope, &job_fail_sql, PARAMS(P(job->id), P(job->worker), P(retry->reason), P(now)),
                &ended));
    if (ended == 1)
        return OK;
    *exhausted = false; /* somebody asked for it again while it ran: it begins anew */
    return job_return(scope, job, retry->run_at, P_INT_IF(false, 0), now);
}

STATEMENT(lane_throttle_sql, "UPDATE region.lane SET throttled_until = greatest(throttled_until,"
                             " clock_timestamp() + $3 * interval '1 second')"
                             " WHERE workspace_id = $1 AND connection_id = $2");

enum err queue_throttle(const struct scope *scope, struct uuid connection, int64_t seconds)
{
    return db_exec(scope, &lane_throttle_sql,
                   PARAMS(P(scope->workspace), P_UUID_VALUE(connection), P(seconds)), NULL);
}

STATEMENT(lane_park_sql, "UPDATE region.lane SET parked = $2,"
                         " next_at = CASE WHEN $2 THEN next_at ELSE $3 END WHERE id = $1");

enum err queue_park(const struct scope *scope, struct uuid connection, bool parked)
{
    int64_t lane;
    TRY(lane_ensure(scope, connection, &lane));
    db_wake_after_commit(scope);
    return db_exec(scope, &lane_park_sql, PARAMS(P(lane), P(parked), P(db_now(scope))), NULL);
}
