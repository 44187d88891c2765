/* Any bytes as a CSV file: refused with a place, or rows that can be matched with themselves. */
#include "base/base.h"

#include "base/text.h"
#include "matcher/batch/batch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ROWS_MATCHED_MAX = 32 };

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void match_itself(struct arena *arena, const struct table *table, enum batch_profile profile)
{
    struct model_set *models;
    struct batch *batch;
    require(model_set_new(arena, &models) == OK);
    require(batch_new(arena, models, profile, table, table, &batch) == OK);
    struct batch_worker *worker = batch_worker_open(batch);
    require(batch_score(worker, 0, table->count) == OK);
    batch_settle(batch);
    for (size_t i = 0; i < table->count; i++) {
        struct buf line = buf_new(arena, BATCH_LINE_BYTES_MAX);
        batch_line(batch, i, &line);
        require(!line.overflowed && line.data[line.n - 1] == '\n');
        require(utf8_valid(line.data, line.n));
    }
    batch_worker_close(worker);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_open();
    char *text = arena_text_n(arena, (const char *)data, size);
    struct table table;
    if (table_read(arena, "f", text, size, &table) != OK) {
        const char *detail = arena_failure(arena)->detail;
        require(detail && text_starts(detail, "f") && utf8_valid(detail, strlen(detail)));
    } else if (table.count <= ROWS_MATCHED_MAX) {
        for (size_t i = 0; i < table.count; i++)
            require(*table.rows[i].text[TABLE_ID] && table.rows[i].rank < table.count);
        match_itself(arena, &table, (enum batch_profile)(size % PROFILE_COUNT));
    }
    arena_close(arena);
    return 0;
}
