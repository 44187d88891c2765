/* What each profile is fitted on and measured on: generated worlds and, where they fit, parts of
 * the public sets. */
#ifndef SLUICE_TRAIN_MIXTURE_H
#define SLUICE_TRAIN_MIXTURE_H

#include "matcher/train/world.h"

struct profile {
    const char *name;
    enum match_role role;
};

extern const struct profile profiles[];
enum { PROFILE_COUNT = 3 };

/* Everything that the fit sees, but the set named `left_out` (NULL: all). */
enum err mixture_training(struct arena *arena, const struct profile *profile, const char *data,
                          const char *left_out, struct example_list *into) MUST_USE;

/* One thing that is measured. */
struct held_out {
    const char *name;
    const char *set;   /* a public set; NULL: worlds */
    double null_share; /* negative: as the worlds have it */
    bool stale;        /* worlds whose ledgers do not show all that exists are among them */
    bool recurring;    /* every party buys the same again and again */
    bool as_name;      /* memos stand in the name */
};

/* A held-out world, whose ledger shows all that exists. */
struct world mixture_held_out_world(const struct profile *profile, int number);

/* Number `i` of what the profile is measured on; NULL after the last. */
const struct held_out *mixture_held_out(const struct profile *profile, size_t i);
enum err mixture_measured(struct arena *arena, const struct profile *profile, const char *data,
                          const struct held_out *held_out, struct example_list *into) MUST_USE;

#endif
