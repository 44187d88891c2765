#include "store/upkeep.h"

STATEMENT(clock_offset_get_sql, "SELECT offset_us FROM region.clock_offset");

enum err clock_offset_get(const struct untenanted *region, int64_t *offset_us)
{
    return db_int(&region->scope, &clock_offset_get_sql, NO_PARAMS, offset_us);
}

STATEMENT(partitions_ensure_sql, "SELECT region.partitions_ensure()");

enum err partitions_ensure(const struct untenanted *region)
{
    return db_exec(&region->scope, &partitions_ensure_sql, NO_PARAMS, NULL);
}
