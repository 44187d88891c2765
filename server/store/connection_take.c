#include "store/connection_take.h"

#include "store/delivery_block.h"
#include "store/queue.h"

/* One that works is not moved to processing directly: that would be a move of its own, while the
 * old credentials are in fact gone. */
enum err connection_reprocess(const struct scope *scope, struct uuid id, enum connection_state from)
{
    if (from == CONNECTION_ENABLED || from == CONNECTION_DEGRADED)
        TRY(connection_move(scope, id, CONNECTION_NEED_RECONNECT, "reconnecting"));
    TRY(connection_move(scope, id, CONNECTION_PROCESSING, NULL));
    TRY(queue_park(scope, id, true));
    return deliveries_block(scope, id);
}

struct taking {
    const struct secret *region_key;
    struct uuid newer;
    const struct connection_account *account;
    struct uuid *into;
};

static enum err take(const struct scope *scope, void *arg)
{
    const struct taking *taking = arg;
    struct connection older;
    bool found;
    TRY(connection_by_account(scope, taking->account, &older, &found));
    if (!found || uuid_equal(older.id, taking->newer)) {
        *taking->into = taking->newer;
        return connection_account_set(scope, taking->newer, taking->account);
    }
    *taking->into = older.id;
    TRY(connection_lock(scope, older.id, &older));
    TRY(connection_replace(scope, taking->region_key, older.id, taking->newer));
    return older.state == CONNECTION_SUSPENDED ? OK
                                               : connection_reprocess(scope, older.id, older.state);
}

enum err connection_take_account(const struct scope *scope, const struct secret *region_key,
                                 struct uuid newer, const struct connection_account *account,
                                 struct uuid *into)
{
    struct taking taking = {region_key, newer, account, into};
    return db_transaction(scope, take, &taking);
}
