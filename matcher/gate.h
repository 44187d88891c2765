/* The gate: how likely the item will stand as it is, unattended. Three axes, each 0..10000 and each
 * explained by its parts. Until a workspace has enough reviews the result says `uncalibrated`. */
#ifndef SLUICE_MATCHER_GATE_H
#define SLUICE_MATCHER_GATE_H

#include "matcher/model.h"

/* What the resolution of the counterparty rests on. */
enum counterparty_basis {
    BASIS_NONE,   /* nothing that names anybody */
    BASIS_NAME,   /* a name, or an address, and no more */
    BASIS_ALIAS,  /* a name that a person confirmed */
    BASIS_STRONG, /* VAT id, SIREN, IBAN or the source's own customer id */
    BASIS_COUNT
};

const char *counterparty_basis_name(enum counterparty_basis basis);
bool counterparty_basis_parse(const char *name, enum counterparty_basis *into);

enum usual { USUAL_UNKNOWN, USUAL_NO, USUAL_YES, USUAL_COUNT };

const char *usual_name(enum usual usual);
bool usual_parse(const char *name, enum usual *into);

/* What the caller knows from its store. Unknown is the zero of every field. */
struct gate_facts {
    bool document;  /* a document exists or can be rendered without gaps */
    bool tax_known; /* the source says the tax, or that there is none */
    enum counterparty_basis basis;
    int64_t resolution_p_micro; /* for BASIS_NAME: how sure the resolution is; 0 for a new name */
    int64_t posts;              /* earlier items of this counterparty that were posted and stood */
    int64_t overturned;         /* earlier ones that a person rejected, undid or corrected */
    /* Amounts of its earlier posts in this currency; currency "" when there are none. */
    struct money usual_low;
    struct money usual_high;
    enum usual currency_usual; /* was there a post of this counterparty in this currency? */
    enum usual kind_usual;     /* … of this kind of record? */
};

/* The parts of the axes as levels: this is what is stored, and replay starts from it. */
#define GATE_PART_TABLE(X)                                                                         \
    X(NAME, "name", AXIS_COMPLETENESS, 1)                                                          \
    X(CONTACT, "contact", AXIS_COMPLETENESS, 1)                                                    \
    X(AMOUNT, "amount", AXIS_COMPLETENESS, 1)                                                      \
    X(DATE, "date", AXIS_COMPLETENESS, 1)                                                          \
    X(REFERENCE, "reference", AXIS_COMPLETENESS, 1)                                                \
    X(DOCUMENT, "document", AXIS_COMPLETENESS, 1)                                                  \
    X(TAX, "tax", AXIS_COMPLETENESS, 1)                                                            \
    X(BASIS, "basis", AXIS_STRENGTH, 4)                                                            \
    X(POSTS, "earlier_posts", AXIS_STRENGTH, 3)                                                    \
    X(OVERTURNED, "overturned", AXIS_STRENGTH, 2)                                                  \
    X(AMOUNT_USUAL, "amount_usual", AXIS_FIT, 3)                                                   \
    X(CURRENCY_USUAL, "currency_usual", AXIS_FIT, 2)                                               \
    X(KIND_USUAL, "kind_usual", AXIS_FIT, 2)

#define GATE_PART_ENUM(id, name, axis, level_max) GATE_##id,
enum gate_part { GATE_PART_TABLE(GATE_PART_ENUM) GATE_PART_COUNT };
#undef GATE_PART_ENUM

struct gate_part_info {
    const char *name;
    enum gate_axis axis;
    int level_max;
};

const struct gate_part_info *gate_part_info(enum gate_part part);
const char *gate_reason(enum gate_part part, int level);

struct gate_vector {
    uint8_t level[GATE_PART_COUNT];
};

struct gate_vector gate_vector_of(const struct match_record *record,
                                  const struct gate_facts *facts);
bool gate_write(struct buf *into, const struct gate_vector *vector);
bool gate_parse(const char *text, size_t n, struct gate_vector *into);

struct gate_part_result {
    enum gate_part part;
    int level;
    int64_t value_e4;       /* what it adds to its axis */
    int64_t log_odds_micro; /* what it adds to the sum */
};

struct gate_axis_result {
    int64_t value_e4;       /* 0..10000: Σ of its parts */
    int64_t log_odds_micro; /* Σ of its parts */
};

struct gate_result {
    struct gate_axis_result axes[AXIS_COUNT];
    struct gate_part_result parts[GATE_PART_COUNT];
    int64_t base_log_odds_micro; /* the intercept with the workspace's shift */
    int64_t p_micro;
    bool uncalibrated;
};

/* `shift_micro` is what the reviews of the workspace taught (0 at a cold start). */
void gate_score(const struct gate_model *model, const struct gate_vector *vector,
                int64_t shift_micro, int64_t reviews, struct gate_result *into);

#endif
