#include "store/health.h"

STATEMENT(health_ping_sql, "SELECT 1::bigint");

enum err store_ping(const struct untenanted *database)
{
    int64_t one;
    return db_int(&database->scope, &health_ping_sql, NO_PARAMS, &one);
}
