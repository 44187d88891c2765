/* Stripe's objects as records. Pure: no I/O, no clock, never fails; a row that is no record becomes
 * a quarantined one. Shapes before and after the change of 2025-03-31 ("basil") are taken; unknown
 * fields and enum values are kept in `raw` and never fatal. */
#ifndef SLUICE_STRIPE_MAP_H
#define SLUICE_STRIPE_MAP_H

#include "connectors/source.h"

/* `kind`: KIND_CHARGE or KIND_REFUND. The record lives in the arena; `raw` is a copy of the row.
 *
 * POSTING_CORRECT of a refund says that Stripe undid it. Whether it had posted before is not in the
 * row: where it had not, it is to be ignored. */
void stripe_map(struct arena *arena, enum record_kind kind, struct bytes row,
                struct source_record *into);

/* An amount in Stripe's minor units (lower-case currency) as ISO 4217 minor units. False when the
 * currency is no code, or the amount does not come out whole, or is out of range. */
bool stripe_money(int64_t amount, const char *currency, struct money *into);

/* The fields whose change makes a new version of a record, for the catalogue. */
extern const char *const stripe_material_fields[]; /* NULL-terminated */

#endif
