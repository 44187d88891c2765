/* Records of a made world with the candidates that blocking finds: what is fitted and measured. */
#include "base/base.h"

#include "matcher/similarity.h"
#include "matcher/train/train.h"
#include "matcher/train/world.h"

enum {
    BLOCKED_MAX = 30, /* candidates per record */
    BLOCK_WINDOW_DAYS = 60,
    BLOCK_NAME_FROM = 3500
};

/* What blocking asks of an entry. */
struct block_key {
    struct trigrams trigrams;
    const char *reference_norm;
};

struct blocking {
    struct play *play;
    struct block_key *keys; /* of each entry */
};

static struct blocking blocking_of(struct play *play)
{
    struct blocking blocking = {play,
                                arena_array(play->arena, play->entry_count, sizeof *blocking.keys)};
    for (size_t i = 0; i < play->entry_count; i++) {
        const struct match_entry *entry = &play->entries[i].entry;
        const char *name = entry->name ? entry->name : entry->description;
        trigrams_of(name_normalise(play->arena, name).core, &blocking.keys[i].trigrams);
        blocking.keys[i].reference_norm = reference_normalise(play->arena, entry->reference);
    }
    return blocking;
}

static bool is_truth(const struct play *play, int record, const struct made_entry *entry)
{
    if (play->world->role == MATCH_COUNTERPARTY)
        return entry->company == play->records[record].company;
    return entry->record == record;
}

static int64_t apart(int64_t a, int64_t b)
{
    return a > b ? a - b : b - a;
}

/* The arms of blocking as one cheap score; 0: not a candidate. */
static int block_score(const struct match_record *record, const struct block_key *asked,
                       const struct match_entry *entry, const struct block_key *key,
                       enum match_role role)
{
    int by_name = trigrams_similarity(&asked->trigrams, &key->trigrams);
    if (role == MATCH_COUNTERPARTY) {
        bool same_email = record->email && entry->email && strcmp(record->email, entry->email) == 0;
        return same_email ? 20000 : by_name >= BLOCK_NAME_FROM / 2 ? by_name : 0;
    }
    int score = by_name >= BLOCK_NAME_FROM ? by_name : 0;
    if (asked->reference_norm && key->reference_norm &&
        strcmp(asked->reference_norm, key->reference_norm) == 0)
        score += 20000;
    bool in_time = apart(record->date.days, entry->date.days) <= BLOCK_WINDOW_DAYS;
    int64_t minor = entry->amount.minor;
    bool same_currency = strcmp(record->amount.currency, entry->amount.currency) == 0;
    bool fits = minor == record->amount.minor || minor == record->amount.minor - record->fee.minor;
    if (in_time && same_currency && fits)
        score += 8000;
    else if (in_time && same_currency &&
             apart(minor, record->amount.minor) * 100 <= record->amount.minor * 3)
        score += 3000;
    return score;
}

struct blocked {
    size_t entry;
    int score;
};

static int blocked_order(const void *left, const void *right)
{
    const struct blocked *a = left, *b = right;
    if (a->score != b->score)
        return a->score > b->score ? -1 : 1;
    return (a->entry > b->entry) - (a->entry < b->entry);
}

static size_t block(const struct blocking *blocking, int record, struct blocked *into)
{
    const struct play *play = blocking->play;
    const struct match_record *asked = &play->records[record].record;
    struct block_key key;
    trigrams_of(name_normalise(play->arena, asked->name).core, &key.trigrams);
    key.reference_norm = reference_normalise(play->arena, asked->reference);
    struct blocked *all = arena_array(play->arena, play->entry_count, sizeof *all);
    size_t count = 0;
    for (size_t i = 0; i < play->entry_count; i++) {
        int score = block_score(asked, &key, &play->entries[i].entry, &blocking->keys[i],
                                play->world->role);
        if (score > 0)
            all[count++] = (struct blocked){i, score};
    }
    if (count > 1)
        qsort(all, count, sizeof *all, blocked_order);
    count = count < BLOCKED_MAX ? count : BLOCKED_MAX;
    memcpy(into, all, count * sizeof *into);
    return count;
}

static int fields_missing(const struct match_record *record, enum match_role role)
{
    if (role == MATCH_COUNTERPARTY)
        return record->name == NULL;
    return (record->name == NULL) + (record->reference == NULL);
}

static enum err example_make(const struct blocking *blocking, int record, int number,
                             struct example *into)
{
    struct play *play = blocking->play;
    struct made_record *made = &play->records[record];
    struct blocked blocked[BLOCKED_MAX];
    struct match_entry entries[BLOCKED_MAX];
    size_t count = block(blocking, record, blocked);
    into->truth = made->exists ? OUTCOME_UNSEEN : OUTCOME_NONE;
    for (size_t i = 0; i < count; i++) {
        const struct made_entry *entry = &play->entries[blocked[i].entry];
        entries[i] = entry->entry;
        if (is_truth(play, record, entry))
            into->truth = (int)i;
        bool same = entry->company == made->company && play->world->role != MATCH_COUNTERPARTY;
        entries[i].same_counterparty = same && random_chance(&play->random, play->world->resolved);
        entries[i].alias_confirmed =
            entry->company == made->company && random_chance(&play->random, 0.05);
    }
    into->count = count;
    into->fields_missing = fields_missing(&made->record, play->world->role);
    into->view = play->world->view;
    into->world = number;
    into->vectors = arena_array(play->arena, count, sizeof *into->vectors);
    struct feature_question question = {&made->record, entries, count, play->world->role, NULL};
    return features_of(play->arena, &question, into->vectors);
}

static enum err play_examples(const struct blocking *blocking, struct arena *arena, int number,
                              struct example_list *into)
{
    const struct play *play = blocking->play;
    for (int i = 0; i < play->world->records && into->count < into->capacity; i++) {
        struct example example;
        TRY(example_make(blocking, i, number, &example));
        into->true_entries += play->records[i].exists && !play->records[i].hidden;
        into->blocked_entries += example.truth >= 0;
        struct example *kept = &into->at[into->count++];
        *kept = example;
        kept->vectors = arena_copy(arena, example.vectors, example.count * sizeof *example.vectors);
    }
    return OK;
}

enum err world_play(struct arena *arena, const struct world *world, int number,
                    struct example_list *into)
{
    struct play play = world_make(arena_open(), world);
    struct blocking blocking = blocking_of(&play);
    enum err err = play_examples(&blocking, arena, number, into);
    arena_close(play.arena);
    return err;
}
