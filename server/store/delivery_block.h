/* What keeps deliveries from being sent though nothing is wrong with them: a target connection that
 * cannot be used, an integration that is paused or archived. */
#ifndef SLUICE_STORE_DELIVERY_BLOCK_H
#define SLUICE_STORE_DELIVERY_BLOCK_H

#include "db/db.h"
#include "store/machines.h"

/* The way of an integration's deliveries. */
struct delivery_way {
    struct uuid integration;
    struct uuid connection; /* the target's */
    enum integration_state state;
    bool usable; /* the connection */
};
/* Reads it and keeps it from changing until the transaction ends. Before any delivery, item or
 * window is locked: who changes a connection or an integration locks in this order, too. */
enum err delivery_way_lock(const struct scope *scope, struct uuid integration,
                           struct delivery_way *into) MUST_USE;
/* What waits to be sent on this way is held back, blocked or ended, as the way is. */
enum err deliveries_stop(const struct scope *scope, const struct delivery_way *way) MUST_USE;

/* The connection can no longer be used, and is locked: what waits to be sent to it is blocked, and
 * each item shows as a problem. What was sent and awaits a look stays uncertain. */
enum err deliveries_block(const struct scope *scope, struct uuid connection) MUST_USE;
/* It works again, and is locked: blocked deliveries are queued again, with their jobs; those of an
 * integration that was paused meanwhile wait for that. */
enum err deliveries_unblock(const struct scope *scope, struct uuid connection,
                            int64_t *count) MUST_USE;

/* Windows whose first deliveries were all attempted or parked are done. */
enum err windows_finish(const struct scope *scope, struct uuid_list windows) MUST_USE;

#endif
