/* Money is an integer of minor units and a currency. Never floating point; amounts of different
 * currencies are never summed. */
#ifndef SLUICE_MONEY_H
#define SLUICE_MONEY_H

#include "base/arena.h"

struct money {
    int64_t minor;
    char currency[4]; /* ISO 4217, upper case, zero-terminated; empty when absent */
};

bool currency_valid(const char *code);   /* three letters A-Z */
int currency_exponent(const char *code); /* ISO 4217 minor-unit digits; 2 for a code not listed */

/* "1234.50" without grouping, with the digits of the currency. */
char *money_decimal(struct arena *arena, struct money money);
/* Reads "-1234.5" as minor units of `currency`. More digits than the currency has must be zeros. */
bool money_parse(const char *decimal, const char *currency, struct money *into);

#endif
