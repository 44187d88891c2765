#include "base/base.h"

#include "matcher/fixed.h"

#define LN2_Q36 UINT64_C(47632711549) /* ln 2 × 2^36 */

enum { EXP_TERMS = 13, EXP_INPUT_MAX = 23000000, LOG_BITS = 28 };

/* x = k ln 2 + r, 0 <= r < ln 2; exp(−r) = 1 − r (1 − r/2 (1 − …)), then k shifts. */
uint64_t fixed_exp_neg(int64_t micro)
{
    assert(micro >= 0);
    if (micro >= EXP_INPUT_MAX)
        return 0;
    uint64_t x = ((uint64_t)micro << 36) / 1000000;
    uint64_t k = x / LN2_Q36;
    uint64_t r = (x % LN2_Q36) >> 4;
    uint64_t sum = FIXED_ONE;
    for (uint64_t n = EXP_TERMS; n >= 1; n--)
        sum = FIXED_ONE - ((r * sum) >> 32) / n;
    return k == 0 ? sum : (sum + (UINT64_C(1) << (k - 1))) >> k;
}

int64_t fixed_logistic(int64_t micro)
{
    uint64_t e = fixed_exp_neg(micro < 0 ? -micro : micro);
    uint64_t whole = FIXED_ONE + e;
    uint64_t part = micro < 0 ? e : FIXED_ONE;
    return (int64_t)((part * 1000000 + whole / 2) / whole);
}

/* By the binary digits of log2: the mantissa is squared once per digit. */
int64_t fixed_ln(uint64_t value)
{
    assert(value > 0);
    int whole = 63 - __builtin_clzll(value);
    uint64_t mantissa = whole >= 31 ? value >> (whole - 31) : value << (31 - whole); /* [1,2) Q31 */
    uint64_t log2_q28 = (uint64_t)whole << LOG_BITS;
    for (int bit = LOG_BITS - 1; bit >= 0; bit--) {
        mantissa = (mantissa * mantissa) >> 31;
        if (mantissa >> 32) {
            mantissa >>= 1;
            log2_q28 |= UINT64_C(1) << bit;
        }
    }
    /* 693147.18… × 2^-28, with the factor in Q8: 693147.1806 × 256 = 177445678 */
    return (int64_t)((log2_q28 * 177445678 + (UINT64_C(1) << 35)) >> 36);
}

int64_t fixed_logit(int64_t p_micro)
{
    assert(p_micro > 0 && p_micro < 1000000);
    return fixed_ln((uint64_t)p_micro) - fixed_ln((uint64_t)(1000000 - p_micro));
}
