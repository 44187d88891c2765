/* `sluice-train worlds`: held-out worlds as the files that `sluice match` reads, with the truth. */
#include "base/base.h"

#include <sys/stat.h>
#include <unistd.h>

#include "matcher/train/mixture.h"
#include "matcher/train/train.h"
#include "matcher/train/world.h"

enum { EXPORTED_WORLDS = 12, FILE_BYTES_MAX = 16 * 1024 * 1024 };

static const char header[] = "id,date,amount,currency,counterparty,description,reference,vat_id,"
                             "iban,address,postcode,phone,email\n";

static void add_field(struct buf *into, const char *text)
{
    buf_add_text(into, ",\"");
    for (const char *at = text ? text : ""; *at; at++) {
        if (*at == '"')
            buf_add_char(into, '"');
        buf_add_char(into, *at);
    }
    buf_add_char(into, '"');
}

static void add_money_date(struct buf *into, struct date date, const struct money *amount)
{
    bool unit = strcmp(amount->currency, "XXX") != 0;
    add_field(into, date.days == DATE_NONE ? NULL : date_format(into->arena, date));
    add_field(into, *amount->currency ? money_decimal(into->arena, *amount) : NULL);
    add_field(into, unit ? amount->currency : NULL);
}

static void record_line(struct buf *into, size_t at, const struct match_record *record)
{
    buf_format(into, "r%zu", at);
    add_money_date(into, record->date, &record->amount);
    const char *const texts[] = {record->name,     record->description, record->reference,
                                 record->vat_id,   record->iban,        record->address,
                                 record->postcode, record->phone,       record->email};
    for (size_t i = 0; i < COUNT(texts); i++)
        add_field(into, texts[i]);
    buf_add_char(into, '\n');
}

static void entry_line(struct buf *into, size_t at, const struct match_entry *entry)
{
    buf_format(into, "e%zu", at);
    add_money_date(into, entry->date, &entry->amount);
    const char *const texts[] = {entry->name,     entry->description, entry->reference,
                                 entry->vat_id,   entry->iban,        entry->address,
                                 entry->postcode, entry->phone,       entry->email};
    for (size_t i = 0; i < COUNT(texts); i++)
        add_field(into, texts[i]);
    buf_add_char(into, '\n');
}

static enum err pool_write(struct arena *arena, const struct pool *pool, const char *directory)
{
    struct buf records = buf_new(arena, FILE_BYTES_MAX), ledger = buf_new(arena, FILE_BYTES_MAX);
    struct buf truth = buf_new(arena, FILE_BYTES_MAX);
    buf_add_text(&records, header);
    buf_add_text(&ledger, header);
    buf_add_text(&truth, "id,entry\n");
    for (size_t i = 0; i < pool->entry_count; i++)
        entry_line(&ledger, i, &pool->entries[i]);
    for (size_t i = 0; i < pool->record_count; i++) {
        record_line(&records, i, &pool->records[i]);
        for (size_t k = 0; k < pool->entry_count; k++) {
            if (pool->entry_keys[k] >= 0 && pool->entry_keys[k] == pool->record_keys[i])
                buf_format(&truth, "r%zu,e%zu\n", i, k);
        }
    }
    TRY(file_write(arena, arena_format(arena, "%s/records.csv", directory), buf_bytes(&records)));
    TRY(file_write(arena, arena_format(arena, "%s/ledger.csv", directory), buf_bytes(&ledger)));
    return file_write(arena, arena_format(arena, "%s/truth.csv", directory), buf_bytes(&truth));
}

enum err worlds_export(struct arena *arena, const char *name, const char *null_share,
                       const char *directory)
{
    const struct profile *profile = NULL;
    struct buf list = buf_new(arena, FILE_BYTES_MAX);
    for (size_t i = 0; i < PROFILE_COUNT; i++) {
        if (strcmp(profiles[i].name, name) == 0)
            profile = &profiles[i];
    }
    if (!profile)
        return arena_fail(arena, ERR_CONFIG, NULL, "There is no profile named %s.", name);
    for (int i = 0; i < EXPORTED_WORLDS; i++) {
        struct world world = mixture_held_out_world(profile, i);
        double share = strtod(null_share, NULL);
        if (share >= 0)
            world.null_share = share;
        struct play play = world_make(arena_open(), &world);
        struct pool pool = world_pool(&play);
        const char *path = arena_format(arena, "%s/%d", directory, i);
        if (mkdir(path, 0777) != 0 && access(path, W_OK) != 0)
            return arena_fail(arena, ERR_IO, NULL, "%s cannot be made.", path);
        enum err err = pool_write(play.arena, &pool, path);
        if (err != OK)
            arena_failure_move(arena, play.arena, err);
        arena_close(play.arena);
        TRY(err);
        buf_format(&list, "%s\n", path);
    }
    return file_write(arena, arena_format(arena, "%s/list.txt", directory), buf_bytes(&list));
}
