/* Tables from text, for tests of what works on them. */
#ifndef SLUICE_TEST_BATCH_TABLES_H
#define SLUICE_TEST_BATCH_TABLES_H

#include "matcher/batch/table.h"

static inline struct table table_of(struct arena *arena, const char *text)
{
    size_t n = strlen(text);
    struct table table;
    if (table_read(arena, "table.csv", arena_text_n(arena, text, n), n, &table) != OK) {
        fputs(arena_failure(arena)->detail, stderr);
        abort();
    }
    return table;
}

#endif
