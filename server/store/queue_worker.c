#include "store/queue.h"

/* The worker loop's side of the queue, by the queue's role. */

STATEMENT(worker_insert_sql,
          "INSERT INTO region.worker (host, process_id, lease_until)"
          " VALUES ($1, $2, clock_timestamp() + $3 * interval '1 second') RETURNING id");

enum err queue_worker_start(const struct untenanted *queue, const struct worker_start *start,
                            int64_t *worker)
{
    return db_int(&queue->scope, &worker_insert_sql,
                  PARAMS(P(start->host), P(start->process_id),
                         P(start->lease_s ? start->lease_s : WORKER_LEASE_S)),
                  worker);
}

STATEMENT(worker_beat_sql,
          "UPDATE region.worker SET lease_until = clock_timestamp() + $2 * interval '1 second'"
          " WHERE id = $1");

enum err queue_heartbeat(const struct untenanted *queue, int64_t worker, int lease_s)
{
    int64_t beaten;
    TRY(db_exec(&queue->scope, &worker_beat_sql,
                PARAMS(P(worker), P(lease_s ? lease_s : WORKER_LEASE_S)), &beaten));
    if (beaten == 1)
        return OK;
    return arena_fail(queue->scope.arena, ERR_LEASE_LOST, NULL, "Worker %" PRId64 " was given up.",
                      worker);
}

static const struct column claimed_columns[] = {
    COLUMN(struct claimed_job, id),           COLUMN(struct claimed_job, worker),
    COLUMN(struct claimed_job, lane),         COLUMN(struct claimed_job, kind),
    COLUMN(struct claimed_job, workspace),    COLUMN(struct claimed_job, connection),
    COLUMN(struct claimed_job, subject),      COLUMN(struct claimed_job, attempt),
    COLUMN(struct claimed_job, max_attempts), COLUMN(struct claimed_job, payload),
    COLUMN(struct claimed_job, request_id),   COLUMN(struct claimed_job, hard_deadline),
    COLUMN(struct claimed_job, run_at),       COLUMN(struct claimed_job, sort_at)};
static const struct shape claimed_shape = SHAPE(struct claimed_job, claimed_columns);

/* l0: the least served lanes that are due, each held by one claimer at a time. l: the batch split
 * over them before any job is read, so that no lane looks empty because it was cut off. A lane that
 * had nothing, looked at without a floor, sleeps until an enqueue, a promotion or the sweep wakes
 * it. */
STATEMENT_ROWS(
    job_claim_sql, JOBS_PER_CLAIM_MAX,
    "WITH l0 AS MATERIALIZED (SELECT id, max_running - running AS room, rate_per_s,"
    "  least(burst, tokens + rate_per_s * extract(epoch FROM clock_timestamp()"
    "   - coalesce(refilled_at, clock_timestamp() - interval '1 day'))::real) AS available"
    "  FROM region.lane WHERE next_at <= $3 AND NOT parked AND running < max_running"
    "  AND (throttled_until IS NULL OR throttled_until <= clock_timestamp())"
    "  ORDER BY vtime, id LIMIT least($2, $4) FOR NO KEY UPDATE SKIP LOCKED),"
    " l AS MATERIALIZED (SELECT id, rate_per_s, available, least(room,"
    "  floor(coalesce(available, room))::int,"
    "  greatest(($2 / (count(*) OVER ()))::int, 1)) AS k, known.floor FROM l0 LEFT JOIN"
    "  unnest($5::bigint[], $6::timestamptz[]) AS known (lane, floor) ON known.lane = l0.id),"
    " c AS MATERIALIZED (SELECT j.id, l.id AS lane FROM l CROSS JOIN LATERAL"
    "  (SELECT id FROM region.job WHERE lane_id = l.id AND state = 0"
    "   AND sort_at >= coalesce(l.floor, '-infinity')"
    "   ORDER BY sort_at, id LIMIT l.k FOR UPDATE SKIP LOCKED) AS j),"
    " n AS (SELECT lane, count(*)::int AS n FROM c GROUP BY lane),"
    " u AS (UPDATE region.lane SET running = running + coalesce(n.n, 0),"
    "  vtime = vtime + coalesce(n.n, 0),"
    "  tokens = CASE WHEN l.available IS NULL THEN tokens ELSE l.available - coalesce(n.n, 0) END,"
    "  refilled_at = CASE WHEN l.available IS NULL THEN refilled_at ELSE clock_timestamp() END,"
    "  next_at = CASE WHEN l.k > 0 AND n.n IS NULL AND l.floor IS NULL THEN 'infinity'"
    "   WHEN l.available - coalesce(n.n, 0) < 1 THEN $3"
    "    + ((1 - (l.available - coalesce(n.n, 0))) / l.rate_per_s) * interval '1 second'"
    "   ELSE next_at END"
    "  FROM l LEFT JOIN n ON n.lane = l.id WHERE lane.id = l.id)"
    " UPDATE region.job SET state = 1, attempt = attempt + 1, worker_id = $1,"
    "  hard_deadline = clock_timestamp() + max_run_s * interval '1 second'"
    " FROM region.lane WHERE job.id = ANY (ARRAY(SELECT id FROM c)) AND lane.id = job.lane_id"
    " RETURNING job.id, worker_id AS worker, lane_id AS lane, kind, workspace_id AS workspace,"
    "  connection_id AS connection, subject_id AS subject, attempt, max_attempts, payload,"
    "  request_id, hard_deadline, run_at, sort_at");

static int by_time(const void *a, const void *b)
{
    const struct claimed_job *left = a;
    const struct claimed_job *right = b;
    if (left->run_at.us != right->run_at.us)
        return left->run_at.us < right->run_at.us ? -1 : 1;
    return left->id < right->id ? -1 : left->id > right->id;
}

static void forget_floors(struct claimer *claimer)
{
    claimer->floor_count = 0;
    claimer->jobs = 0;
    claimer->since_us = monotonic_us();
}

static bool floors_are_old(const struct claimer *claimer)
{
    return claimer->jobs >= CLAIM_FLOORS_JOBS ||
           monotonic_us() - claimer->since_us >= (int64_t)CLAIM_FLOORS_MS * 1000;
}

static struct instant *floor_of(struct claimer *claimer, int lane)
{
    for (size_t i = 0; i < claimer->floor_count; i++) {
        if (claimer->lanes[i] == lane)
            return &claimer->floors[i];
    }
    if (claimer->floor_count == CLAIM_FLOORS_MAX)
        return NULL; /* scanned from its beginning */
    claimer->lanes[claimer->floor_count] = lane;
    claimer->floors[claimer->floor_count] = (struct instant){0};
    return &claimer->floors[claimer->floor_count++];
}

static void remember_floors(struct claimer *claimer, const struct claimed_job *jobs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct instant *floor = floor_of(claimer, jobs[i].lane);
        if (floor && jobs[i].sort_at.us > floor->us)
            *floor = jobs[i].sort_at;
    }
    claimer->jobs += count;
}

static enum err claim(const struct untenanted *queue, const struct claimer *claimer, int most,
                      struct instant now, struct rows *into)
{
    struct int_list lanes = {claimer->lanes, claimer->floor_count};
    struct instant_list floors = {claimer->floors, claimer->floor_count};
    return db_all(
        &queue->scope, &job_claim_sql,
        PARAMS(P(claimer->worker), P(most), P(now), P((int)LANES_PER_CLAIM), P(lanes), P(floors)),
        &claimed_shape, into);
}

enum err queue_claim(const struct untenanted *queue, struct claimer *claimer, int slots,
                     struct instant now, struct rows *into)
{
    int most = slots < JOBS_PER_CLAIM_MAX ? slots : JOBS_PER_CLAIM_MAX;
    *into = (struct rows){0};
    if (most <= 0)
        return OK;
    if (floors_are_old(claimer))
        forget_floors(claimer);
    TRY(claim(queue, claimer, most, now, into));
    if (into->count == 0 && claimer->floor_count > 0) {
        forget_floors(claimer);
        TRY(claim(queue, claimer, most, now, into));
    }
    if (into->count < (size_t)most)
        forget_floors(claimer);
    else
        remember_floors(claimer, into->at, into->count);
    if (into->count > 1)
        qsort(into->at, into->count, sizeof(struct claimed_job), by_time);
    return OK;
}

/* Jobs that somebody lost: $1 says whose, NULL for all that nobody holds rightly. */
STATEMENT(job_return_lost_sql,
          "WITH lost AS MATERIALIZED (SELECT id FROM region.job AS j WHERE state = 1"
          "  AND (worker_id = $1 OR ($1::bigint IS NULL AND (hard_deadline < clock_timestamp()"
          "   OR NOT EXISTS (SELECT FROM region.worker WHERE worker.id = j.worker_id))))"
          "  ORDER BY id LIMIT 10000 FOR UPDATE SKIP LOCKED),"
          " failed AS (DELETE FROM region.job WHERE id = ANY (ARRAY(SELECT id FROM lost))"
          "  AND attempt >= max_attempts RETURNING *),"
          " kept AS (INSERT INTO region.job_failed (id, kind, workspace_id, connection_id,"
          "  subject_id, payload, attempts, reason, failed_at)"
          "  SELECT failed.id, failed.kind, lane.workspace_id, lane.connection_id,"
          "  failed.subject_id, failed.payload, failed.attempt, 'worker_lost', $2"
          "  FROM failed JOIN region.lane ON lane.id = failed.lane_id),"
          " back AS (UPDATE region.job SET state = 0, worker_id = NULL, hard_deadline = NULL,"
          "  rerun_at = NULL WHERE id = ANY (ARRAY(SELECT id FROM lost))"
          "  AND attempt < max_attempts RETURNING lane_id),"
          " ended AS (SELECT lane_id FROM back UNION ALL SELECT lane_id FROM failed),"
          " n AS (SELECT lane_id, count(*)::int AS n FROM ended GROUP BY lane_id),"
          " woken AS (UPDATE region.lane SET running = greatest(running - n.n, 0),"
          "  next_at = least(next_at, $2) FROM n WHERE lane.id = n.lane_id)"
          " SELECT count(*) FROM ended");
STATEMENT(worker_expire_sql, "DELETE FROM region.worker WHERE lease_until < clock_timestamp()");
STATEMENT(worker_delete_sql, "DELETE FROM region.worker WHERE id = $1");
STATEMENT(bucket_lease_expire_sql,
          "DELETE FROM region.bucket_lease WHERE expires_at < clock_timestamp()"
          " - interval '1 minute'");
STATEMENT(reaper_lock_sql,
          "SELECT pg_try_advisory_xact_lock(hashtext('sluice.queue.reap'))::int::bigint");

struct reap {
    int64_t worker; /* 0: all that are lost */
    struct instant now;
    int64_t returned;
};

static enum err reap(const struct scope *scope, void *arg)
{
    struct reap *self = arg;
    int64_t mine;
    self->returned = 0;
    TRY(db_int(scope, &reaper_lock_sql, NO_PARAMS, &mine));
    if (!mine)
        return OK;
    TRY(db_exec(scope, &worker_expire_sql, NO_PARAMS, NULL));
    TRY(db_exec(scope, &bucket_lease_expire_sql, NO_PARAMS, NULL));
    return db_int(scope, &job_return_lost_sql, PARAMS(P_INT_IF(false, 0), P(self->now)),
                  &self->returned);
}

enum err queue_reap(const struct untenanted *queue, struct instant now, int64_t *returned)
{
    struct reap self = {.now = now};
    TRY(db_transaction(&queue->scope, reap, &self));
    *returned = self.returned;
    return OK;
}

static enum err stop(const struct scope *scope, void *arg)
{
    struct reap *self = arg;
    TRY(db_exec(scope, &worker_delete_sql, PARAMS(P(self->worker)), NULL));
    return db_int(scope, &job_return_lost_sql, PARAMS(P(self->worker), P(self->now)),
                  &self->returned);
}

enum err queue_worker_stop(const struct untenanted *queue, int64_t worker, struct instant now)
{
    struct reap self = {.worker = worker, .now = now};
    return db_transaction(&queue->scope, stop, &self);
}

struct promotion {
    int64_t promoted;
    struct instant next;
};
static const struct column promotion_columns[] = {COLUMN(struct promotion, promoted),
                                                  COLUMN(struct promotion, next)};
static const struct shape promotion_shape = SHAPE(struct promotion, promotion_columns);

STATEMENT(job_promote_sql,
          "WITH due AS (UPDATE region.job SET state = 0 WHERE id = ANY (ARRAY("
          "  SELECT id FROM region.job WHERE state = 2 AND run_at <= $1 ORDER BY run_at, id"
          "  LIMIT $2 FOR UPDATE SKIP LOCKED)) RETURNING lane_id),"
          " woken AS (UPDATE region.lane SET next_at = least(next_at, $1), vtime ="
          "  CASE WHEN next_at < 'infinity' THEN vtime ELSE greatest(vtime, (SELECT"
          "   coalesce(min(vtime), 0) FROM region.lane WHERE next_at < 'infinity')) END"
          "  WHERE id IN (SELECT lane_id FROM due) AND next_at > $1)"
          " SELECT (SELECT count(*) FROM due) AS promoted,"
          " (SELECT min(run_at) FROM region.job WHERE state = 2 AND run_at > $1) AS next");

enum err queue_promote(const struct untenanted *queue, struct instant now, int64_t *promoted,
                       struct instant *next)
{
    struct promotion promotion;
    TRY(db_one(&queue->scope, &job_promote_sql, PARAMS(P(now), P((int)PROMOTE_MAX)),
               &promotion_shape, &promotion));
    *promoted = promotion.promoted;
    *next = promotion.promoted == PROMOTE_MAX ? now : promotion.next;
    return OK;
}

/* The jobs are the truth, counters and gates a cache. Distinct lanes by a loose index scan. */
STATEMENT(lane_sweep_sql,
          "WITH RECURSIVE ready AS ((SELECT lane_id FROM region.job WHERE state = 0"
          "  ORDER BY lane_id LIMIT 1) UNION ALL SELECT (SELECT j.lane_id FROM region.job AS j"
          "  WHERE j.state = 0 AND j.lane_id > ready.lane_id ORDER BY j.lane_id LIMIT 1)"
          "  FROM ready WHERE ready.lane_id IS NOT NULL),"
          " woken AS (UPDATE region.lane SET next_at = $1 WHERE next_at = 'infinity'"
          "  AND id IN (SELECT lane_id FROM ready) RETURNING id)"
          " SELECT count(*) FROM woken");
/* Locked first, counted by a later statement: a claim in between would be miscounted. */
STATEMENT_ROWS(lane_lock_running_sql, 10000,
               "SELECT array_agg(id::bigint) AS ids FROM (SELECT id FROM region.lane"
               " WHERE running > 0 ORDER BY id FOR NO KEY UPDATE SKIP LOCKED) AS held");
STATEMENT(lane_recount_sql,
          "UPDATE region.lane SET running = truth.running FROM (SELECT lane_id,"
          " (SELECT count(*)::int FROM region.job WHERE job.lane_id = held.lane_id AND state = 1)"
          " AS running FROM unnest($1::bigint[]) AS held (lane_id)) AS truth"
          " WHERE lane.id = truth.lane_id AND lane.running <> truth.running");

struct lane_ids {
    struct int_list ids;
};
static const struct column lane_ids_columns[] = {COLUMN(struct lane_ids, ids)};
static const struct shape lane_ids_shape = SHAPE(struct lane_ids, lane_ids_columns);

static enum err recount(const struct scope *scope, void *arg)
{
    struct lane_ids lanes;
    (void)arg;
    TRY(db_one(scope, &lane_lock_running_sql, NO_PARAMS, &lane_ids_shape, &lanes));
    if (lanes.ids.n == 0)
        return OK;
    return db_exec(scope, &lane_recount_sql, PARAMS(P(lanes.ids)), NULL);
}

enum err queue_sweep(const struct untenanted *queue, struct instant now, int64_t *woken)
{
    TRY(db_int(&queue->scope, &lane_sweep_sql, PARAMS(P(now)), woken));
    return db_transaction(&queue->scope, recount, NULL);
}
