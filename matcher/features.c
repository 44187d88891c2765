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
    [FEATURE_ALIAS] = {"alias_none", "alias_confirmed"},
    [FEATURE_NAME] = {"name_missing", "name_unrelated", "name_faint", "name_weak", "name_half",
                      "name_similar", "name_close", "name_very_close", "name_equal"},
    [FEATURE_NAME_RARITY] = {"name_rarity_none", "name_common", "name_usual", "name_rare"},
    [FEATURE_NAME_EXTRA] = {"name_extra_none", "name_extra_both", "name_extra_one",
                            "name_complete"},
    [FEATURE_NAME_NUMBER] = {"name_number_none", "name_number_differs", "name_number_one_side",
                             "name_number_equal"},
    [FEATURE_NAME_RANK] = {"name_rank_none", "name_behind", "name_tied", "name_best"},
    [FEATURE_LEGAL_FORM] = {"legal_form_missing", "legal_form_differs", "legal_class_equal",
                            "legal_form_equal"},
    [FEATURE_AMOUNT] = {"amount_missing", "amount_differs", "amount_within_25_percent",
                        "amount_within_10_percent", "amount_within_3_percent",
                        "amount_within_half_percent", "amount_net_of_fee", "amount_exact"},
    [FEATURE_AMOUNT_RARITY] = {"amount_rarity_none", "amount_round_hundred", "amount_round",
                               "amount_uneven"},
    [FEATURE_AMOUNT_RIVALS] = {"amount_rivals_none_asked", "amount_rivals_many",
                               "amount_rivals_few", "amount_unique"},
    [FEATURE_CURRENCY] = {"currency_missing", "currency_differs", "currency_equal"},
    [FEATURE_DATE_DISTANCE] = {"date_missing", "date_beyond_62_days", "date_within_62_days",
                               "date_within_24_days", "date_within_14_days", "date_within_7_days",
                               "date_within_3_days", "date_same_day"},
    [FEATURE_DATE_ORDER] = {"date_order_open", "date_order_unusual", "date_order_usual"},
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

static bool in_series(const struct match_entry *entries, const struct feature_vector *vectors,
                      size_t count, size_t of, int period)
{
    for (size_t i = 0; i < count; i++) {
        if (i != of && entries[i].date.days != DATE_NONE && repeats(&vectors[i]) &&
            period_of((int64_t)entries[i].date.days - entries[of].date.days) == period)
            return true;
    }
    return false;
}

/* Is it the entry of the week, month, quarter or year before or after? Days and weeks are also how
 * long an entry takes, so a short period counts only where the series is seen. */
static void compare_periods(const struct feature_question *question, struct feature_vector *vectors)
{
    const struct match_entry *entries = question->entries;
    int32_t date = question->record->date.days;
    for (size_t i = 0; i < question->count && date != DATE_NONE; i++) {
        if (entries[i].date.days == DATE_NONE || !repeats(&vectors[i]))
            continue;
        int period = period_of((int64_t)entries[i].date.days - date);
        if (period == PERIOD_NONE)
            continue;
        if (in_series(entries, vectors, question->count, i, period))
            vectors[i].level[FEATURE_DATE_PERIOD] = 1;
        else if (period >= PERIOD_MONTH)
            vectors[i].level[FEATURE_DATE_PERIOD] = 2;
    }
}

/* Rivals with the same amount, and the rank of the name: about the whole list. Consumed entries are
 * no rivals of anybody. */
static void compare_list(const struct match_entry *entries, const struct comparison *comparisons,
                         size_t count, struct feature_vector *vectors)
{
    int best = 0, second = 0, exact = 0;
    for (size_t i = 0; i < count; i++) {
        if (entries[i].consumed)
            continue;
        exact += vectors[i].level[FEATURE_AMOUNT] >= AMOUNT_EXPLAINED;
        int score = comparisons[i].name_score;
        second = score > best ? best : score > second ? score : second;
        best = score > best ? score : best;
    }
    for (size_t i = 0; i < count; i++) {
        uint8_t *level = vectors[i].level;
        if (level[FEATURE_AMOUNT] >= AMOUNT_EXPLAINED) {
            int rivals = entries[i].consumed ? exact : exact - 1;
            level[FEATURE_AMOUNT_RIVALS] = rivals >= 3 ? 1 : rivals >= 1 ? 2 : 3;
            level[FEATURE_AMOUNT_RARITY] = (uint8_t)amount_rarity(entries[i].amount.minor);
        }
        if (level[FEATURE_NAME] == 0 || best < NAME_RANK_FROM)
            continue;
        int behind = best - comparisons[i].name_score;
        bool alone = best - second >= NAME_RANK_GAP;
        level[FEATURE_NAME_RANK] = behind >= NAME_RANK_GAP ? 1 : alone ? 3 : 2;
    }
}

enum err features_of(struct arena *arena, const struct feature_question *question,
                     struct feature_vector *vectors)
{
    size_t count = question->count;
    if (count > MATCH_CANDIDATES_MAX)
        return arena_fail(arena, ERR_LIMIT, "candidates",
                          "%zu entries of the role %s were offered, at most %d are taken.", count,
                          match_role_name(question->role), MATCH_CANDIDATES_MAX);
    struct comparer *comparer =
        comparer_new(arena, question->record, question->role, question->counts);
    struct comparison *comparisons = arena_array(arena, count, sizeof *comparisons);
    for (size_t i = 0; i < count; i++)
        comparisons[i] = compare_entry(comparer, &question->entries[i], &vectors[i]);
    compare_list(question->entries, comparisons, count, vectors);
    compare_periods(question, vectors);
    return OK;
}
