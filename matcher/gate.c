#include "base/base.h"

#include "base/text.h"
#include "matcher/fixed.h"
#include "matcher/gate.h"
#include "matcher/levels.h"

enum { AXIS_ONE = 10000, USUAL_FACTOR = 3, RESOLUTION_SURE_MICRO = 850000, POSTS_ENOUGH = 3 };

static const struct gate_part_info infos[] = {
#define GATE_PART_INFO(id, name, axis, level_max) {name, axis, level_max},
    GATE_PART_TABLE(GATE_PART_INFO)
#undef GATE_PART_INFO
};

/* What a level of a part adds to its axis. The axes are definitions, their weights are fitted. A
 * full record, a strong identifier (or a name with three earlier posts) and the usual fit are 10000
 * each; "unknown" of the fit lies between. */
struct part_level {
    enum gate_part part;
    int level;
    const char *reason;
    int value_e4;
};

static const struct part_level part_levels[] = {
    {GATE_NAME, 0, "name_absent", 0},
    {GATE_NAME, 1, "name_present", 1300},
    {GATE_CONTACT, 0, "contact_absent", 0},
    {GATE_CONTACT, 1, "contact_present", 450},
    {GATE_AMOUNT, 0, "amount_absent", 0},
    {GATE_AMOUNT, 1, "amount_present", 3700},
    {GATE_DATE, 0, "date_absent", 0},
    {GATE_DATE, 1, "date_present", 1750},
    {GATE_REFERENCE, 0, "reference_absent", 0},
    {GATE_REFERENCE, 1, "reference_present", 650},
    {GATE_DOCUMENT, 0, "document_absent", 0},
    {GATE_DOCUMENT, 1, "document_present", 1700},
    {GATE_TAX, 0, "tax_unknown", 0},
    {GATE_TAX, 1, "tax_known", 450},
    {GATE_BASIS, 0, "counterparty_unnamed", 0},
    {GATE_BASIS, 1, "counterparty_new_name", 5900},
    {GATE_BASIS, 2, "counterparty_by_name", 6500},
    {GATE_BASIS, 3, "counterparty_by_alias", 9200},
    {GATE_BASIS, 4, "counterparty_by_identifier", 10000},
    {GATE_POSTS, 0, "no_earlier_post", 0},
    {GATE_POSTS, 1, "one_earlier_post", 1300},
    {GATE_POSTS, 2, "two_earlier_posts", 2300},
    {GATE_POSTS, 3, "three_earlier_posts", 3500},
    {GATE_OVERTURNED, 0, "often_overturned", -6600},
    {GATE_OVERTURNED, 1, "once_overturned", -3700},
    {GATE_OVERTURNED, 2, "never_overturned", 0},
    {GATE_AMOUNT_USUAL, 0, "amount_history_unknown", 2900},
    {GATE_AMOUNT_USUAL, 1, "amount_unusual", 0},
    {GATE_AMOUNT_USUAL, 2, "amount_near_usual", 3100},
    {GATE_AMOUNT_USUAL, 3, "amount_usual", 3900},
    {GATE_CURRENCY_USUAL, 0, "currency_history_unknown", 2650},
    {GATE_CURRENCY_USUAL, 1, "currency_unusual", 0},
    {GATE_CURRENCY_USUAL, 2, "currency_usual", 3050},
    {GATE_KIND_USUAL, 0, "kind_history_unknown", 2650},
    {GATE_KIND_USUAL, 1, "kind_unusual", 0},
    {GATE_KIND_USUAL, 2, "kind_usual", 3050},
};

static const struct part_level *part_level(enum gate_part part, int level)
{
    assert(part < GATE_PART_COUNT && level >= 0 && level <= infos[part].level_max);
    size_t at = 0; /* every level has its row */
    while (at + 1 < COUNT(part_levels) &&
           (part_levels[at].part != part || part_levels[at].level != level))
        at++;
    return &part_levels[at];
}

const char *gate_axis_name(enum gate_axis axis)
{
    static const char *const names[] = {"field_completeness", "counterparty_strength",
                                        "policy_fit"};
    assert(axis < AXIS_COUNT);
    return names[axis];
}

const struct gate_part_info *gate_part_info(enum gate_part part)
{
    assert(part < GATE_PART_COUNT);
    return &infos[part];
}

const char *gate_reason(enum gate_part part, int level)
{
    return part_level(part, level)->reason;
}

static const char *const basis_names[] = {"none", "name", "alias", "strong"};
static const char *const usual_names[] = {"unknown", "no", "yes"};

const char *counterparty_basis_name(enum counterparty_basis basis)
{
    assert(basis < BASIS_COUNT);
    return basis_names[basis];
}

bool counterparty_basis_parse(const char *name, enum counterparty_basis *into)
{
    for (int i = 0; i < BASIS_COUNT; i++) {
        if (strcmp(name, basis_names[i]) == 0) {
            *into = (enum counterparty_basis)i;
            return true;
        }
    }
    return false;
}

const char *usual_name(enum usual usual)
{
    assert(usual < USUAL_COUNT);
    return usual_names[usual];
}

bool usual_parse(const char *name, enum usual *into)
{
    for (int i = 0; i < USUAL_COUNT; i++) {
        if (strcmp(name, usual_names[i]) == 0) {
            *into = (enum usual)i;
            return true;
        }
    }
    return false;
}

static int basis_level(const struct gate_facts *facts)
{
    switch (facts->basis) {
    case BASIS_NAME:
        return facts->resolution_p_micro >= RESOLUTION_SURE_MICRO ? 2 : 1;
    case BASIS_ALIAS:
        return 3;
    case BASIS_STRONG:
        return 4;
    case BASIS_NONE:
    case BASIS_COUNT:
        break;
    }
    return 0;
}

static int overturned_level(const struct gate_facts *facts)
{
    if (facts->overturned <= 0)
        return 2;
    return facts->overturned >= 2 || facts->posts < POSTS_ENOUGH ? 0 : 1;
}

static uint64_t magnitude(int64_t value)
{
    return value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
}

static int amount_level(const struct money *amount, const struct gate_facts *facts)
{
    if (!*facts->usual_low.currency || !*amount->currency)
        return 0;
    if (strcmp(facts->usual_low.currency, amount->currency) != 0)
        return 0;
    uint64_t value = magnitude(amount->minor);
    uint64_t low = magnitude(facts->usual_low.minor), high = magnitude(facts->usual_high.minor);
    if (low > high) {
        uint64_t swap = low;
        low = high;
        high = swap;
    }
    if (value >= low && value <= high)
        return 3;
    return value >= low / USUAL_FACTOR && value / USUAL_FACTOR <= high ? 2 : 1;
}

struct gate_vector gate_vector_of(const struct match_record *record, const struct gate_facts *facts)
{
    bool contact = !text_blank(record->email) || !text_blank(record->vat_id) ||
                   !text_blank(record->siren) || !text_blank(record->iban) ||
                   !text_blank(record->customer_id);
    int64_t posts = facts->posts < 0 ? 0 : facts->posts;
    struct gate_vector vector = {{0}};
    vector.level[GATE_NAME] = !text_blank(record->name);
    vector.level[GATE_CONTACT] = contact;
    vector.level[GATE_AMOUNT] = *record->amount.currency != '\0';
    vector.level[GATE_DATE] = record->date.days != DATE_NONE;
    vector.level[GATE_REFERENCE] = !text_blank(record->reference);
    vector.level[GATE_DOCUMENT] = facts->document;
    vector.level[GATE_TAX] = facts->tax_known;
    vector.level[GATE_BASIS] = (uint8_t)basis_level(facts);
    vector.level[GATE_POSTS] = (uint8_t)(posts < POSTS_ENOUGH ? posts : POSTS_ENOUGH);
    vector.level[GATE_OVERTURNED] = (uint8_t)overturned_level(facts);
    vector.level[GATE_AMOUNT_USUAL] = (uint8_t)amount_level(&record->amount, facts);
    vector.level[GATE_CURRENCY_USUAL] = (uint8_t)facts->currency_usual;
    vector.level[GATE_KIND_USUAL] = (uint8_t)facts->kind_usual;
    return vector;
}

static struct level_scale scale_of(int i)
{
    return (struct level_scale){infos[i].name, infos[i].level_max};
}

bool gate_write(struct buf *into, const struct gate_vector *vector)
{
    return levels_write(into, scale_of, vector->level, GATE_PART_COUNT);
}

bool gate_parse(const char *text, size_t n, struct gate_vector *into)
{
    return levels_parse(text, n, scale_of, into->level, GATE_PART_COUNT);
}

/* What `wanted` adds to an axis that may only move within 0..10000. */
static int64_t within_axis(int64_t axis, int64_t wanted)
{
    int64_t sum = axis + wanted;
    sum = sum < 0 ? 0 : sum > AXIS_ONE ? AXIS_ONE : sum;
    return sum - axis;
}

void gate_score(const struct gate_model *model, const struct gate_vector *vector,
                int64_t shift_micro, int64_t reviews, struct gate_result *into)
{
    memset(into, 0, sizeof *into);
    into->base_log_odds_micro = model->intercept_micro + shift_micro;
    int64_t sum = into->base_log_odds_micro;
    for (int i = 0; i < GATE_PART_COUNT; i++) {
        struct gate_axis_result *axis = &into->axes[infos[i].axis];
        struct gate_part_result *part = &into->parts[i];
        part->part = (enum gate_part)i;
        part->level = vector->level[i];
        part->value_e4 = within_axis(axis->value_e4, part_level(part->part, part->level)->value_e4);
        part->log_odds_micro = model->weight_micro[infos[i].axis] * part->value_e4 / AXIS_ONE;
        axis->value_e4 += part->value_e4;
        axis->log_odds_micro += part->log_odds_micro;
        sum += part->log_odds_micro;
    }
    into->p_micro = fixed_logistic(sum);
    into->uncalibrated = reviews < model->reviews_min;
    if (into->uncalibrated && into->p_micro > model->p_max_micro)
        into->p_micro = model->p_max_micro;
}
