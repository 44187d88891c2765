#include <ctype.h>

#include "connectors/stripe/stripe_map.h"

#include "base/text.h"

/* Stripe's own table, which is not ISO 4217: ISK and UGX travel with two digits although they have
 * none, MGA with none although it has two. What is not listed has two. */
static const char zero_digits[] = "BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF";
static const char three_digits[] = "BHD JOD KWD OMR TND";

static int stripe_digits(const char *currency)
{
    return strstr(zero_digits, currency) ? 0 : strstr(three_digits, currency) ? 3 : 2;
}

bool stripe_money(int64_t amount, const char *currency, struct money *into)
{
    struct money money = {.minor = amount};
    if (!currency || strlen(currency) != 3)
        return false;
    for (size_t i = 0; i < 3; i++)
        money.currency[i] = (char)toupper((unsigned char)currency[i]);
    if (!currency_valid(money.currency))
        return false;
    int shift = currency_exponent(money.currency) - stripe_digits(money.currency);
    for (; shift > 0; shift--) {
        if (__builtin_mul_overflow(money.minor, 10, &money.minor))
            return false;
    }
    for (; shift < 0; shift++) {
        if (money.minor % 10 != 0)
            return false;
        money.minor /= 10;
    }
    *into = money;
    return true;
}
