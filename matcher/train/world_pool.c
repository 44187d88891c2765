/* A generated world as a pool. */
#include "base/base.h"

#include "matcher/train/world.h"

static const double alias_share = 0.05;

static struct pair_flags flags_draw(void *context, size_t record, size_t entry)
{
    struct play *play = context;
    const struct world *world = play->world;
    struct pair_flags flags = {false, false};
    if (play->entries[entry].company != play->records[record].company)
        return flags;
    flags.same_counterparty =
        world->role != MATCH_COUNTERPARTY && random_chance(&play->random, world->resolved);
    flags.alias_confirmed = random_chance(&play->random, alias_share);
    return flags;
}

/* Half of the worlds are files: they know how often words occur, and nothing that has no column.
 * The others are workspaces, which know what the pipeline knows. */
struct pool world_pool(struct play *play)
{
    const struct world *world = play->world;
    bool is_file = world->seed % 2 == 0;
    size_t records = (size_t)world->records, entries = play->entry_count;
    struct match_record *record = arena_array(play->arena, records, sizeof *record);
    struct match_entry *entry = arena_array(play->arena, entries, sizeof *entry);
    int64_t *record_keys = arena_array(play->arena, records, sizeof *record_keys);
    int64_t *entry_keys = arena_array(play->arena, entries, sizeof *entry_keys);
    bool *exists = arena_array(play->arena, records, sizeof *exists);
    bool companies = world->role == MATCH_COUNTERPARTY;
    for (size_t i = 0; i < records; i++) {
        record[i] = play->records[i].record;
        if (is_file) {
            record[i].fee = (struct money){0};
            record[i].customer_id = NULL;
        }
        record_keys[i] = companies ? play->records[i].company : (int64_t)i;
        exists[i] = play->records[i].exists;
    }
    for (size_t i = 0; i < entries; i++) {
        entry[i] = play->entries[i].entry;
        if (is_file) {
            entry[i].due_date.days = DATE_NONE;
            entry[i].file_name = entry[i].customer_id = NULL;
        }
        entry_keys[i] = companies ? play->entries[i].company : play->entries[i].record;
    }
    return (struct pool){
        .role = world->role,
        .view = world->view,
        .exclusive = !companies,
        .counted = is_file,
        .records = record,
        .record_keys = record_keys,
        .exists = exists,
        .record_count = records,
        .entries = entry,
        .entry_keys = entry_keys,
        .entry_count = entries,
        .flags = is_file ? NULL : flags_draw,
        .context = play,
    };
}

enum err world_play(struct arena *arena, const struct world *world, struct example_list *into)
{
    struct play play = world_make(arena_open(), world);
    struct pool pool = world_pool(&play);
    enum err err = pool_play(arena, &pool, "world", 1, into);
    arena_close(play.arena);
    return err;
}
