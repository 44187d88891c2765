#include "base/money.h"

#include "base/text.h"

struct exponent_row {
    const char code[4];
    int digits;
};

/* ISO 4217 (2026), the currencies whose minor unit is not two digits. */
static const struct exponent_row exponents[] = {
    {"BHD", 3}, {"BIF", 0}, {"CLF", 4}, {"CLP", 0}, {"DJF", 0}, {"GNF", 0}, {"IQD", 3},
    {"ISK", 0}, {"JOD", 3}, {"JPY", 0}, {"KMF", 0}, {"KRW", 0}, {"KWD", 3}, {"LYD", 3},
    {"OMR", 3}, {"PYG", 0}, {"RWF", 0}, {"TND", 3}, {"UGX", 0}, {"UYI", 0}, {"UYW", 4},
    {"VND", 0}, {"VUV", 0}, {"XAF", 0}, {"XOF", 0}, {"XPF", 0},
};

bool currency_valid(const char *code)
{
    return code && strlen(code) == 3 && strspn(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == 3;
}

int currency_exponent(const char *code)
{
    for (size_t i = 0; i < COUNT(exponents); i++) {
        if (text_equal(exponents[i].code, code))
            return exponents[i].digits;
    }
    return 2;
}

char *money_decimal(struct arena *arena, struct money money)
{
    int digits = currency_exponent(money.currency);
    uint64_t magnitude = money.minor < 0 ? 0 - (uint64_t)money.minor : (uint64_t)money.minor;
    uint64_t unit = 1;
    for (int i = 0; i < digits; i++)
        unit *= 10;
    const char *sign = money.minor < 0 ? "-" : "";
    if (digits == 0)
        return arena_format(arena, "%s%" PRIu64, sign, magnitude);
    return arena_format(arena, "%s%" PRIu64 ".%0*" PRIu64, sign, magnitude / unit, digits,
                        magnitude % unit);
}

static bool add_digit(int64_t *value, int digit)
{
    return !__builtin_mul_overflow(*value, 10, value) &&
           !__builtin_add_overflow(*value, digit, value);
}

bool money_parse(const char *decimal, const char *currency, struct money *into)
{
    if (!decimal || !currency_valid(currency))
        return false;
    bool negative = *decimal == '-';
    const char *at = decimal + negative;
    int64_t value = 0;
    int fraction = -1; /* digits behind the point; -1 before it */
    int exponent = currency_exponent(currency);
    if (*at < '0' || *at > '9')
        return false;
    for (; *at; at++) {
        if (*at == '.' && fraction < 0 && at[1]) {
            fraction = 0;
            continue;
        }
        bool digit = *at >= '0' && *at <= '9';
        bool kept = fraction < exponent;
        if (!digit || (!kept && *at != '0') || (kept && !add_digit(&value, *at - '0')))
            return false;
        fraction += fraction >= 0;
    }
    for (int i = fraction < 0 ? 0 : fraction; i < exponent; i++) {
        if (!add_digit(&value, 0))
            return false;
    }
    into->minor = negative ? -value : value;
    memcpy(into->currency, currency, sizeof into->currency);
    return true;
}
