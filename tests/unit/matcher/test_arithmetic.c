/* The arithmetic that has to be the same everywhere: exponential, logarithm, similarities. */
#include "base/base.h"

#include <math.h>
#include <setjmp.h>
#include <cmocka.h>

#include "matcher/fixed.h"
#include "matcher/model.h"
#include "matcher/similarity.h"

static uint64_t next_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *state >> 33;
}

static void exponential_keeps_its_bound(void **state)
{
    (void)state;
    double worst = 0;
    uint64_t before = FIXED_ONE;
    for (int64_t micro = 0; micro < 24000000; micro += 97) {
        uint64_t value = fixed_exp_neg(micro);
        double exact = exp(-(double)micro / 1e6) * (double)FIXED_ONE;
        worst = fmax(worst, fabs((double)value - exact));
        assert_true(value <= before);
        before = value;
    }
    assert_true(worst <= 4.0);
    assert_true(fixed_exp_neg(0) == FIXED_ONE);
    assert_true(fixed_exp_neg(INT64_MAX) == 0);
}

static void logistic_and_logit_are_inverse(void **state)
{
    (void)state;
    int64_t before = 0;
    for (int64_t micro = -25000000; micro < 25000000; micro += 49999) {
        int64_t p = fixed_logistic(micro);
        assert_true(llabs(p - llround(1e6 / (1 + exp(-(double)micro / 1e6)))) <= 1);
        assert_true(p >= before);
        before = p;
    }
    for (int64_t p = 1; p < 1000000; p += 37) {
        double exact = 1e6 * log((double)p / (1e6 - (double)p));
        assert_true(fabs((double)fixed_logit(p) - exact) <= 2.0);
    }
    assert_true(fixed_logit(500000) == 0);
}

static void intercept_follows_outcomes_slowly(void **state)
{
    (void)state;
    assert_true(intercept_shift(0, 0, 0) == 0);
    assert_true(intercept_shift(50, 50000000, 100) == 0);
    int64_t few = intercept_shift(9, 5000000, 10), many = intercept_shift(900, 500000000, 1000);
    assert_true(few > 0 && many > few);
    assert_true(intercept_shift(1, 5000000, 10) < 0);
    assert_true(intercept_shift(1000000, 1000, 1000000) <= 3000000);
}

/* Jaro–Winkler as in the paper, with floating point: what the bit-parallel one must equal. */
static double plain_jaro_winkler(const char *a, size_t a_n, const char *b, size_t b_n)
{
    bool in_a[256] = {false}, in_b[256] = {false};
    if (a_n == 0 || b_n == 0)
        return a_n == b_n;
    size_t longer = a_n > b_n ? a_n : b_n, window = longer / 2 > 0 ? longer / 2 - 1 : 0;
    double common = 0, transposed = 0;
    for (size_t j = 0; j < b_n; j++) {
        for (size_t i = j > window ? j - window : 0; i < a_n && i <= j + window; i++) {
            if (in_a[i] || a[i] != b[j])
                continue;
            in_a[i] = in_b[j] = true;
            common++;
            break;
        }
    }
    if (common == 0)
        return 0;
    for (size_t i = 0, j = 0; i < a_n; i++) {
        if (!in_a[i])
            continue;
        while (!in_b[j])
            j++;
        transposed += a[i] != b[j++];
    }
    double value =
        (common / (double)a_n + common / (double)b_n + (common - floor(transposed / 2)) / common) /
        3;
    size_t prefix = 0;
    while (prefix < 4 && prefix < a_n && prefix < b_n && a[prefix] == b[prefix])
        prefix++;
    return value < 0.7 ? value : value + (double)prefix * 0.1 * (1 - value);
}

static size_t random_text(uint64_t *state, char *into, size_t bytes_max)
{
    size_t n = next_random(state) % (bytes_max + 1);
    for (size_t i = 0; i < n; i++)
        into[i] = (char)('a' + next_random(state) % 5);
    into[n] = '\0';
    return n;
}

static void jaro_winkler_equals_the_plain_one(void **state)
{
    (void)state;
    uint64_t random = 7;
    char a[200], b[200];
    for (int round = 0; round < 20000; round++) {
        size_t bytes_max = round % 3 == 0 ? 150 : round % 3 == 1 ? 64 : 12;
        size_t a_n = random_text(&random, a, bytes_max), b_n = random_text(&random, b, bytes_max);
        double exact = plain_jaro_winkler(a, a_n, b, b_n) * SIMILARITY_ONE;
        assert_true(fabs(jaro_winkler(a, a_n, b, b_n) - exact) <= 2.0);
    }
    assert_int_equal(jaro_winkler("martha", 6, "marhta", 6), 9610);
    assert_int_equal(jaro_winkler("dixon", 5, "dicksonx", 8), 8132);
    assert_int_equal(jaro_winkler("", 0, "", 0), SIMILARITY_ONE);
    assert_int_equal(jaro_winkler("a", 1, "", 0), 0);
}

static int similarity(const char *a, const char *b)
{
    struct trigrams left, right;
    trigrams_of(a, &left);
    trigrams_of(b, &right);
    return trigrams_similarity(&left, &right);
}

static void trigrams_equal_those_of_postgresql(void **state)
{
    (void)state;
    /* select similarity('word', 'two words') is 0.363636 */
    assert_int_equal(similarity("word", "two words"), 3636);
    /* select similarity('dupont', 'dupond') is 0.555556 */
    assert_int_equal(similarity("dupont", "dupond"), 5555);
    assert_int_equal(similarity("dupont", "dupont"), SIMILARITY_ONE);
    assert_int_equal(similarity("", "dupont"), 0);
    assert_int_equal(similarity("", ""), 0);
}

static void similarity_does_not_depend_on_the_side(void **state)
{
    (void)state;
    uint64_t random = 11;
    char a[40], b[40];
    for (int round = 0; round < 2000; round++) {
        random_text(&random, a, 30);
        random_text(&random, b, 30);
        assert_int_equal(similarity(a, b), similarity(b, a));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exponential_keeps_its_bound),
        cmocka_unit_test(logistic_and_logit_are_inverse),
        cmocka_unit_test(intercept_follows_outcomes_slowly),
        cmocka_unit_test(jaro_winkler_equals_the_plain_one),
        cmocka_unit_test(trigrams_equal_those_of_postgresql),
        cmocka_unit_test(similarity_does_not_depend_on_the_side),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
