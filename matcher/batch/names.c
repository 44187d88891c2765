#include "base/base.h"

#include "matcher/batch/names.h"

enum {
    WEIGHT_SCALE = 8,     /* of log2: small enough for sixteen bits, see below */
    NEAR_GROUPS_MAX = 48, /* compared exactly */
    TOUCHED_FEW = 512,    /* below this all are ranked, above only those with a third of the best */
    SHARE_ONE = 10000
};

struct group {
    const char *text;
    uint32_t start, end;              /* in `places` */
    uint32_t trigrams, trigram_count; /* in `trigram_ids` */
    uint32_t weight;                  /* of all its trigrams */
};

struct trigram {
    uint32_t code;
    uint32_t start, end; /* in `postings` */
    uint32_t weight;     /* the rarer, the heavier */
};

struct name_index {
    struct group *groups;
    size_t group_count;
    uint32_t *places;
    struct trigram *trigrams; /* by code */
    size_t trigram_count;
    uint32_t *postings;    /* groups, ascending */
    uint32_t *trigram_ids; /* of the groups, ascending within each */
    uint32_t weight_max;   /* of a trigram that no text has */
};

static_assert(TRIGRAMS_MAX / 3 * (1 + WEIGHT_SCALE * 20) <= UINT16_MAX,
              "what a text shares fits: a word has a trigram more than letters");

struct name_search {
    const struct name_index *index;
    uint16_t *weight; /* shared with the text, by group; zero between searches */
    uint32_t *touched;
    size_t touched_count;
};

/* WEIGHT_SCALE × log2(value), linear between powers. */
static uint32_t log2_scaled(uint64_t value)
{
    if (value == 0)
        return 0;
    uint32_t whole = 63 - (uint32_t)__builtin_clzll(value);
    uint64_t rest = value - (UINT64_C(1) << whole);
    return WEIGHT_SCALE * whole + (uint32_t)(whole ? (rest * WEIGHT_SCALE) >> whole : 0);
}

/* ---- building ---- */

struct placed {
    const char *text;
    uint32_t place;
};

static int placed_order(const void *left, const void *right)
{
    const struct placed *a = left, *b = right;
    int order = strcmp(a->text, b->text);
    if (order)
        return order;
    return a->place < b->place ? -1 : a->place > b->place;
}

static void groups_make(struct arena *arena, struct name_index *index, const char *const *texts,
                        size_t count)
{
    struct arena *scratch = arena_open();
    struct placed *placed = arena_array(scratch, count, sizeof *placed);
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        if (*texts[i])
            placed[n++] = (struct placed){texts[i], (uint32_t)i};
    }
    if (n > 1)
        qsort(placed, n, sizeof *placed, placed_order);
    index->groups = arena_array(arena, n, sizeof *index->groups);
    index->places = arena_array(arena, n, sizeof *index->places);
    for (size_t i = 0; i < n; i++) {
        if (i == 0 || strcmp(placed[i].text, placed[i - 1].text) != 0)
            index->groups[index->group_count++] =
                (struct group){.text = placed[i].text, .start = (uint32_t)i};
        index->groups[index->group_count - 1].end = (uint32_t)i + 1;
        index->places[i] = placed[i].place;
    }
    arena_close(scratch);
}

static int pair_order(const void *left, const void *right)
{
    const uint64_t *a = left, *b = right;
    return *a < *b ? -1 : *a > *b;
}

/* Every trigram of every group as code << 32 | group, sorted. */
static uint64_t *pairs_make(struct arena *scratch, struct name_index *index, size_t *pair_count)
{
    struct trigrams trigrams;
    size_t total = 0, n = 0;
    for (size_t g = 0; g < index->group_count; g++) {
        trigrams_of(index->groups[g].text, &trigrams);
        index->groups[g].trigrams = (uint32_t)total;
        total += trigrams.count;
    }
    uint64_t *pairs = arena_array(scratch, total, sizeof *pairs);
    for (size_t g = 0; g < index->group_count; g++) {
        trigrams_of(index->groups[g].text, &trigrams);
        for (size_t i = 0; i < trigrams.count; i++)
            pairs[n++] = (uint64_t)trigrams.code[i] << 32 | g;
    }
    if (n > 1)
        qsort(pairs, n, sizeof *pairs, pair_order);
    *pair_count = n;
    return pairs;
}

static void postings_make(struct arena *arena, struct name_index *index)
{
    struct arena *scratch = arena_open();
    size_t count;
    const uint64_t *pairs = pairs_make(scratch, index, &count);
    for (size_t i = 0; i < count; i++)
        index->trigram_count += i == 0 || pairs[i] >> 32 != pairs[i - 1] >> 32;
    index->trigrams = arena_array(arena, index->trigram_count, sizeof *index->trigrams);
    index->postings = arena_array(arena, count, sizeof *index->postings);
    index->trigram_ids = arena_array(arena, count, sizeof *index->trigram_ids);
    struct trigram *trigram = index->trigrams;
    for (size_t i = 0; i < count; i++) {
        uint32_t code = (uint32_t)(pairs[i] >> 32), group = (uint32_t)pairs[i];
        if (i > 0 && code != trigram->code)
            trigram++;
        if (i == 0 || trigram->end == 0)
            *trigram = (struct trigram){.code = code, .start = (uint32_t)i};
        trigram->end = (uint32_t)i + 1;
        index->postings[i] = group;
        struct group *of = &index->groups[group];
        index->trigram_ids[of->trigrams + of->trigram_count++] =
            (uint32_t)(trigram - index->trigrams);
    }
    arena_close(scratch);
}

static void weights_make(struct name_index *index)
{
    index->weight_max = log2_scaled(2 * index->group_count + 1);
    for (size_t t = 0; t < index->trigram_count; t++) {
        struct trigram *trigram = &index->trigrams[t];
        uint32_t groups = trigram->end - trigram->start;
        trigram->weight = 1 + log2_scaled((2 * index->group_count + 1) / groups);
        for (uint32_t i = trigram->start; i < trigram->end; i++)
            index->groups[index->postings[i]].weight += trigram->weight;
    }
}

struct name_index *name_index_new(struct arena *arena, const char *const *texts, size_t count)
{
    struct name_index *index = arena_alloc(arena, sizeof *index);
    groups_make(arena, index, texts, count);
    postings_make(arena, index);
    weights_make(index);
    return index;
}

struct name_search *name_search_new(struct arena *arena, const struct name_index *index)
{
    struct name_search *search = arena_alloc(arena, sizeof *search);
    search->index = index;
    search->weight = arena_array(arena, index->group_count, sizeof *search->weight);
    search->touched = arena_array(arena, index->group_count, sizeof *search->touched);
    return search;
}

size_t name_index_groups(const struct name_index *index)
{
    return index->group_count;
}

struct name_group name_index_group(const struct name_index *index, uint32_t group)
{
    const struct group *of = &index->groups[group];
    return (struct name_group){of->text, index->places + of->start, of->end - of->start};
}

/* ---- searching ---- */

/* A text that is looked for, in terms of the index. */
struct wanted {
    uint32_t id[TRIGRAMS_MAX];        /* of the trigrams that the index has, ascending */
    uint32_t by_rarity[TRIGRAMS_MAX]; /* the same, the rarest first */
    size_t count;
    size_t trigram_count; /* with those that it has not */
    uint32_t weight;
};

static bool trigram_find(const struct name_index *index, uint32_t code, uint32_t *id)
{
    size_t low = 0, high = index->trigram_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (index->trigrams[middle].code < code)
            low = middle + 1;
        else
            high = middle;
    }
    *id = (uint32_t)low;
    return low < index->trigram_count && index->trigrams[low].code == code;
}

static uint32_t having(const struct name_index *index, uint32_t id)
{
    return index->trigrams[id].end - index->trigrams[id].start;
}

static void wanted_make(const struct name_index *index, const char *text, struct wanted *into)
{
    struct trigrams trigrams;
    trigrams_of(text, &trigrams);
    into->count = 0;
    into->weight = 0;
    into->trigram_count = trigrams.count;
    for (size_t i = 0; i < trigrams.count; i++) {
        uint32_t id;
        if (!trigram_find(index, trigrams.code[i], &id)) {
            into->weight += index->weight_max;
            continue;
        }
        into->weight += index->trigrams[id].weight;
        into->id[into->count] = id;
        size_t at = into->count++;
        for (; at > 0 && having(index, into->by_rarity[at - 1]) > having(index, id); at--)
            into->by_rarity[at] = into->by_rarity[at - 1];
        into->by_rarity[at] = id;
    }
}

/* Adds up what the groups share with the text, until enough postings were read. Returns the most
 * that one shares. */
static uint32_t gather(struct name_search *search, const struct wanted *wanted)
{
    const struct name_index *index = search->index;
    uint32_t most = 0;
    size_t read = 0;
    search->touched_count = 0;
    for (size_t i = 0; i < wanted->count && read < NAMES_POSTINGS_MAX; i++) {
        const struct trigram *trigram = &index->trigrams[wanted->by_rarity[i]];
        for (uint32_t p = trigram->start; p < trigram->end && read < NAMES_POSTINGS_MAX; p++) {
            uint32_t group = index->postings[p];
            read++;
            if (search->weight[group] == 0)
                search->touched[search->touched_count++] = group;
            uint32_t shared = search->weight[group] + trigram->weight;
            search->weight[group] = (uint16_t)shared;
            most = shared > most ? shared : most;
        }
    }
    return most;
}

static int64_t similarity(const struct name_index *index, const struct wanted *wanted,
                          uint32_t group)
{
    const struct group *of = &index->groups[group];
    const uint32_t *id = index->trigram_ids + of->trigrams;
    size_t shared = 0;
    for (size_t i = 0, j = 0; i < wanted->count && j < of->trigram_count;) {
        shared += wanted->id[i] == id[j];
        bool step_i = wanted->id[i] <= id[j], step_j = id[j] <= wanted->id[i];
        i += step_i;
        j += step_j;
    }
    return (int64_t)(shared * SIMILARITY_ONE /
                     (wanted->trigram_count + of->trigram_count - shared));
}

void name_search_find(struct name_search *search, const char *text, struct shortlist *nearest,
                      struct shortlist *contained)
{
    const struct name_index *index = search->index;
    struct wanted wanted;
    struct shortlist near = {.limit = NEAR_GROUPS_MAX};
    wanted_make(index, text, &wanted);
    nearest->count = contained->count = 0;
    nearest->limit = NAMES_NEAREST_MAX;
    contained->limit = NAMES_CONTAINED_MAX;
    uint32_t most = gather(search, &wanted);
    bool all = search->touched_count <= TOUCHED_FEW;
    for (size_t i = 0; i < search->touched_count; i++) {
        uint32_t group = search->touched[i], shared = search->weight[group];
        search->weight[group] = 0;
        if (!all && shared < most / 3)
            continue;
        uint32_t theirs = index->groups[group].weight;
        uint32_t shorter = theirs < wanted.weight ? theirs : wanted.weight;
        int64_t dice = (int64_t)shared * 2 * SHARE_ONE / (wanted.weight + theirs);
        int64_t share = (int64_t)shared * SHARE_ONE / shorter;
        shortlist_offer(&near, (struct hit){.first = -dice, .rank = group, .at = group});
        shortlist_offer(contained, (struct hit){-share, -dice, group, group});
    }
    for (size_t i = 0; i < near.count; i++) {
        uint32_t group = near.hit[i].at;
        shortlist_offer(nearest, (struct hit){.first = -similarity(index, &wanted, group),
                                              .second = near.hit[i].first,
                                              .rank = group,
                                              .at = group});
    }
}
