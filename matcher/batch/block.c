#include "base/base.h"

#include "matcher/batch/block.h"
#include "matcher/batch/keys.h"
#include "matcher/batch/names.h"
#include "matcher/batch/window.h"

enum {
    SAME_NAME_SIDE = 32,      /* entries of one name looked at on either side of the date */
    SHARED_REFERENCE = 20000, /* nearness that an equal reference is worth */
    SHARED_PARTY = 6000
};

struct block_index {
    struct sketch *sketches; /* of the entries, by currency, day, amount, rank: their places */
    size_t count;
    struct window_index *window;
    struct key_index *keys;
    struct name_index *names, *contacts;
    struct token_counts counts;
};

struct block_search {
    const struct block_index *index;
    struct name_search *names, *contacts;
    uint32_t *seen; /* by place: the number of the search that met it last */
    uint32_t number;
    struct row_keys keys;
    struct sketch record;
    const char *text, *contact;
};

/* ---- the index ---- */

static struct token_counts counts_of(struct arena *arena, const struct table *ledger)
{
    struct arena *scratch = arena_open();
    const char **texts = arena_array(scratch, 2 * ledger->count, sizeof *texts);
    for (size_t i = 0; i < ledger->count; i++) {
        texts[2 * i] = ledger->rows[i].text[TABLE_COUNTERPARTY];
        texts[2 * i + 1] = ledger->rows[i].text[TABLE_DESCRIPTION];
    }
    struct token_counts counts = token_counts_of(arena, texts, 2 * ledger->count);
    arena_close(scratch);
    return counts;
}

/* The texts of the entries by place. */
static struct name_index *texts_index(struct arena *arena, const struct block_index *index,
                                      const char *const *by_row)
{
    const char **texts = arena_array(arena, index->count, sizeof *texts);
    for (size_t i = 0; i < index->count; i++)
        texts[i] = by_row[index->sketches[i].row];
    return name_index_new(arena, texts, index->count);
}

struct block_index *block_index_new(struct arena *arena, const struct table *ledger)
{
    struct block_index *index = arena_alloc(arena, sizeof *index);
    struct arena *scratch = arena_open();
    const char **names = arena_array(arena, ledger->count, sizeof *names);
    const char **contacts = arena_array(arena, ledger->count, sizeof *contacts);
    index->count = ledger->count;
    index->sketches = arena_array(arena, ledger->count, sizeof *index->sketches);
    for (size_t i = 0; i < ledger->count; i++) {
        names[i] = arena_text(arena, row_core(scratch, &ledger->rows[i]));
        contacts[i] = arena_text(arena, row_contact(scratch, &ledger->rows[i]));
        index->sketches[i] = sketch_of(&ledger->rows[i], (uint32_t)i, names[i]);
        arena_reset(scratch);
    }
    arena_close(scratch);
    index->window = window_index_new(arena, index->sketches, ledger->count);
    index->keys = key_index_new(arena, ledger, index->sketches);
    index->names = texts_index(arena, index, names);
    index->contacts = texts_index(arena, index, contacts);
    index->counts = counts_of(arena, ledger);
    return index;
}

const struct token_counts *block_index_counts(const struct block_index *index)
{
    return &index->counts;
}

struct block_search *block_search_new(struct arena *arena, const struct block_index *index)
{
    struct block_search *search = arena_alloc(arena, sizeof *search);
    search->index = index;
    search->names = name_search_new(arena, index->names);
    search->contacts = name_search_new(arena, index->contacts);
    search->seen = arena_array(arena, index->count, sizeof *search->seen);
    return search;
}

/* ---- the arms ---- */

static void search_start(struct block_search *search, struct arena *scratch,
                         const struct table_row *record)
{
    search->text = row_core(scratch, record);
    search->contact = row_contact(scratch, record);
    search->record = sketch_of(record, 0, search->text);
    row_keys_of(scratch, record, &search->keys);
}

static void find_party(struct block_search *search, struct shortlist *into)
{
    into->count = 0;
    into->limit = KEY_ENTRIES_MAX;
    for (int kind = KEY_REFERENCE + 1; kind < KEY_KIND_COUNT; kind++) {
        struct shortlist found;
        key_index_find(search->index->keys, &search->keys, (enum key_kind)kind, search->record.day,
                       &found);
        for (size_t i = 0; i < found.count; i++)
            shortlist_offer(into, found.hit[i]);
    }
}

/* The first of the places that is not before `place`. */
static size_t places_bound(const struct name_group *group, size_t place)
{
    size_t low = 0, high = group->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (group->places[middle] < place)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Entries with that name, those near the record's day; of equal names the nearest entries win. */
static void offer_group(const struct block_search *search, const struct name_index *names,
                        const struct hit *hit, struct shortlist *into)
{
    const struct block_index *index = search->index;
    struct name_group group = name_index_group(names, hit->at);
    size_t from = 0, to = group.count;
    if (group.count > (size_t)2 * SAME_NAME_SIDE) {
        size_t at = places_bound(&group, window_index_place(index->window, &search->record));
        from = at > SAME_NAME_SIDE ? at - SAME_NAME_SIDE : 0;
        to = at + SAME_NAME_SIDE < group.count ? at + SAME_NAME_SIDE : group.count;
    }
    for (size_t i = from; i < to; i++) {
        const struct sketch *entry = &index->sketches[group.places[i]];
        shortlist_offer(into, (struct hit){hit->first, -sketch_nearness(&search->record, entry),
                                           entry->rank, group.places[i]});
    }
}

static void find_texts(const struct block_search *search, const struct name_index *names,
                       struct name_search *by, const char *text, struct shortlist *nearest,
                       struct shortlist *contained)
{
    struct shortlist near, inside;
    nearest->count = contained->count = 0;
    nearest->limit = NAMES_NEAREST_MAX;
    contained->limit = NAMES_CONTAINED_MAX;
    if (!*text || name_index_groups(names) == 0)
        return;
    name_search_find(by, text, &near, &inside);
    for (size_t i = 0; i < near.count; i++)
        offer_group(search, names, &near.hit[i], nearest);
    for (size_t i = 0; i < inside.count; i++)
        offer_group(search, names, &inside.hit[i], contained);
}

static void find_arms(struct block_search *search, struct shortlist arms[BLOCK_ARM_COUNT])
{
    key_index_find(search->index->keys, &search->keys, KEY_REFERENCE, search->record.day,
                   &arms[BLOCK_REFERENCE]);
    find_party(search, &arms[BLOCK_PARTY]);
    window_index_find(search->index->window, &search->record, &arms[BLOCK_AMOUNT],
                      &arms[BLOCK_AMOUNT_WIDE]);
    const struct block_index *index = search->index;
    struct shortlist unused;
    find_texts(search, index->names, search->names, search->text, &arms[BLOCK_NAME],
               &arms[BLOCK_NAME_CONTAINED]);
    find_texts(search, index->contacts, search->contacts, search->contact, &arms[BLOCK_CONTACT],
               &unused);
}

/* ---- the union ---- */

static int row_order(const void *left, const void *right)
{
    const struct hit *a = left, *b = right;
    return a->rank < b->rank ? -1 : a->rank > b->rank;
}

static void found_take(const struct block_index *index, struct shortlist *list,
                       struct block_found *into)
{
    if (list->count > 1)
        qsort(list->hit, list->count, sizeof list->hit[0], row_order);
    into->count = 0;
    for (size_t i = 0; i < list->count && into->count < BLOCK_CANDIDATES_MAX; i++) {
        uint32_t row = index->sketches[list->hit[i].at].row;
        if (into->count == 0 || into->row[into->count - 1] != row)
            into->row[into->count++] = row;
    }
}

void block_find(struct block_search *search, struct arena *scratch, const struct table_row *record,
                struct block_found *into)
{
    static const int64_t bonus[BLOCK_ARM_COUNT] = {
        [BLOCK_REFERENCE] = SHARED_REFERENCE, [BLOCK_PARTY] = SHARED_PARTY};
    struct shortlist arms[BLOCK_ARM_COUNT];
    struct shortlist all = {.limit = BLOCK_CANDIDATES_MAX};
    search_start(search, scratch, record);
    find_arms(search, arms);
    search->number++;
    for (size_t arm = 0; arm < BLOCK_ARM_COUNT; arm++) {
        for (size_t i = 0; i < arms[arm].count; i++) {
            uint32_t at = arms[arm].hit[i].at;
            const struct sketch *entry = &search->index->sketches[at];
            if (search->seen[at] == search->number)
                continue;
            search->seen[at] = search->number;
            int64_t nearness = sketch_nearness(&search->record, entry) + bonus[arm];
            shortlist_offer(&all, (struct hit){.first = -nearness, .rank = entry->rank, .at = at});
        }
    }
    found_take(search->index, &all, into);
}

void block_find_by(struct block_search *search, struct arena *scratch, enum block_arm arm,
                   const struct table_row *record, struct block_found *into)
{
    struct shortlist arms[BLOCK_ARM_COUNT];
    search_start(search, scratch, record);
    find_arms(search, arms);
    found_take(search->index, &arms[arm], into);
}
