#include "base/base.h"

#include "matcher/train/mixture.h"
#include "matcher/train/sets.h"
#include "matcher/train/world.h"

enum {
    TRAINING_WORLDS = 60,
    HELD_OUT_WORLDS = 20,
    EXAMPLES_MAX = 80000,
    BATCHES_MAX = 2000,
    WORLD_STEP = 7919
};

static const double pair_weight = 3;
static const uint64_t training_seed = 20260101, held_out_seed = 20279999;

const struct profile profiles[PROFILE_COUNT] = {{"invoice", MATCH_DOCUMENT},
                                                {"bank_transaction", MATCH_SETTLEMENT},
                                                {"company", MATCH_COUNTERPARTY}};

static enum err worlds_play(struct arena *arena, enum match_role role,
                            const struct held_out *held_out, struct example_list *into)
{
    int worlds = held_out ? HELD_OUT_WORLDS : TRAINING_WORLDS;
    for (int i = 0; i < worlds; i++) {
        uint64_t seed = (held_out ? held_out_seed : training_seed) + (uint64_t)i * WORLD_STEP;
        struct world world = world_draw(seed, role, held_out != NULL);
        if (held_out && held_out->null_share >= 0)
            world.null_share = held_out->null_share;
        if (held_out && !held_out->stale)
            world.view = VIEW_FRESH;
        if (held_out && held_out->recurring)
            world.recurring = 1;
        TRY(world_play(arena, &world, into));
    }
    return OK;
}

struct world mixture_held_out_world(const struct profile *profile, int number)
{
    struct world world =
        world_draw(held_out_seed + (uint64_t)number * WORLD_STEP, profile->role, true);
    world.view = VIEW_FRESH;
    return world;
}

/* A public set as one batch of a profile's training. */
struct ingredient {
    enum match_role role;
    const char *set;
    struct set_cut cut;
    double weight; /* of each example; a world's have 1 */
};

static const struct ingredient ingredients[] = {
    {MATCH_SETTLEMENT, "transactions", {PART_TRAINING, 0.05, 0.3, 11, false, 0}, 1},
    {MATCH_SETTLEMENT, "transactions", {PART_TRAINING, 0.15, 1, 12, true, 0}, 0.4},
    {MATCH_SETTLEMENT, "transactions", {PART_TRAINING, 0.5, 0.6, 13, false, 0}, 0.6},
    {MATCH_SETTLEMENT, "transactions", {PART_TRAINING, 0.3, 0.2, 14, true, 0}, 1},
    {MATCH_COUNTERPARTY, "patstat-nl", {PART_TRAINING, 0.1, 1, 21, true, 0}, 1},
    {MATCH_COUNTERPARTY, "patstat-nl", {PART_TRAINING, 0.3, 1, 22, true, 0}, 1},
    {MATCH_COUNTERPARTY, "patstat-nl", {PART_TRAINING, 0.5, 1, 23, true, 0}, 1},
    {MATCH_COUNTERPARTY, "fake1000", {PART_TRAINING, 0.1, 1, 31, true, 0}, 1},
    {MATCH_COUNTERPARTY, "fake1000", {PART_TRAINING, 0.3, 1, 32, false, 0}, 1},
    {MATCH_COUNTERPARTY, "fake1000", {PART_TRAINING, 0.1, 1, 34, false, 0}, 1},
    {MATCH_COUNTERPARTY, "fake1000", {PART_TRAINING, 0.5, 1, 33, true, 0}, 1},
};

static enum err set_play(struct arena *arena, const char *data, const char *set,
                         const struct set_cut *cut, double weight, struct example_list *into)
{
    struct arena *scratch = arena_open();
    struct pool pool;
    enum err err = set_read(scratch, data, set, cut, &pool);
    if (err == OK)
        err = pool_play(arena, &pool, set, weight, into);
    if (err != OK)
        arena_failure_move(arena, scratch, err);
    arena_close(scratch);
    return err;
}

/* Names that were made to be mistaken for one another, each pair on its own. */
static enum err pairs_play(struct arena *arena, const char *data, enum set_part part, double weight,
                           struct example_list *into)
{
    for (size_t i = 0; i < SET_PAIRS; i++) {
        struct set_cut cut = {part, 0, 1, 0, true, i};
        TRY(set_play(arena, data, "name-pairs", &cut, weight, into));
    }
    return OK;
}

enum err mixture_training(struct arena *arena, const struct profile *profile, const char *data,
                          const char *left_out, struct example_list *into)
{
    *into = examples_new(arena, EXAMPLES_MAX, BATCHES_MAX);
    if (!left_out || strcmp(left_out, "worlds") != 0)
        TRY(worlds_play(arena, profile->role, NULL, into));
    for (size_t i = 0; i < COUNT(ingredients); i++) {
        const struct ingredient *ingredient = &ingredients[i];
        if (ingredient->role != profile->role ||
            (left_out && strcmp(left_out, ingredient->set) == 0))
            continue;
        TRY(set_play(arena, data, ingredient->set, &ingredient->cut, ingredient->weight, into));
    }
    if (profile->role == MATCH_COUNTERPARTY && (!left_out || strcmp(left_out, "name-pairs") != 0))
        return pairs_play(arena, data, PART_TRAINING, pair_weight, into);
    return OK;
}

static const struct held_out held_outs[] = {
    {"worlds", NULL, -1, false, false, false},
    {"worlds_stale", NULL, -1, true, false, false},
    {"worlds_null_0", NULL, 0, false, false, false},
    {"worlds_null_15", NULL, 0.15, false, false, false},
    {"worlds_null_50", NULL, 0.5, false, false, false},
    {"worlds_recurring", NULL, -1, false, true, false},
    {"transactions_null_0", "transactions", 0, false, false, false},
    {"transactions_null_15", "transactions", 0.15, false, false, false},
    {"transactions_null_15_as_name", "transactions", 0.15, false, false, true},
    {"transactions_null_50", "transactions", 0.5, false, false, false},
    {"patstat_null_0", "patstat-nl", 0, false, false, false},
    {"patstat_null_15", "patstat-nl", 0.15, false, false, false},
    {"patstat_null_50", "patstat-nl", 0.5, false, false, false},
    {"fake1000_null_0", "fake1000", 0, false, false, false},
    {"fake1000_null_15", "fake1000", 0.15, false, false, false},
    {"fake1000_null_50", "fake1000", 0.5, false, false, false},
    {"name_pairs", "name-pairs", 0, false, false, false},
};

static bool measures(const struct profile *profile, const struct held_out *held_out)
{
    bool company = profile->role == MATCH_COUNTERPARTY;
    if (!held_out->set)
        return !company || (!held_out->recurring && !held_out->stale);
    if (strcmp(held_out->set, "transactions") == 0)
        return profile->role == MATCH_SETTLEMENT;
    return company;
}

const struct held_out *mixture_held_out(const struct profile *profile, size_t i)
{
    for (size_t k = 0; k < COUNT(held_outs); k++) {
        if (measures(profile, &held_outs[k]) && i-- == 0)
            return &held_outs[k];
    }
    return NULL;
}

enum err mixture_measured(struct arena *arena, const struct profile *profile, const char *data,
                          const struct held_out *held_out, struct example_list *into)
{
    *into = examples_new(arena, EXAMPLES_MAX, BATCHES_MAX);
    if (!held_out->set)
        return worlds_play(arena, profile->role, held_out, into);
    if (strcmp(held_out->set, "name-pairs") == 0)
        return pairs_play(arena, data, PART_HELD_OUT, 1, into);
    struct set_cut cut = {PART_HELD_OUT, held_out->null_share, 1, 99, held_out->as_name, 0};
    return set_play(arena, data, held_out->set, &cut, 1, into);
}
