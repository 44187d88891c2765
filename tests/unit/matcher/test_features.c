/* What the levels of the evidence say, one kind of evidence at a time. */
#include "base/base.h"

#include <setjmp.h>
#include <cmocka.h>

#include "base/text.h"
#include "matcher/matcher.h"

static int arena_setup(void **state)
{
    *state = arena_open();
    return 0;
}

static int arena_teardown(void **state)
{
    arena_close(*state);
    return 0;
}

static struct match_record record_plain(void)
{
    return (struct match_record){
        .amount = {12345, "EUR"},
        .fee = {345, "EUR"},
        .date = {20000},
        .name = "Boulangerie Lefèvre SARL",
        .reference = "INV-2026-00042",
        .description = "Monthly fee team plan",
    };
}

static struct match_entry entry_plain(void)
{
    return (struct match_entry){
        .id = {{1}},
        .amount = {12345, "EUR"},
        .date = {20000},
        .due_date = {DATE_NONE},
        .name = "BOULANGERIE LEFEVRE",
        .analysed = true,
    };
}

static enum err ask(struct arena *arena, const struct match_record *record,
                    const struct match_entry *entries, size_t count, struct feature_vector *vectors)
{
    struct feature_question question = {record, entries, count, MATCH_DOCUMENT, NULL};
    return features_of(arena, &question, vectors);
}

static const char *reason_of(struct arena *arena, const struct match_record *record,
                             const struct match_entry *entry, enum feature feature)
{
    struct feature_vector vector;
    assert_int_equal(ask(arena, record, entry, 1, &vector), OK);
    return feature_reason(feature, vector.level[feature]);
}

static void names_are_compared_by_their_words(void **state)
{
    static const struct {
        const char *name;
        const char *reason;
    } cases[] = {
        {"BOULANGERIE LEFEVRE S.A.R.L.", "name_equal"},
        {"Boulangerie-Lefevre", "name_equal"},
        {"Lefevre Boulangerie", "name_equal"},
        {"VIR SEPA BOULANGERIE LEFEVRE", "name_equal"},
        {"Boulangerie Lefebvre", "name_very_close"},
        {"Boulangerie Lefev", "name_very_close"},
        {"Garage Lefèvre", "name_weak"},
        {"Pharmacie Moreau", "name_unrelated"},
        {"", "name_missing"},
        {NULL, "name_missing"},
    };
    struct match_record record = record_plain();
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct match_entry entry = entry_plain();
        entry.name = cases[i].name;
        assert_string_equal(reason_of(*state, &record, &entry, FEATURE_NAME), cases[i].reason);
    }
}

static void numbers_and_legal_forms_tell_siblings_apart(void **state)
{
    struct match_record record = record_plain();
    struct match_entry entry = entry_plain();
    record.name = "Lycée 12 SAS";
    entry.name = "Lycée 13 SAS";
    assert_string_equal(reason_of(*state, &record, &entry, FEATURE_NAME_NUMBER),
                        "name_number_differs");
    entry.name = "Lycee 012 S.A.S.";
    assert_string_equal(reason_of(*state, &record, &entry, FEATURE_NAME_NUMBER),
                        "name_number_equal");
    entry.name = "Lycée";
    assert_string_equal(reason_of(*state, &record, &entry, FEATURE_NAME_NUMBER),
                        "name_number_one_side");
    entry.name = "Lycee 012 S.A.S.";
    assert_string_equal(reason_of(*state, &record, &entry, FEATURE_LEGAL_FORM), "legal_form_equal");
    entry.name = "Lycee 12 SARL";
    assert_string_equal(reason_of(*state, &record, &entry, FEATURE_LEGAL_FORM),
                        "legal_class_equal");
    entry.name = "Lycee 12 SA";
    assert_string_equal(reason_of(*state, &record, &entry, FEATURE_LEGAL_FORM),
                        "legal_form_differs");
    entry.name = "Lycee 12";
    assert_string_equal(reason_of(*state, &record, &entry, FEATURE_LEGAL_FORM),
                        "legal_form_missing");
}

static void identifiers_speak_before_names(void **state)
{
    struct match_record record = record_plain();
    struct match_entry entry = entry_plain();
    assert_string_equal(reason_of(*state, &record, &entry, FEATURE_IDENTIFIER),
                        "identifier_missing");
    record.vat_id = "FR44732829320";
    entry.siren = "732 829 320";
    assert_string_equal(reason_of(*state, &record, &entry, FEATURE_IDENTIFIER),
                        "registration_equal");
    entry.siren = NULL;
    entry.vat_id = "DE811907980";
    assert_string_equal(reason_of(*state, &record, &entry, FEATURE_IDENTIFIER),
                        "registration_differs");
    record.vat_id = NULL;
    record.iban = "DE89 3704 0044 0532 0130 00";
    entry.iban = "DE89370400440532013000";
    assert_string_equal(reason_of(*state, &record, &entry, FEATURE_IDENTIFIER), "iban_equal");
    entry.iban = "FR7630006000011234567890189";
    assert_string_equal(reason_of(*state, &record, &entry, FEATURE_IDENTIFIER), "account_differs");
    record.email = "compta@lefevre.fr";
    entry.email = "Jean@Lefevre.FR";
    assert_string_equal(reason_of(*state, &record, &entry, FEATURE_IDENTIFIER),
                        "email_domain_equal");
    record.email = "a@gmail.com";
    entry.email = "b@gmail.com";
    record.iban = NULL;
    assert_string_equal(reason_of(*state, &record, &entry, FEATURE_IDENTIFIER),
                        "identifier_missing");
}

static void amounts_are_exact_or_explained_or_near(void **state)
{
    static const struct {
        struct money amount;
        const char *reason;
    } cases[] = {
        {{12345, "EUR"}, "amount_exact"},
        {{12000, "EUR"}, "amount_net_of_fee"},
        {{12346, "EUR"}, "amount_within_3_per_mille"},
        {{12400, "EUR"}, "amount_within_1_percent"},
        {{12500, "EUR"}, "amount_within_3_percent"},
        {{13000, "EUR"}, "amount_within_6_percent"},
        {{13500, "EUR"}, "amount_within_10_percent"},
        {{15000, "EUR"}, "amount_within_25_percent"},
        {{99999, "EUR"}, "amount_differs"},
        {{-12345, "EUR"}, "amount_differs"},
        {{INT64_MAX, "EUR"}, "amount_differs"},
        {{INT64_MIN, "EUR"}, "amount_differs"},
        {{12345, "USD"}, "amount_missing"},
        {{12345, "XXX"}, "amount_exact"}, /* of no known unit */
        {{12345, ""}, "amount_missing"},
    };
    struct match_record record = record_plain();
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct match_entry entry = entry_plain();
        entry.amount = cases[i].amount;
        assert_string_equal(reason_of(*state, &record, &entry, FEATURE_AMOUNT), cases[i].reason);
    }
    struct match_entry entry = entry_plain();
    entry.amount = (struct money){12345, "USD"};
    assert_string_equal(reason_of(*state, &record, &entry, FEATURE_CURRENCY), "currency_differs");
}

static void dates_have_distance_and_order(void **state)
{
    static const struct {
        int32_t days;
        const char *distance;
        const char *order;
    } cases[] = {
        {0, "date_same_day", "date_order_open"},
        {-1, "date_within_1_day", "date_order_usual"},
        {2, "date_within_2_days", "date_order_unusual_by_days"},
        {-3, "date_within_4_days", "date_order_usual"},
        {-7, "date_within_7_days", "date_order_usual"},
        {14, "date_within_14_days", "date_order_unusual"},
        {24, "date_within_24_days", "date_order_unusual"},
        {28, "date_within_62_days", "date_order_unusual"}, /* a month is beyond */
        {-62, "date_within_62_days", "date_order_usual"},
        {-63, "date_beyond_62_days", "date_order_usual"},
    };
    struct match_record record = record_plain();
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct match_entry entry = entry_plain();
        entry.date.days += cases[i].days;
        assert_string_equal(reason_of(*state, &record, &entry, FEATURE_DATE_DISTANCE),
                            cases[i].distance);
        assert_string_equal(reason_of(*state, &record, &entry, FEATURE_DATE_ORDER), cases[i].order);
    }
    struct match_entry entry = entry_plain();
    entry.date.days = DATE_NONE;
    assert_string_equal(reason_of(*state, &record, &entry, FEATURE_DATE_DISTANCE), "date_missing");
}

static void a_due_date_is_not_the_day_of_the_entry(void **state)
{
    struct match_record record = record_plain();
    struct match_entry entry = entry_plain();
    entry.date.days = record.date.days - 30;
    entry.due_date.days = record.date.days + 3;
    assert_string_equal(reason_of(*state, &record, &entry, FEATURE_DATE_DISTANCE),
                        "date_within_62_days");
    assert_string_equal(reason_of(*state, &record, &entry, FEATURE_DUE_DATE), "due_date_near");
    entry.due_date.days = record.date.days + 4;
    assert_string_equal(reason_of(*state, &record, &entry, FEATURE_DUE_DATE), "due_date_none");
    entry.due_date.days = record.date.days;
    entry.date.days = record.date.days - 14; /* near enough by its own date */
    assert_string_equal(reason_of(*state, &record, &entry, FEATURE_DUE_DATE), "due_date_none");
}

static void what_comes_every_period_is_recognised(void **state)
{
    static const struct {
        int32_t days;
        const char *alone;
        const char *in_series; /* with an entry one step further away */
    } cases[] = {
        {0, "date_period_none", "date_period_none"},
        {-7, "date_period_none", "date_period_in_series"},
        {14, "date_period_none", "date_period_in_series"},
        {-20, "date_period_none", "date_period_none"},
        {-28, "date_period_apart", "date_period_in_series"},
        {31, "date_period_apart", "date_period_in_series"},
        {-91, "date_period_apart", "date_period_in_series"},
        {-365, "date_period_apart", "date_period_in_series"},
    };
    struct match_record record = record_plain();
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct match_entry entries[2] = {entry_plain(), entry_plain()};
        struct feature_vector vectors[2];
        entries[0].date.days += cases[i].days;
        entries[1].date.days += 2 * cases[i].days;
        assert_string_equal(reason_of(*state, &record, &entries[0], FEATURE_DATE_PERIOD),
                            cases[i].alone);
        assert_int_equal(ask(*state, &record, entries, 2, vectors), OK);
        assert_string_equal(
            feature_reason(FEATURE_DATE_PERIOD, vectors[0].level[FEATURE_DATE_PERIOD]),
            cases[i].in_series);
        entries[0].amount.minor += 700; /* another purchase */
        assert_string_equal(reason_of(*state, &record, &entries[0], FEATURE_DATE_PERIOD),
                            "date_period_none");
    }
    struct match_entry entry = entry_plain();
    entry.date.days -= 30;
    entry.name = "Garage Moreau";
    assert_string_equal(reason_of(*state, &record, &entry, FEATURE_DATE_PERIOD),
                        "date_period_none");
}

static void a_stated_number_is_looked_for(void **state)
{
    static const struct {
        const char *description;
        const char *reference;
        const char *file_name;
        const char *found;
        const char *number;
    } cases[] = {
        {"Facture F-2026-0012", "F-2026-0012", NULL, "reference_contained", "stated_number_none"},
        {"Facture F-2026-0012", NULL, "F-2026-0012.pdf", "reference_contained",
         "stated_number_none"},
        {"Pro (F-2026-0012)", "F-2026-0012-A", NULL, "reference_contained", "stated_number_none"},
        {"Facture F-2026-0012", "F-2026-0001", NULL, "reference_missing", "stated_number_differs"},
        {"Facture F-2026-0012", "F-2026-0123", NULL, "reference_missing", "stated_number_differs"},
        {"Facture F-2026-0001", NULL, "F-2026-0012.pdf", "reference_missing", "stated_number_none"},
        {"Facture F-2026-0012", "FA338812", NULL, "reference_missing", "stated_number_differs"},
        {"Facture F-2026-0012", NULL, "scan 5512.pdf", "reference_missing", "stated_number_none"},
        {"Consulting 2026", "FA338812", NULL, "reference_missing", "stated_number_none"},
        {"Workshop on 12/03/2026", "FA338812", NULL, "reference_missing", "stated_number_none"},
        {NULL, "FA338812", NULL, "reference_missing", "stated_number_none"},
    };
    struct match_record record = record_plain();
    record.reference = NULL;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct match_entry entry = entry_plain();
        record.description = cases[i].description;
        entry.reference = cases[i].reference;
        entry.file_name = cases[i].file_name;
        assert_string_equal(reason_of(*state, &record, &entry, FEATURE_REFERENCE), cases[i].found);
        assert_string_equal(reason_of(*state, &record, &entry, FEATURE_STATED_NUMBER),
                            cases[i].number);
    }
}

static void references_are_found_where_they_stand(void **state)
{
    static const struct {
        const char *reference;
        const char *description;
        const char *file_name;
        const char *reason;
    } cases[] = {
        {"inv 2026 0042", NULL, NULL, "reference_equal"},
        {NULL, "Paiement INV-2026-00042 merci", NULL, "reference_contained"},
        {NULL, NULL, "sluice-INV-2026-00042.pdf", "reference_contained"},
        {"F-77", "Paiement INV-2026-00042", NULL, "reference_contained"},
        {"202642", NULL, NULL, "reference_contained"},
        {"INV-2026-00043", NULL, NULL, "reference_resembles"},
        {"F-1177", NULL, NULL, "reference_differs"},
        {NULL, "merci", NULL, "reference_missing"},
    };
    struct match_record record = record_plain();
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct match_entry entry = entry_plain();
        entry.reference = cases[i].reference;
        entry.description = cases[i].description;
        entry.file_name = cases[i].file_name;
        assert_string_equal(reason_of(*state, &record, &entry, FEATURE_REFERENCE), cases[i].reason);
    }
}

static void rivals_weaken_an_amount(void **state)
{
    struct match_record record = record_plain();
    struct match_entry entries[5];
    struct feature_vector vectors[5];
    for (size_t i = 0; i < 5; i++) {
        entries[i] = entry_plain();
        entries[i].id.b[0] = (uint8_t)i;
    }
    static const char *const reasons[] = {"",
                                          "amount_unique",
                                          "amount_rivals_few",
                                          "amount_rivals_few",
                                          "amount_rivals_many",
                                          "amount_rivals_many"};
    for (size_t count = 1; count <= 5; count++) {
        assert_int_equal(ask(*state, &record, entries, count, vectors), OK);
        assert_string_equal(
            feature_reason(FEATURE_AMOUNT_RIVALS, vectors[0].level[FEATURE_AMOUNT_RIVALS]),
            reasons[count]);
    }
    for (size_t i = 1; i < 5; i++)
        entries[i].consumed = true;
    assert_int_equal(ask(*state, &record, entries, 5, vectors), OK);
    assert_string_equal(
        feature_reason(FEATURE_AMOUNT_RIVALS, vectors[0].level[FEATURE_AMOUNT_RIVALS]),
        "amount_unique");
}

static void frequent_words_say_less(void **state)
{
    static const struct token_count tokens[] = {{"boulangerie", 600}, {"lefevre", 700}};
    const struct token_counts counts = {tokens, 2, 1000};
    struct match_record record = record_plain();
    struct match_entry entry = entry_plain();
    struct feature_vector vector;
    assert_string_equal(reason_of(*state, &record, &entry, FEATURE_NAME_RARITY), "name_rare");
    struct feature_question question = {&record, &entry, 1, MATCH_DOCUMENT, &counts};
    assert_int_equal(features_of(*state, &question, &vector), OK);
    assert_string_equal(feature_reason(FEATURE_NAME_RARITY, vector.level[FEATURE_NAME_RARITY]),
                        "name_common");
}

/* The bank's memo may come in either field, and is the same evidence. */
static void a_memo_is_a_label_wherever_it_stands(void **state)
{
    struct match_record record = {.date = {20000}, .name = "MATTHIAS C paym"};
    struct match_entry entry = {
        .date = {20000}, .due_date = {DATE_NONE}, .name = "MATTHIAS C payment BGC"};
    struct feature_vector as_name, as_description;
    assert_int_equal(ask(*state, &record, &entry, 1, &as_name), OK);
    assert_string_equal(feature_reason(FEATURE_LABEL_COVER, as_name.level[FEATURE_LABEL_COVER]),
                        "label_cover_from_85");
    record = (struct match_record){.date = {20000}, .description = record.name};
    entry =
        (struct match_entry){.date = {20000}, .due_date = {DATE_NONE}, .description = entry.name};
    assert_int_equal(ask(*state, &record, &entry, 1, &as_description), OK);
    assert_memory_equal(&as_name, &as_description, sizeof as_name);
    record.name = "Matthias Corvinus";
    assert_string_equal(reason_of(*state, &record, &entry, FEATURE_LABEL), "label_missing");
}

static void a_party_is_where_it_is(void **state)
{
    static const struct {
        const char *address, *postcode, *phone;
        const char *place, *number, *code, *line;
    } cases[] = {
        {"12 RUE MOREAU", "69 001", "04 72 00 11 22", "address_equal", "address_number_equal",
         "postcode_equal", "phone_equal"},
        {"14, rue Moreau, Lyon", "69003", "+33 4 72 00 11 23", "address_half",
         "address_number_differs", "postcode_area_equal", "phone_resembles"},
        {"Quai des Brumes", "13002", "0033 6 11 22 33 44", "address_unrelated",
         "address_number_one_side", "postcode_differs", "phone_differs"},
        {NULL, "", "12", "address_missing", "address_number_none", "postcode_missing",
         "phone_missing"},
    };
    struct match_record record = {.date = {DATE_NONE},
                                  .name = "Lefevre",
                                  .address = "12 rue Moreau",
                                  .postcode = "69001",
                                  .phone = "+33 4 72 00 11 22"};
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct match_entry entry = entry_plain();
        entry.address = cases[i].address;
        entry.postcode = cases[i].postcode;
        entry.phone = cases[i].phone;
        assert_string_equal(reason_of(*state, &record, &entry, FEATURE_ADDRESS), cases[i].place);
        assert_string_equal(reason_of(*state, &record, &entry, FEATURE_ADDRESS_NUMBER),
                            cases[i].number);
        assert_string_equal(reason_of(*state, &record, &entry, FEATURE_POSTCODE), cases[i].code);
        assert_string_equal(reason_of(*state, &record, &entry, FEATURE_PHONE), cases[i].line);
    }
}

static void initials_may_be_a_name(void **state)
{
    struct match_record record = {.date = {DATE_NONE}, .name = "IBM"};
    struct match_entry entry = entry_plain();
    entry.name = "International Business Machines Corporation";
    assert_string_equal(reason_of(*state, &record, &entry, FEATURE_NAME_ACRONYM), "name_acronym");
    entry.name = "International Paper Machines";
    assert_string_equal(reason_of(*state, &record, &entry, FEATURE_NAME_ACRONYM),
                        "name_acronym_none");
}

static void words_are_counted_once_a_text(void **state)
{
    static const char *const texts[] = {"Garage Moreau garage", NULL, "Moreau SARL", " "};
    struct token_counts counts = token_counts_of(*state, texts, COUNT(texts));
    assert_int_equal(counts.names, 2);
    for (size_t i = 0; i < counts.count; i++) {
        if (strcmp(counts.tokens[i].token, "garage") == 0)
            assert_int_equal(counts.tokens[i].names, 1);
        if (strcmp(counts.tokens[i].token, "moreau") == 0)
            assert_int_equal(counts.tokens[i].names, 2);
        assert_true(i == 0 || strcmp(counts.tokens[i - 1].token, counts.tokens[i].token) < 0);
    }
}

static void vectors_survive_writing_and_reading(void **state)
{
    struct feature_vector vector, read;
    for (int round = 0; round < 200; round++) {
        for (int i = 0; i < FEATURE_COUNT; i++)
            vector.level[i] =
                (uint8_t)((round * 7 + i * 3) % (feature_info((enum feature)i)->levels + 1));
        struct buf text = buf_new(*state, 4096);
        assert_true(features_write(&text, &vector));
        assert_true(features_parse(text.data, text.n, &read));
        assert_memory_equal(&vector, &read, sizeof vector);
        assert_false(features_parse(text.data, text.n - 1, &read));
    }
    static const char *const broken[] = {"", "identifier=7", "identifier=0 alias=2",
                                         "alias=0 identifier=0", "identifier=0  alias=0"};
    for (size_t i = 0; i < COUNT(broken); i++)
        assert_false(features_parse(broken[i], strlen(broken[i]), &read));
}

static void every_level_says_what_it_means(void **state)
{
    (void)state;
    for (int i = 0; i < FEATURE_COUNT; i++) {
        for (int level = 0; level <= feature_info((enum feature)i)->levels; level++)
            assert_non_null(feature_reason((enum feature)i, level));
    }
    for (int i = 0; i < GATE_PART_COUNT; i++) {
        for (int level = 0; level <= gate_part_info((enum gate_part)i)->level_max; level++)
            assert_true(strlen(gate_reason((enum gate_part)i, level)) > 3);
    }
}

static void too_many_candidates_are_refused(void **state)
{
    struct match_record record = record_plain();
    struct match_entry entries[MATCH_CANDIDATES_MAX + 1] = {{.id = {{0}}}};
    struct feature_vector vectors[MATCH_CANDIDATES_MAX + 1];
    assert_int_equal(ask(*state, &record, entries, COUNT(entries), vectors), ERR_LIMIT);
    assert_string_equal(arena_failure(*state)->field, "candidates");
}

#define IN_ARENA(test) cmocka_unit_test_setup_teardown(test, arena_setup, arena_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_ARENA(names_are_compared_by_their_words),
        IN_ARENA(numbers_and_legal_forms_tell_siblings_apart),
        IN_ARENA(identifiers_speak_before_names),
        IN_ARENA(amounts_are_exact_or_explained_or_near),
        IN_ARENA(dates_have_distance_and_order),
        IN_ARENA(a_due_date_is_not_the_day_of_the_entry),
        IN_ARENA(what_comes_every_period_is_recognised),
        IN_ARENA(references_are_found_where_they_stand),
        IN_ARENA(a_stated_number_is_looked_for),
        IN_ARENA(rivals_weaken_an_amount),
        IN_ARENA(frequent_words_say_less),
        IN_ARENA(a_memo_is_a_label_wherever_it_stands),
        IN_ARENA(a_party_is_where_it_is),
        IN_ARENA(initials_may_be_a_name),
        IN_ARENA(words_are_counted_once_a_text),
        IN_ARENA(vectors_survive_writing_and_reading),
        IN_ARENA(every_level_says_what_it_means),
        IN_ARENA(too_many_candidates_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
