/* What a region needs from time to time: its business clock's offset, and partitions made ahead. */
#ifndef SLUICE_STORE_UPKEEP_H
#define SLUICE_STORE_UPKEEP_H

#include "db/db.h"

/* Business time is real time plus this; 0 in production. */
enum err clock_offset_get(const struct untenanted *region, int64_t *offset_us) MUST_USE;
enum err partitions_ensure(const struct untenanted *region) MUST_USE;

#endif
