/* What has to be done now and then and belongs to no tenant. */
#ifndef SLUICE_STORE_UPKEEP_H
#define SLUICE_STORE_UPKEEP_H

#include "db/db.h"

/* The offset of business time: 0 in production. Every process reads it about every second. */
enum err clock_offset_get(const struct untenanted *region, int64_t *offset_us) MUST_USE;
/* Makes the partitions of this month and the next two, by business time. Several times a day. */
enum err partitions_ensure(const struct untenanted *region) MUST_USE;
/* Deletes expired states of redirects, ended sessions and answers of the directory. */
enum err directory_expire(const struct untenanted *directory, int64_t *deleted) MUST_USE;
/* Deletes expired answers kept for idempotency keys, of all tenants. By the queue's role. */
enum err region_expire(const struct untenanted *queue, int64_t *deleted) MUST_USE;

#endif
