#include "store/upkeep.h"

/* Shorter than the lease of the worker whose keeper waits for it. */
enum { PARTITIONS_PATIENCE_MS = 10 * 1000 };

STATEMENT(partitions_ensure_sql,
          "SELECT count(*) FROM (SELECT region.partitions_ensure()) AS done");

enum err partitions_ensure(const struct untenanted *region)
{
    int64_t done;
    struct scope patient = region->scope;
    patient.timeout_ms = PARTITIONS_PATIENCE_MS;
    return db_int(&patient, &partitions_ensure_sql, NO_PARAMS, &done);
}

/* Kept for a week after they ended, for whoever looks into an incident. */
STATEMENT(directory_expire_sql,
          "WITH states AS (DELETE FROM directory.oauth_state WHERE expires_at < $1"
          "  - interval '7 days' RETURNING 1),"
          " sessions AS (DELETE FROM directory.session WHERE coalesce(ended_at, expires_at) < $1"
          "  - interval '7 days' RETURNING 1),"
          " answers AS (DELETE FROM directory.idempotency WHERE expires_at < $1 RETURNING 1)"
          " SELECT (SELECT count(*) FROM states) + (SELECT count(*) FROM sessions)"
          " + (SELECT count(*) FROM answers)");

enum err directory_expire(const struct untenanted *directory, int64_t *deleted)
{
    return db_int(&directory->scope, &directory_expire_sql, PARAMS(P(db_now(&directory->scope))),
                  deleted);
}

STATEMENT(region_expire_sql, "DELETE FROM region.idempotency WHERE expires_at <= $1");

enum err region_expire(const struct untenanted *queue, int64_t *deleted)
{
    return db_exec(&queue->scope, &region_expire_sql, PARAMS(P(db_now(&queue->scope))), deleted);
}

STATEMENT(clock_offset_get_sql, "SELECT offset_us FROM region.clock_offset");

enum err clock_offset_get(const struct untenanted *region, int64_t *offset_us)
{
    return db_int(&region->scope, &clock_offset_get_sql, NO_PARAMS, offset_us);
}
