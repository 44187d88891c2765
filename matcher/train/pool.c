#include "base/base.h"

#include "base/text.h"
#include "matcher/train/pool.h"
#include "matcher/batch/block.h"
#include "matcher/compare.h"

struct index {
    const struct pool *pool;
    struct arena *arena;               /* of one record */
    const struct match_side **sides;   /* of the entries */
    const struct token_counts *counts; /* NULL: the default */
    struct block_search *search;
};

struct example_list examples_new(struct arena *arena, size_t examples, size_t batches)
{
    return (struct example_list){
        .at = arena_array(arena, examples, sizeof(struct example)),
        .capacity = examples,
        .batches = arena_array(arena, batches, sizeof(struct example_batch)),
        .batch_capacity = batches,
    };
}

static void amount_take(struct table_row *row, const struct money *amount)
{
    row->amount = *amount;
    row->has_amount = *amount->currency != '\0';
    row->has_currency = row->has_amount && strcmp(amount->currency, "XXX") != 0;
}

/* A record or an entry as a row of a file: what blocking sees of it. */
static struct table_row record_row(const struct match_record *record)
{
    struct table_row row = {
        .text = {[TABLE_COUNTERPARTY] = record->name,
                 [TABLE_DESCRIPTION] = record->description,
                 [TABLE_REFERENCE] = record->reference,
                 [TABLE_VAT_ID] = record->vat_id,
                 [TABLE_IBAN] = record->iban,
                 [TABLE_ADDRESS] = record->address,
                 [TABLE_POSTCODE] = record->postcode,
                 [TABLE_PHONE] = record->phone,
                 [TABLE_EMAIL] = record->email},
        .date = record->date,
    };
    amount_take(&row, &record->amount);
    return row;
}

static struct table_row entry_row(const struct match_entry *entry, size_t at)
{
    struct table_row row = {
        .text = {[TABLE_COUNTERPARTY] = entry->name,
                 [TABLE_DESCRIPTION] = entry->description,
                 [TABLE_REFERENCE] = entry->reference ? entry->reference : entry->file_name,
                 [TABLE_VAT_ID] = entry->vat_id,
                 [TABLE_IBAN] = entry->iban,
                 [TABLE_ADDRESS] = entry->address,
                 [TABLE_POSTCODE] = entry->postcode,
                 [TABLE_PHONE] = entry->phone,
                 [TABLE_EMAIL] = entry->email},
        .date = entry->date,
        .rank = (uint32_t)at,
    };
    amount_take(&row, &entry->amount);
    return row;
}

static struct index index_new(struct arena *arena, const struct pool *pool)
{
    struct index index = {.pool = pool};
    size_t n = pool->entry_count;
    struct table *ledger = arena_alloc(arena, sizeof *ledger);
    ledger->count = n;
    ledger->rows = arena_array(arena, n, sizeof *ledger->rows);
    for (size_t i = 0; i < n; i++)
        ledger->rows[i] = entry_row(&pool->entries[i], i);
    struct block_index *blocks = block_index_new(arena, ledger);
    index.search = block_search_new(arena, blocks);
    index.counts = pool->counted ? block_index_counts(blocks) : NULL;
    index.sides = arena_array(arena, n, sizeof(const struct match_side *));
    for (size_t i = 0; i < n; i++)
        index.sides[i] = side_of_entry(arena, &pool->entries[i], index.counts);
    return index;
}

/* A copy of an entry's side with what the pipeline knew of the pair. */
static const struct match_side *flagged(struct arena *arena, const struct pool *pool,
                                        const struct match_side *side, size_t record, size_t entry)
{
    if (!pool->flags)
        return side;
    struct pair_flags flags = pool->flags(pool->context, record, entry);
    if (!flags.same_counterparty && !flags.alias_confirmed)
        return side;
    struct match_side *copy = arena_copy(arena, side, sizeof *side);
    struct match_entry *known = arena_copy(arena, side->entry, sizeof *side->entry);
    known->same_counterparty = flags.same_counterparty;
    known->alias_confirmed = flags.alias_confirmed;
    copy->entry = known;
    return copy;
}

static enum err example_make(struct index *index, size_t record, struct arena *arena,
                             struct example *into)
{
    const struct pool *pool = index->pool;
    const struct match_side *side =
        side_of_record(index->arena, &pool->records[record], index->counts);
    const struct match_side *sides[BLOCK_CANDIDATES_MAX];
    struct table_row row = record_row(&pool->records[record]);
    struct block_found found;
    block_find(index->search, index->arena, &row, &found);
    const uint32_t *entries = found.row;
    into->count = found.count;
    into->truth = pool->exists[record] ? OUTCOME_UNSEEN : OUTCOME_NONE;
    for (size_t i = 0; i < into->count; i++) {
        sides[i] = flagged(index->arena, pool, index->sides[entries[i]], record, entries[i]);
        if (pool->record_keys[record] >= 0 &&
            pool->entry_keys[entries[i]] == pool->record_keys[record])
            into->truth = (int)i;
    }
    into->fields_missing = record_fields_missing(&pool->records[record], pool->role);
    into->view = pool->view;
    into->vectors = arena_array(arena, into->count, sizeof *into->vectors);
    into->entries = arena_copy(arena, entries, into->count * sizeof *entries);
    into->claimed_micro = arena_array(arena, into->count, sizeof *into->claimed_micro);
    into->habits = arena_array(arena, into->count, sizeof *into->habits);
    return features_of_sides(index->arena, side, sides, into->count, pool->role, into->vectors);
}

enum err pool_play(struct arena *arena, const struct pool *pool, const char *name, double weight,
                   struct example_list *into)
{
    struct arena *indexed = arena_open(), *scratch = arena_open();
    struct index index = index_new(indexed, pool);
    index.arena = scratch;
    assert(into->batch_count < into->batch_capacity);
    struct example_batch *batch = &into->batches[into->batch_count];
    *batch = (struct example_batch){name, pool->exclusive,  pool->is_public, into->count,
                                    0,    pool->entry_count};
    enum err err = OK;
    for (size_t i = 0; i < pool->record_count && into->count < into->capacity && err == OK; i++) {
        struct example *example = &into->at[into->count++];
        err = example_make(&index, i, arena, example);
        example->weight = weight;
        example->world = (int)into->batch_count;
        into->blocked_entries += example->truth >= 0;
        into->true_entries += pool->exists[i];
        arena_reset(scratch);
    }
    batch->count = into->count - batch->first;
    into->batch_count++;
    arena_close(scratch);
    arena_close(indexed);
    return err;
}
