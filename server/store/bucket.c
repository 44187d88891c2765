#include "store/queue.h"

/* Token buckets of providers' limits, by the database's own clock: providers count real seconds. */

STATEMENT(bucket_ensure_sql,
          "INSERT INTO region.rate_bucket (provider, egress, name, rate_per_s, burst, tokens)"
          " VALUES ($1, $2, $3, $4, $5, $5)"
          " ON CONFLICT ON CONSTRAINT rate_bucket_key DO UPDATE"
          " SET rate_per_s = excluded.rate_per_s, burst = excluded.burst,"
          " tokens = least(rate_bucket.tokens, excluded.burst)"
          " RETURNING id::bigint");

enum err bucket_ensure(const struct untenanted *queue, const struct bucket *bucket, int64_t *id)
{
    return db_int(&queue->scope, &bucket_ensure_sql,
                  PARAMS(P(bucket->provider), P(bucket->egress), P(bucket->name),
                         P(bucket->rate_per_s), P(bucket->burst)),
                  id);
}

static const struct column slice_columns[] = {COLUMN(struct bucket_slice, tokens),
                                              COLUMN(struct bucket_slice, wait_ms),
                                              COLUMN(struct bucket_slice, until)};
static const struct shape slice_shape = SHAPE(struct bucket_slice, slice_columns);

/* Waits for the row, then computes by the clock as it is then: two leases never see one token. */
STATEMENT(bucket_lock_sql, "SELECT id::bigint FROM region.rate_bucket WHERE id = $1 FOR UPDATE");
STATEMENT(bucket_take_sql,
          "WITH now AS MATERIALIZED (SELECT clock_timestamp() AS at),"
          " full_to AS MATERIALIZED (SELECT now.at, coalesce(closed_until > now.at, false)"
          "  AS closed, closed_until, rate_per_s, least(burst, tokens"
          "  + rate_per_s * greatest(extract(epoch FROM now.at - refilled_at)::float8, 0))"
          "  AS tokens FROM region.rate_bucket, now WHERE id = $1),"
          " grant_of AS MATERIALIZED (SELECT *, CASE WHEN closed THEN 0"
          "  ELSE least($3, floor(tokens))::int END AS granted FROM full_to),"
          " taken AS (UPDATE region.rate_bucket SET tokens = g.tokens - g.granted,"
          "  refilled_at = g.at FROM grant_of AS g WHERE id = $1),"
          " noted AS (INSERT INTO region.bucket_lease (bucket_id, worker_id, tokens, expires_at)"
          "  SELECT $1, $2, granted, at + $4 * interval '1 second' FROM grant_of"
          "  WHERE granted > 0)"
          " SELECT granted::bigint AS tokens, at + $4 * interval '1 second' AS until,"
          " CASE WHEN granted > 0 THEN 0"
          "  WHEN closed THEN ceil(extract(epoch FROM closed_until - at) * 1000)"
          "  ELSE ceil((1 - tokens) / rate_per_s * 1000) END::bigint AS wait_ms FROM grant_of");

struct take {
    int64_t bucket, worker, want;
    struct bucket_slice slice;
};

static enum err take(const struct scope *scope, void *arg)
{
    struct take *self = arg;
    int64_t locked;
    TRY(db_int(scope, &bucket_lock_sql, PARAMS(P(self->bucket)), &locked));
    return db_one(scope, &bucket_take_sql,
                  PARAMS(P(self->bucket), P(self->worker), P(self->want), P((int)BUCKET_SLICE_S)),
                  &slice_shape, &self->slice);
}

enum err bucket_lease(const struct untenanted *queue, int64_t bucket, int64_t worker, int64_t want,
                      struct bucket_slice *into)
{
    struct take self = {.bucket = bucket, .worker = worker, .want = want};
    assert(want > 0);
    TRY(db_transaction(&queue->scope, take, &self));
    *into = self.slice;
    return OK;
}

STATEMENT(bucket_close_sql, "UPDATE region.rate_bucket SET closed_until = greatest(closed_until,"
                            " clock_timestamp() + $2 * interval '1 second') WHERE id = $1");

enum err bucket_close(const struct untenanted *queue, int64_t bucket, int64_t seconds)
{
    return db_exec(&queue->scope, &bucket_close_sql, PARAMS(P(bucket), P(seconds)), NULL);
}
