/* Names, references and identifiers as they are compared and stored. */
#include "base/base.h"

#include <setjmp.h>
#include <cmocka.h>

#include "base/text.h"
#include "matcher/normalise.h"
#include "matcher/record.h"

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

struct name_case {
    const char *raw;
    const char *core;
    const char *legal;
    const char *class_name;
};

static void names_reduce_to_core_and_legal_form(void **state)
{
    static const struct name_case cases[] = {
        {"Dupont & Fils S.A.R.L.", "dupont and fils", "sarl", "LLC"},
        {"DUPONT ET FILS SARL", "dupont and fils", "sarl", "LLC"},
        {"Boulangerie du Marché SAS", "boulangerie du marche", "sas", "LLC"},
        {"SAS Boulangerie du Marché", "boulangerie du marche", "sas", "LLC"},
        {"Müller und Söhne GmbH & Co. KG", "muller and sohne", "gmbhcokg", "LP"},
        {"Koninklijke Philips N. V.", "koninklijke philips", "nv", "JSC"},
        {"Novo Nordisk A/S", "novo nordisk", "as", ""},
        {"J.P. Morgan", "jp morgan", "", ""},
        {"JP Morgan", "jp morgan", "", ""},
        {"L'Oréal S.A.", "loreal", "sa", "JSC"},
        {"L’ORÉAL", "loreal", "", ""},
        {"Stra\xC3\x9F"
         "e 7",
         "strasse 7", "", ""},
        {"Bj\xC3\xB8rn \xC5\x81\xC3\xB3"
         "dz",
         "bjorn lodz", "", ""},
        {"ООО Ромашка", "romashka", "ooo", "LLC"},
        {"Ελληνική Τράπεζα", "elliniki trapeza", "", ""},
        {"Check In", "check in", "", ""},
        {"SARL", "sarl", "", ""},
        {"Fund II", "fund 2", "", ""},
        {"Lycee 0012", "lycee 12", "", ""},
        {"", "", "", ""},
        {"  ... ", "", "", ""},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct name_form form = name_normalise(*state, cases[i].raw);
        assert_string_equal(form.core, cases[i].core);
        assert_string_equal(form.legal, cases[i].legal);
        if (*cases[i].class_name)
            assert_string_equal(form.class_name, cases[i].class_name);
    }
}

static void other_scripts_become_latin(void **state)
{
    static const char *const names[] = {"東京電力", "شركة الكهرباء", "חברת החשמל", "한국전력"};
    for (size_t i = 0; i < COUNT(names); i++) {
        struct name_form form = name_normalise(*state, names[i]);
        assert_true(strlen(form.core) > 4);
        for (const char *at = form.core; *at; at++)
            assert_true((unsigned char)*at < 0x80);
    }
}

struct descriptor_case {
    const char *raw;
    const char *core;
    const char *descriptor;
};

static void bank_descriptors_are_split_off(void **state)
{
    static const struct descriptor_case cases[] = {
        {"VIR SEPA DUPONT SARL", "dupont", "vir sepa"},
        {"PAYPAL *SPOTIFY", "spotify", "paypal *"},
        {"SQ*COFFEE CORNER", "coffee corner", "sq*"},
        {"CB 12/03 FNAC X1234", "fnac", "cb 12/03 x1234"},
        {"CB Insights", "cb insights", ""},
        {"PayPal", "paypal", ""},
        {"Stripe", "stripe", ""},
        {"OVH www.ovh.com", "ovh", "www.ovh.com"},
        {"Direct Energie", "direct energie", ""},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct name_form form = name_normalise(*state, cases[i].raw);
        assert_string_equal(form.core, cases[i].core);
        assert_string_equal(form.descriptor, cases[i].descriptor);
    }
}

static void words_that_say_little_are_marked(void **state)
{
    struct name_form form = name_normalise(*state, "Dupont Holding Groupe 12");
    assert_int_equal(form.token_count, 4);
    assert_int_equal(form.tokens[0].kind, TOKEN_WORD);
    assert_int_equal(form.tokens[1].kind, TOKEN_COMMON);
    assert_int_equal(form.tokens[2].kind, TOKEN_COMMON);
    assert_int_equal(form.tokens[3].kind, TOKEN_NUMBER);
    assert_string_equal(name_core(*state, "Dupont Group"), name_core(*state, "DUPONT GROUPE"));
    assert_null(name_core(*state, NULL));
    assert_null(name_core(*state, " - "));
}

static void long_and_broken_names_are_bounded(void **state)
{
    char raw[MATCH_TEXT_BYTES_MAX * 2];
    memset(raw, 'a', sizeof raw);
    for (size_t i = 0; i + 1 < sizeof raw; i += 3)
        raw[i] = ' ';
    raw[sizeof raw - 1] = '\0';
    struct name_form form = name_normalise(*state, raw);
    assert_int_equal(form.token_count, NAME_TOKENS_MAX);
    form = name_normalise(*state, "Caf\xE9 \xFF\xC3 Paris");
    assert_string_equal(form.core, "caf paris");
}

static void normalising_twice_changes_nothing(void **state)
{
    static const char *const names[] = {"Dupont & Fils S.A.R.L.", "Ελληνική Τράπεζα",
                                        "VIR SEPA Müller und Söhne GmbH", "Fund III",
                                        "N.V. Philips"};
    for (size_t i = 0; i < COUNT(names); i++) {
        const char *once = name_core(*state, names[i]);
        assert_string_equal(name_core(*state, once), once);
    }
    static const char *const references[] = {"INV-0042/2026", "00-00-7", "A0B00C000",
                                             "RF18 5390 0754"};
    for (size_t i = 0; i < COUNT(references); i++) {
        const char *once = reference_normalise(*state, references[i]);
        assert_string_equal(reference_normalise(*state, once), once);
    }
}

static void references_lose_separators_and_zeros(void **state)
{
    assert_string_equal(reference_normalise(*state, "inv-0042"), "INV42");
    assert_string_equal(reference_normalise(*state, "INV 42"), "INV42");
    assert_string_equal(reference_normalise(*state, "2026/10"), "202610");
    assert_string_equal(reference_normalise(*state, "000"), "0");
    assert_null(reference_normalise(*state, "--"));
    assert_null(reference_normalise(*state, NULL));
}

struct identifier_case {
    const char *raw;
    enum identifier_kind kind;
};

static void identifiers_prove_themselves(void **state)
{
    (void)state;
    static const struct identifier_case cases[] = {
        {"FR76 3000 6000 0112 3456 7890 189", IDENTIFIER_IBAN},
        {"DE89370400440532013000", IDENTIFIER_IBAN},
        {"DE89370400440532013001", IDENTIFIER_NONE}, /* check digits */
        {"DE8937040044053201300", IDENTIFIER_NONE},  /* length of the country */
        {"RF18 5390 0754 7034", IDENTIFIER_RF},
        {"RF19 5390 0754 7034", IDENTIFIER_NONE},
        {"732 829 320", IDENTIFIER_SIREN},
        {"732 829 321", IDENTIFIER_NONE},
        {"732 829 320 00074", IDENTIFIER_SIRET},
        {"356 000 000 00048", IDENTIFIER_SIRET},
        {"FR44732829320", IDENTIFIER_VAT},
        {"FR45732829320", IDENTIFIER_NONE}, /* key */
        {"DE 811 907 980", IDENTIFIER_VAT},
        {"NL004495445B01", IDENTIFIER_VAT},
        {"000000000", IDENTIFIER_NONE},
        {"", IDENTIFIER_NONE},
        {NULL, IDENTIFIER_NONE},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_int_equal(identifier_classify(cases[i].raw), cases[i].kind);
}

static void identifiers_have_one_form(void **state)
{
    assert_string_equal(iban_normalise(*state, "de89 3704 0044 0532 0130 00"),
                        "DE89370400440532013000");
    assert_null(iban_normalise(*state, "DE00"));
    assert_string_equal(siren_normalise(*state, "732 829 320 00074"), "732829320");
    assert_string_equal(siren_normalise(*state, "FR44 732 829 320"), "732829320");
    assert_null(siren_normalise(*state, "12345"));
    assert_string_equal(vat_normalise(*state, "FR 44 732829320"), "FR44732829320");
    assert_string_equal(email_domain(*state, "Jo <Jo@Dupont.FR>"), "dupont.fr");
    assert_null(email_domain(*state, "nobody"));
    assert_null(email_domain(*state, "a@b"));
    assert_true(email_domain_is_public("gmail.com"));
    assert_false(email_domain_is_public("dupont.fr"));
}

#define IN_ARENA(test) cmocka_unit_test_setup_teardown(test, arena_setup, arena_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_ARENA(names_reduce_to_core_and_legal_form),
        IN_ARENA(other_scripts_become_latin),
        IN_ARENA(bank_descriptors_are_split_off),
        IN_ARENA(words_that_say_little_are_marked),
        IN_ARENA(long_and_broken_names_are_bounded),
        IN_ARENA(normalising_twice_changes_nothing),
        IN_ARENA(references_lose_separators_and_zeros),
        IN_ARENA(identifiers_prove_themselves),
        IN_ARENA(identifiers_have_one_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
