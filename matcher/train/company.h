/* Made-up companies and persons, their look-alike siblings, and how their names are written. */
#ifndef SLUICE_TRAIN_COMPANY_H
#define SLUICE_TRAIN_COMPANY_H

#include "base/arena.h"
#include "matcher/train/random.h"

struct company {
    const char *core;  /* "Boulangerie Lefèvre" */
    const char *legal; /* "SARL"; "" for a person */
    const char *city;
    const char *email;
    const char *vat_id; /* NULL when it has none */
    const char *iban;
    const char *customer_id;
    const char *address;
    const char *postcode;
    const char *phone;
    int64_t subscription_minor; /* 0: buys different things every time */
    int family;                 /* siblings share it */
};

/* How names are disturbed, as probabilities. */
struct name_noise {
    double upper, legal_dropped, legal_respelled, accents_lost, truncated, abbreviated, typo,
        reordered, descriptor, city_added, other_name;
};

/* `vocabulary` 0 or 1: two sets of words, so that held-out worlds share none with training. */
struct company company_new(struct arena *arena, struct random *random, int vocabulary, int family);
struct company company_sibling(struct arena *arena, struct random *random, int vocabulary,
                               const struct company *of);
/* Street and house number as somebody else writes them; seldom those of another place. */
const char *company_address(struct arena *arena, struct random *random,
                            const struct company *company);
const char *company_postcode(struct arena *arena, struct random *random,
                             const struct company *company);
const char *company_email(struct arena *arena, struct random *random,
                          const struct company *company);
const char *company_phone(struct arena *arena, struct random *random,
                          const struct company *company);
const char *company_name(struct arena *arena, struct random *random, const struct company *company,
                         const struct name_noise *noise);

#endif
