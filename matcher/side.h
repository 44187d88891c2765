/* One side of a comparison, normalised once: a record, or an entry that many records are compared
 * with. Lives in the arena that made it, and points into the record or entry it was made from. */
#ifndef SLUICE_MATCHER_SIDE_H
#define SLUICE_MATCHER_SIDE_H

#include "matcher/features.h"

enum {
    NUMBERS_MAX = 8, /* stated in one text; later ones are not looked at */
    LABEL_WORDS_MAX = NAME_TOKENS_MAX
};

/* The trigrams of a text, sorted, each once. */
struct grams {
    const uint32_t *code;
    size_t count;
};

/* Words with what each of them says: 100 a rare one, 10 one that every name has. */
struct weighed {
    const struct name_token *tokens;
    const uint8_t *weight;
    size_t count;
    int total;
    bool cut; /* the last word may be the beginning of a longer one */
};

/* Identifiers in canonical form; NULL when absent or not valid. */
struct identity {
    const char *vat_id;
    const char *siren;
    const char *iban;
    const char *customer_id;
    const char *email;
    const char *domain;
};

struct match_side {
    const struct match_entry *entry; /* NULL: a record */
    struct money amount, fee;
    struct date date, due_date;
    struct name_form name;
    struct weighed name_words;
    struct grams name_grams;
    /* A bank's memo stands alone, as the name or as the description: the label. */
    bool labelled;
    struct weighed label_words;
    struct grams label_grams;
    struct identity identity;
    const char *reference; /* normalised, as are the next two */
    const char *text;      /* the description, or the name where there is none */
    const char *file_name;
    const char *numbers[NUMBERS_MAX]; /* of a record: that its text states */
    size_t number_count;
    struct grams description;
    struct weighed address;
    const char *postcode; /* upper case, no separators; NULL when absent */
    const char *phone;    /* the last digits; NULL when absent */
};

/* The words of a text as they stand, without weights: nothing is glued, tagged or left out. */
struct weighed words_plain(struct arena *arena, const char *raw);

struct weighed words_weigh(struct arena *arena, const struct name_token *tokens, size_t count,
                           const struct token_counts *counts);

#endif
