/* Fixed-point exponential and logarithm: whole numbers in, whole numbers out, the same everywhere.
 */
#ifndef SLUICE_MATCHER_FIXED_H
#define SLUICE_MATCHER_FIXED_H

#include "base/base.h"

#define FIXED_ONE (UINT64_C(1) << 32)

/* 2^32 × exp(−micro / 10^6) for micro >= 0, within 4 units (1e-9 of one); 0 from 23000000 on.
 * Never rises with micro. */
uint64_t fixed_exp_neg(int64_t micro);

/* 10^6 / (1 + exp(−micro / 10^6)), rounded. */
int64_t fixed_logistic(int64_t micro);

/* 10^6 × ln(value) for value >= 1, within 1 unit. */
int64_t fixed_ln(uint64_t value);

/* 10^6 × ln(p / (10^6 − p)) for 0 < p < 10^6 in millionths, within 2 units. */
int64_t fixed_logit(int64_t p_micro);

#endif
