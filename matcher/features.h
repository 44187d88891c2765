/* Features: the evidence between one record and one entry as levels. Level 0 is "missing" (one side
 * does not say) and is never a disagreement; from 1 upwards the levels go from speaking against to
 * speaking for, and the weight of a level never falls as the level rises. A vector of levels is all
 * that the models see: it is what is stored, and replay starts from it. */
#ifndef SLUICE_MATCHER_FEATURES_H
#define SLUICE_MATCHER_FEATURES_H

#include "base/buf.h"
#include "matcher/normalise.h"
#include "matcher/record.h"

/* Changes when a feature, a level or the meaning of one changes. Models name the one they fit. */
#define FEATURE_SCHEMA "1"

enum feature_group {
    GROUP_COUNTERPARTY,
    GROUP_AMOUNT,
    GROUP_CURRENCY,
    GROUP_DATE,
    GROUP_REFERENCE,
    GROUP_COUNT
};

const char *feature_group_name(enum feature_group group);

/* name, group, number of levels beside "missing", the last level that speaks against (its weight
 * and those below are at most 0, those above at least 0) */
#define FEATURE_TABLE(X)                                                                           \
    X(IDENTIFIER, "identifier", GROUP_COUNTERPARTY, 6, 2)                                          \
    X(EMAIL, "email", GROUP_COUNTERPARTY, 3, 1)                                                    \
    X(ALIAS, "alias", GROUP_COUNTERPARTY, 1, 0)                                                    \
    X(NAME, "name", GROUP_COUNTERPARTY, 9, 4)                                                      \
    X(NAME_SPELLING, "name_spelling", GROUP_COUNTERPARTY, 7, 3)                                    \
    X(NAME_RARITY, "name_rarity", GROUP_COUNTERPARTY, 3, 1)                                        \
    X(NAME_EXTRA, "name_extra", GROUP_COUNTERPARTY, 3, 2)                                          \
    X(NAME_NUMBER, "name_number", GROUP_COUNTERPARTY, 3, 2)                                        \
    X(NAME_RANK, "name_rank", GROUP_COUNTERPARTY, 3, 1)                                            \
    X(NAME_ACRONYM, "name_acronym", GROUP_COUNTERPARTY, 1, 0)                                      \
    X(LEGAL_FORM, "legal_form", GROUP_COUNTERPARTY, 3, 1)                                          \
    X(ADDRESS, "address", GROUP_COUNTERPARTY, 6, 2)                                                \
    X(ADDRESS_NUMBER, "address_number", GROUP_COUNTERPARTY, 3, 2)                                  \
    X(POSTCODE, "postcode", GROUP_COUNTERPARTY, 3, 1)                                              \
    X(PHONE, "phone", GROUP_COUNTERPARTY, 3, 1)                                                    \
    X(LABEL, "label", GROUP_COUNTERPARTY, 9, 3)                                                    \
    X(LABEL_COVER, "label_cover", GROUP_COUNTERPARTY, 6, 2)                                        \
    X(LABEL_SPELLING, "label_spelling", GROUP_COUNTERPARTY, 9, 3)                                  \
    X(LABEL_RARITY, "label_rarity", GROUP_COUNTERPARTY, 6, 1)                                      \
    X(LABEL_RANK, "label_rank", GROUP_COUNTERPARTY, 4, 1)                                          \
    X(AMOUNT, "amount", GROUP_AMOUNT, 9, 3)                                                        \
    X(AMOUNT_RARITY, "amount_rarity", GROUP_AMOUNT, 3, 1)                                          \
    X(AMOUNT_RIVALS, "amount_rivals", GROUP_AMOUNT, 3, 1)                                          \
    X(CURRENCY, "currency", GROUP_CURRENCY, 2, 1)                                                  \
    X(DATE_DISTANCE, "date_distance", GROUP_DATE, 9, 3)                                            \
    X(DATE_ORDER, "date_order", GROUP_DATE, 3, 2)                                                  \
    X(DATE_PERIOD, "date_period", GROUP_DATE, 2, 2)                                                \
    X(DUE_DATE, "due_date", GROUP_DATE, 1, 0)                                                      \
    X(REFERENCE, "reference", GROUP_REFERENCE, 5, 2)                                               \
    X(STATED_NUMBER, "stated_number", GROUP_REFERENCE, 1, 1)                                       \
    X(DESCRIPTION, "description", GROUP_REFERENCE, 4, 1)

#define FEATURE_ENUM(id, name, group, levels, against) FEATURE_##id,
enum feature { FEATURE_TABLE(FEATURE_ENUM) FEATURE_COUNT };
#undef FEATURE_ENUM

enum { FEATURE_LEVELS_MAX = 10 }; /* with "missing" */

struct feature_info {
    const char *name;
    enum feature_group group;
    int levels;  /* beside "missing" */
    int against; /* levels 1 to this one speak against, those above for */
};

const struct feature_info *feature_info(enum feature feature);
/* What a level says, for people and as the reason code: "amount_exact", "name_missing". */
const char *feature_reason(enum feature feature, int level);

struct feature_vector {
    uint8_t level[FEATURE_COUNT];
};

/* How often words occur among the names of a workspace: a word that many names share says less.
 * `tokens` is sorted by bytes. Zero names: the default, by the kind of the word alone. */
struct token_count {
    const char *token;
    int64_t names; /* how many names have it */
};

struct token_counts {
    const struct token_count *tokens;
    size_t count;
    int64_t names; /* all names counted */
};

/* Counts the words of names and memos, each once per text. Blank texts are not counted. */
struct token_counts token_counts_of(struct arena *arena, const char *const *texts, size_t count);

/* One record and the entries of one role. */
struct feature_question {
    const struct match_record *record;
    const struct match_entry *entries;
    size_t count;
    enum match_role role;
    const struct token_counts *counts; /* NULL: the default */
};

/* Everything between them. Rivals and ranks are about this list, so they do not depend on the order
 * of the entries. `vectors` has room for `count`. ERR_LIMIT above MATCH_CANDIDATES_MAX. */
enum err features_of(struct arena *arena, const struct feature_question *question,
                     struct feature_vector *vectors) MUST_USE;

/* How many of name, reference and amount the record does not say: 0..3. A counterparty is asked for
 * its name alone. */
int record_fields_missing(const struct match_record *record, enum match_role role);

/* The same in two steps, for entries that many records are compared with: a side is normalised once
 * and serves any number of threads. It points into what it was made from. */
struct match_side;
const struct match_side *side_of_record(struct arena *arena, const struct match_record *record,
                                        const struct token_counts *counts);
const struct match_side *side_of_entry(struct arena *arena, const struct match_entry *entry,
                                       const struct token_counts *counts);
/* A copy that needs nothing but what the original was made from: its arena may go. */
const struct match_side *side_copy(struct arena *arena, const struct match_side *side);
enum err features_of_sides(struct arena *arena, const struct match_side *record,
                           const struct match_side *const *entries, size_t count,
                           enum match_role role, struct feature_vector *vectors) MUST_USE;

/* "identifier=0 alias=0 name=7 …" in the order of the table; parsing takes exactly that. */
bool features_write(struct buf *into, const struct feature_vector *vector);
bool features_parse(const char *text, size_t n, struct feature_vector *into);

#endif
