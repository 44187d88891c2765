#include "base/base.h"

#include "base/text.h"
#include "matcher/compare.h"
#include "matcher/features.h"
#include "matcher/levels.h"

static const struct feature_info infos[] = {
#define FEATURE_INFO(id, name, group, levels, against) {name, group, levels, against},
    FEATURE_TABLE(FEATURE_INFO)
#undef FEATURE_INFO
};

/* What the levels say, from "missing" up. */
static const char *const reasons[FEATURE_COUNT][FEATURE_LEVELS_MAX] = {
    [FEATURE_IDENTIFIER] = {"identifier_missing", "registration_differs", "account_differs",
                            "email_domain_equal", "email_equal", "iban_equal",
                            "registration_equal"},
    [FEATURE_EMAIL] = {"email_missing", "email_differs", "email_resembles", "email_same"},
    [FEATURE_ALIAS] = {"alias_none", "alias_confirmed"},
    [FEATURE_NAME] = {"name_missing", "name_unrelated", "name_faint", "name_weak", "name_half",
                      "name_similar", "name_near", "name_close", "name_very_close", "name_equal"},
    [FEATURE_NAME_SPELLING] = {"name_spelling_missing", "name_spelling_below_15",
                               "name_spelling_from_15", "name_spelling_from_30",
                               "name_spelling_from_45", "name_spelling_from_60",
                               "name_spelling_from_75", "name_spelling_from_90"},
    [FEATURE_NAME_RARITY] = {"name_rarity_none", "name_common", "name_usual", "name_rare"},
    [FEATURE_NAME_EXTRA] = {"name_extra_none", "name_extra_both", "name_extra_one",
                            "name_complete"},
    [FEATURE_NAME_NUMBER] = {"name_number_none", "name_number_differs", "name_number_one_side",
                             "name_number_equal"},
    [FEATURE_NAME_RANK] = {"name_rank_none", "name_behind", "name_tied", "name_best"},
    [FEATURE_NAME_ACRONYM] = {"name_acronym_none", "name_acronym"},
    [FEATURE_LEGAL_FORM] = {"legal_form_missing", "legal_form_differs", "legal_class_equal",
                            "legal_form_equal"},
    [FEATURE_ADDRESS] = {"address_missing", "address_unrelated", "address_weak", "address_half",
                         "address_similar", "address_close", "address_equal"},
    [FEATURE_ADDRESS_NUMBER] = {"address_number_none", "address_number_differs",
                                "address_number_one_side", "address_number_equal"},
    [FEATURE_POSTCODE] = {"postcode_missing", "postcode_differs", "postcode_area_equal",
                          "postcode_equal"},
    [FEATURE_PHONE] = {"phone_missing", "phone_differs", "phone_resembles", "phone_equal"},
    [FEATURE_LABEL] = {"label_missing", "label_unrelated", "label_from_10", "label_from_25",
                       "label_from_40", "label_from_50", "label_from_60", "label_from_70",
                       "label_from_80", "label_equal"},
    [FEATURE_LABEL_COVER] = {"label_cover_missing", "label_cover_below_30", "label_cover_from_30",
                             "label_cover_from_50", "label_cover_from_70", "label_cover_from_85",
                             "label_covered"},
    [FEATURE_LABEL_SPELLING] = {"label_spelling_missing", "label_spelling_below_5",
                                "label_spelling_from_5", "label_spelling_from_15",
                                "label_spelling_from_25", "label_spelling_from_35",
                                "label_spelling_from_45", "label_spelling_from_55",
                                "label_spelling_from_70", "label_spelling_from_90"},
    [FEATURE_LABEL_RARITY] = {"label_rarity_missing", "label_shares_nothing_rare",
                              "label_rarity_from_20", "label_rarity_from_35",
                              "label_rarity_from_50", "label_rarity_from_65",
                              "label_rarity_from_80"},
    [FEATURE_LABEL_RANK] = {"label_rank_none", "label_far_behind", "label_behind", "label_tied",
                            "label_best"},
    [FEATURE_AMOUNT] = {"amount_missing", "amount_differs", "amount_within_25_percent",
                        "amount_within_10_percent", "amount_within_6_percent",
                        "amount_within_3_percent", "amount_within_1_percent",
                        "amount_within_3_per_mille", "amount_net_of_fee", "amount_exact"},
    [FEATURE_AMOUNT_RARITY] = {"amount_rarity_none", "amount_round_hundred", "amount_round",
                               "amount_uneven"},
    [FEATURE_AMOUNT_RIVALS] = {"amount_rivals_none_asked", "amount_rivals_many",
                               "amount_rivals_few", "amount_unique"},
    [FEATURE_CURRENCY] = {"currency_missing", "currency_differs", "currency_equal"},
    [FEATURE_DATE_DISTANCE] = {"date_missing", "date_beyond_62_days", "date_within_62_days",
                               "date_within_24_days", "date_within_14_days", "date_within_7_days",
                               "date_within_4_days", "date_within_2_days", "date_within_1_day",
                               "date_same_day"},
    [FEATURE_DATE_ORDER] = {"date_order_open", "date_order_unusual", "date_order_unusual_by_days",
                            "date_order_usual"},
    [FEATURE_DATE_PERIOD] = {"date_period_none", "date_period_in_series", "date_period_apart"},
    [FEATURE_DUE_DATE] = {"due_date_none", "due_date_near"},
    [FEATURE_REFERENCE] = {"reference_missing", "reference_differs", "reference_resembles",
                           "reference_digits", "reference_contained", "reference_equal"},
    [FEATURE_STATED_NUMBER] = {"stated_number_none", "stated_number_differs"},
    [FEATURE_DESCRIPTION] = {"description_missing", "description_unrelated", "description_faint",
                             "description_similar", "description_close"},
};

static_assert(COUNT(infos) == FEATURE_COUNT, "every feature has its row");

const char *feature_group_name(enum feature_group group)
{
    static const char *const names[] = {"counterparty", "amount", "currency", "date", "reference"};
    assert(group < GROUP_COUNT);
    return names[group];
}

const char *match_role_name(enum match_role role)
{
    static const char *const names[] = {"document", "settlement", "counterparty"};
    assert(role < MATCH_ROLE_COUNT);
    return names[role];
}

const struct feature_info *feature_info(enum feature feature)
{
    assert(feature < FEATURE_COUNT);
    return &infos[feature];
}

const char *feature_reason(enum feature feature, int level)
{
    assert(feature < FEATURE_COUNT && level >= 0 && level <= infos[feature].levels);
    return reasons[feature][level];
}

static struct level_scale scale_of(int i)
{
    return (struct level_scale){infos[i].name, infos[i].levels};
}

bool features_write(struct buf *into, const struct feature_vector *vector)
{
    return levels_write(into, scale_of, vector->level, FEATURE_COUNT);
}

bool features_parse(const char *text, size_t n, struct feature_vector *into)
{
    return levels_parse(text, n, scale_of, into->level, FEATURE_COUNT);
}

static int amount_rarity(int64_t minor)
{
    return minor % 10000 == 0 ? 1 : minor % 100 == 0 ? 2 : 3;
}

/* Billing periods in days, with some days around each: week, fortnight, month, quarter, year. */
static const struct {
    int64_t from, to;
} periods[] = {{4, 10}, {11, 17}, {25, 34}, {86, 95}, {362, 369}};

enum { PERIOD_NONE = -1, PERIOD_MONTH = 2 };

static int period_of(int64_t days)
{
    int64_t apart = days < 0 ? -days : days;
    for (size_t i = 0; i < COUNT(periods); i++) {
        if (apart >= periods[i].from && apart <= periods[i].to)
            return (int)i;
    }
    return PERIOD_NONE;
}

/* The same party, and the same amount: entries of one purchase that comes again look like this. */
static bool repeats(const struct feature_vector *vector)
{
    const uint8_t *level = vector->level;
    return level[FEATURE_AMOUNT] >= AMOUNT_EXPLAINED &&
           (level[FEATURE_NAME] >= NAME_AGREES || level[FEATURE_IDENTIFIER] >= IDENTIFIER_STRONG);
}

/* One record against its list. */
struct list {
    const struct match_side *record;
    const struct match_side *const *entries;
    size_t count;
    struct feature_vector *vectors;
};

static bool in_series(const struct list *list, size_t of, int period)
{
    const struct match_side *const *entries = list->entries;
    for (size_t i = 0; i < list->count; i++) {
        if (i != of && entries[i]->date.days != DATE_NONE && repeats(&list->vectors[i]) &&
            period_of((int64_t)entries[i]->date.days - entries[of]->date.days) == period)
            return true;
    }
    return false;
}

/* Is it the entry of the week, month, quarter or year before or after? Days and weeks are also how
 * long an entry takes, so a short period counts only where the series is seen. */
static void compare_periods(const struct list *list)
{
    int32_t date = list->record->date.days;
    for (size_t i = 0; i < list->count && date != DATE_NONE; i++) {
        int32_t days = list->entries[i]->date.days;
        if (days == DATE_NONE || !repeats(&list->vectors[i]))
            continue;
        int period = period_of((int64_t)days - date);
        if (period == PERIOD_NONE)
            continue;
        if (in_series(list, i, period))
            list->vectors[i].level[FEATURE_DATE_PERIOD] = 1;
        else if (period >= PERIOD_MONTH)
            list->vectors[i].level[FEATURE_DATE_PERIOD] = 2;
    }
}

int record_fields_missing(const struct match_record *record, enum match_role role)
{
    bool unnamed = text_blank(record->name) && text_blank(record->description);
    if (role == MATCH_COUNTERPARTY)
        return unnamed;
    return unnamed + text_blank(record->reference) + !*record->amount.currency;
}

struct ranking {
    int best, second;
};

static void ranking_add(struct ranking *ranking, int score)
{
    if (score > ranking->best) {
        ranking->second = ranking->best;
        ranking->best = score;
    } else if (score > ranking->second) {
        ranking->second = score;
    }
}

static int rank_level(const struct ranking *ranking, int score)
{
    bool alone = ranking->best - ranking->second >= RANK_GAP;
    return ranking->best - score >= RANK_GAP ? 1 : alone ? 3 : 2;
}

static int label_rank_level(const struct ranking *ranking, int score)
{
    int level = rank_level(ranking, score);
    return level > 1 ? level + 1 : ranking->best - score >= 4 * RANK_GAP ? 1 : 2;
}

/* Rivals with the same amount, and the rank of the name: about the whole list. Consumed entries are
 * no rivals of anybody. */
static void compare_list(const struct list *list, const struct comparison *comparisons)
{
    struct ranking names = {0, 0}, labels = {0, 0};
    int exact = 0;
    bool ranked = list->count >= RANKED_MIN;
    for (size_t i = 0; i < list->count; i++) {
        if (list->entries[i]->entry->consumed)
            continue;
        exact += list->vectors[i].level[FEATURE_AMOUNT] >= AMOUNT_EXPLAINED;
        ranking_add(&names, comparisons[i].name_score);
        ranking_add(&labels, comparisons[i].label_score);
    }
    for (size_t i = 0; i < list->count; i++) {
        uint8_t *level = list->vectors[i].level;
        if (level[FEATURE_AMOUNT] >= AMOUNT_EXPLAINED) {
            int rivals = list->entries[i]->entry->consumed ? exact : exact - 1;
            level[FEATURE_AMOUNT_RIVALS] = rivals >= 3 ? 1 : rivals >= 1 ? 2 : 3;
            level[FEATURE_AMOUNT_RARITY] = (uint8_t)amount_rarity(list->entries[i]->amount.minor);
        }
        if (ranked && level[FEATURE_NAME] > 0 && names.best >= RANK_FROM)
            level[FEATURE_NAME_RANK] = (uint8_t)rank_level(&names, comparisons[i].name_score);
        if (ranked && level[FEATURE_LABEL] > 0 && labels.best >= RANK_FROM)
            level[FEATURE_LABEL_RANK] =
                (uint8_t)label_rank_level(&labels, comparisons[i].label_score);
    }
}

enum err features_of_sides(struct arena *arena, const struct match_side *record,
                           const struct match_side *const *entries, size_t count,
                           enum match_role role, struct feature_vector *vectors)
{
    struct comparison comparisons[MATCH_CANDIDATES_MAX];
    if (count > MATCH_CANDIDATES_MAX)
        return arena_fail(arena, ERR_LIMIT, "candidates",
                          "%zu entries of the role %s were offered, at most %d are taken.", count,
                          match_role_name(role), MATCH_CANDIDATES_MAX);
    for (size_t i = 0; i < count; i++)
        comparisons[i] = compare_sides(record, entries[i], role, &vectors[i]);
    struct list list = {record, entries, count, vectors};
    compare_list(&list, comparisons);
    compare_periods(&list);
    return OK;
}

enum err features_of(struct arena *arena, const struct feature_question *question,
                     struct feature_vector *vectors)
{
    const struct match_side *entries[MATCH_CANDIDATES_MAX];
    size_t count = question->count <= MATCH_CANDIDATES_MAX ? question->count : 0;
    for (size_t i = 0; i < count; i++)
        entries[i] = side_of_entry(arena, &question->entries[i], question->counts);
    return features_of_sides(arena, side_of_record(arena, question->record, question->counts),
                             entries, question->count, question->role, vectors);
}
