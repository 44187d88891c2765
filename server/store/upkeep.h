/* What has to be done now and then and belongs to no tenant. */
#ifndef SLUICE_STORE_UPKEEP_H
#define SLUICE_STORE_UPKEEP_H

#include "db/db.h"

/* Makes the partitions of this month and the next two, by business time. Several times a day. */
enum err partitions_ensure(const struct untenanted *region) MUST_USE;
/* Deletes expired states of redirects, ended sessions and answers of the directory. */
enum err directory_expire(const struct untenanted *directory, int64_t *deleted) MUST_USE;

#endif
