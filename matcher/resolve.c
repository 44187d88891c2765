/* Who a record is about: strong identifiers, then confirmed aliases, then names. */
#include "base/base.h"

#include "base/text.h"
#include "matcher/compare.h"
#include "matcher/decide.h"
#include "matcher/similarity.h"

enum {
    EMAIL_EQUAL = 4, /* level of the identifier; those above are strong */
    LOOK_ALIKE_FROM = 9000
};

static struct match_entry entry_of(const struct known_counterparty *known)
{
    return (struct match_entry){
        .id = known->id,
        .date = {DATE_NONE},
        .due_date = {DATE_NONE},
        .name = known->name,
        .email = known->email,
        .vat_id = known->vat_id,
        .siren = known->siren,
        .iban = known->iban,
        .customer_id = known->customer_id,
        .analysed = true,
        .alias_confirmed = known->alias_confirmed,
    };
}

/* Strong: registration, bank account, customer id. */
static bool is_strong(const struct feature_vector *vector)
{
    return vector->level[FEATURE_IDENTIFIER] > EMAIL_EQUAL;
}

static void take(struct resolution *into, struct uuid id, enum counterparty_basis basis,
                 int64_t p_micro)
{
    into->found = true;
    into->id = id;
    into->basis = basis;
    into->p_micro = p_micro;
}

/* The strongest identifier decides; another counterparty with one as well is a conflict. Ties by
 * id, so that the order of the list does not matter. */
static void by_identifier(const struct known_counterparty *known, size_t count,
                          const struct feature_vector *vectors, struct resolution *into)
{
    int best = 0;
    for (size_t i = 0; i < count; i++) {
        int level = vectors[i].level[FEATURE_IDENTIFIER];
        if (!is_strong(&vectors[i]))
            continue;
        into->conflict = into->conflict || into->found;
        bool better = level > best || (level == best && memcmp(known[i].id.b, into->id.b, 16) < 0);
        if (!better)
            continue;
        best = level;
        take(into, known[i].id, BASIS_STRONG, MICRO);
    }
}

static void by_alias(const struct known_counterparty *known, size_t count,
                     const struct feature_vector *vectors, struct resolution *into)
{
    for (size_t i = 0; i < count; i++) {
        bool registration_differs = vectors[i].level[FEATURE_IDENTIFIER] == 1;
        if (!known[i].alias_confirmed || registration_differs)
            continue;
        into->conflict = into->conflict || into->found;
        if (!into->found || memcmp(known[i].id.b, into->id.b, 16) < 0)
            take(into, known[i].id, BASIS_ALIAS, MICRO);
    }
}

/* A name that is more than half the same, or an e-mail address: nothing in common is no answer,
 * even where nobody else is left. */
static bool speaks_for(const struct feature_vector *vector)
{
    return vector->level[FEATURE_NAME] > feature_info(FEATURE_NAME)->against ||
           vector->level[FEATURE_IDENTIFIER] > feature_info(FEATURE_IDENTIFIER)->against;
}

static void by_name(const struct match_context *context, const struct match_record *record,
                    const struct known_counterparty *known, size_t count,
                    const struct feature_vector *vectors, struct resolution *into)
{
    struct model_output output;
    struct model_input input = {
        .vectors = vectors,
        .count = count,
        .view = VIEW_FRESH,
        .fields_missing = record_fields_missing(record, MATCH_COUNTERPARTY),
        .null_shift_micro = context->null_shift_micro[MATCH_COUNTERPARTY],
    };
    model_score(model_current(context->models, MATCH_COUNTERPARTY), &input, &output);
    size_t best = 0;
    for (size_t i = 1; i < count; i++) {
        int64_t ahead = output.log_odds_micro[i] - output.log_odds_micro[best];
        if (ahead > 0 || (ahead == 0 && memcmp(known[i].id.b, known[best].id.b, 16) < 0))
            best = i;
    }
    into->basis = text_blank(record->name) && text_blank(record->email) ? BASIS_NONE : BASIS_NAME;
    into->p_micro = output.null_p_micro;
    if (count > 0 && speaks_for(&vectors[best]) && output.p_micro[best] > output.null_p_micro)
        take(into, known[best].id, BASIS_NAME, output.p_micro[best]);
}

/* Close to the name of one that it is not: a doubled letter, a swapped pair, another suffix. */
static bool looks_like_another(struct arena *arena, const struct match_record *record,
                               const struct known_counterparty *known, size_t count,
                               const struct resolution *resolution)
{
    struct name_form mine = name_normalise(arena, record->name);
    size_t mine_n = strlen(mine.compact);
    for (size_t i = 0; i < count && mine_n > 0; i++) {
        if (resolution->found && uuid_equal(known[i].id, resolution->id))
            continue;
        struct name_form theirs = name_normalise(arena, known[i].name);
        size_t n = strlen(theirs.compact);
        if (n > 0 && jaro_winkler(mine.compact, mine_n, theirs.compact, n) >= LOOK_ALIKE_FROM)
            return true;
    }
    return false;
}

static bool has_strong_identifier(struct arena *arena, const struct match_record *record)
{
    return !text_blank(record->customer_id) || vat_normalise(arena, record->vat_id) ||
           siren_normalise(arena, record->siren) || iban_normalise(arena, record->iban);
}

enum err match_resolve(struct arena *arena, const struct match_context *context,
                       const struct match_record *record, const struct known_counterparty *known,
                       size_t count, struct resolution *into)
{
    struct feature_vector vectors[MATCH_CANDIDATES_MAX];
    struct match_entry *entries = arena_array(arena, count, sizeof *entries);
    memset(into, 0, sizeof *into);
    for (size_t i = 0; i < count; i++)
        entries[i] = entry_of(&known[i]);
    struct feature_question question = {record, entries, count, MATCH_COUNTERPARTY,
                                        context->counts};
    TRY(features_of(arena, &question, vectors));
    by_identifier(known, count, vectors, into);
    if (!into->found)
        by_alias(known, count, vectors, into);
    if (!into->found)
        by_name(context, record, known, count, vectors, into);
    bool proven = into->found && into->basis >= BASIS_ALIAS;
    if (!into->found && has_strong_identifier(arena, record))
        into->basis = BASIS_STRONG;
    into->look_alike = !proven && looks_like_another(arena, record, known, count, into);
    return OK;
}
