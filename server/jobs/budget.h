/* Request budgets of providers, shared by all tenants behind one egress address: the buckets live
 * in the database, and a process leases slices of them, so that most requests ask nobody. */
#ifndef SLUICE_JOBS_BUDGET_H
#define SLUICE_JOBS_BUDGET_H

#include "db/db.h"

struct budgets;

struct budgets *budgets_open(const struct db_settings *queue);
void budgets_close(struct budgets *budgets);
/* The slices are leased for this worker. */
void budgets_worker_set(struct budgets *budgets, int64_t worker);
/* One request for a connection. ERR_TRANSIENT with retry-after when none is free within a moment,
 * or the connection was told to slow down. A provider without a known limit always may. */
enum err budget_take(struct budgets *budgets, struct arena *arena, const char *provider,
                     struct uuid connection) MUST_USE;

enum { SLOW_DOWN_S_DEFAULT = 5 }; /* when a provider does not say for how long */

/* The provider said 429: nothing leaves for this connection for so long, from this process; where
 * the limit is one of our address, nothing leaves for any connection, from any process. */
enum err budget_close(struct budgets *budgets, struct arena *arena, const char *provider,
                      struct uuid connection, int64_t seconds) MUST_USE;

#endif
