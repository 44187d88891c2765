#include "store/health.h"

static const struct statement ping_sql = {.name = "health_ping", .sql = "SELECT 1::bigint"};

enum err store_ping(const struct untenanted *database)
{
    int64_t one;
    return db_int(&database->scope, &ping_sql, NO_PARAMS, &one);
}
