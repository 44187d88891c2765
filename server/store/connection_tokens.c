#include "store/connection.h"
#include "store/secrets.h"

/* Tokens of a connection: stored both at once, refreshed by one at a time. */

struct store_order {
    const struct secret *region_key;
    struct uuid id;
    const struct connection_tokens *tokens;
    const struct connection_refresh *refresh; /* NULL: a fresh authorisation */
};

STATEMENT(
    connection_tokens_sql,
    "UPDATE region.connection SET access_expires_at = $3, scopes = coalesce($4, scopes),"
    " authorisation = coalesce($5, authorisation), refreshing_until = NULL,"
    " refreshing_claim = NULL, refreshing_worker = NULL, disconnected_at = NULL, revocation = NULL,"
    " credential_generation = credential_generation + 1, updated_at = $6"
    " WHERE workspace_id = $1 AND id = $2"
    " AND ($7::bigint IS NULL OR credential_generation = $7)");

static enum err put_both(const struct scope *scope, const struct store_order *order)
{
    const struct connection_tokens *tokens = order->tokens;
    struct credential_place access = {order->id, CREDENTIAL_ACCESS_TOKEN};
    struct credential_place refresh = {order->id, CREDENTIAL_REFRESH_TOKEN};
    TRY(credential_put(scope, order->region_key, access, tokens->access_token));
    if (!tokens->refresh_token)
        return OK;
    return credential_put(scope, order->region_key, refresh, tokens->refresh_token);
}

static enum err tokens_store(const struct scope *scope, void *arg)
{
    const struct store_order *order = arg;
    const struct connection_tokens *tokens = order->tokens;
    int64_t changed;
    TRY(db_exec(
        scope, &connection_tokens_sql,
        PARAMS(P(scope->workspace), P(order->id), P(tokens->access_expires_at), P(tokens->scopes),
               P_JSON(tokens->authorisation), P(db_now(scope)),
               P_INT_IF(order->refresh != NULL, order->refresh ? order->refresh->generation : 0)),
        &changed));
    if (changed != 1)
        return arena_fail(scope->arena, order->refresh ? ERR_LEASE_LOST : ERR_NOT_FOUND, NULL,
                          "The tokens were replaced in the meantime.");
    return put_both(scope, order);
}

enum err connection_tokens_put(const struct scope *scope, const struct secret *region_key,
                               struct uuid id, const struct connection_tokens *tokens)
{
    struct store_order order = {region_key, id, tokens, NULL};
    return db_transaction(scope, tokens_store, &order);
}

enum err connection_refresh_store(const struct scope *scope, const struct secret *region_key,
                                  const struct connection_refresh *refresh,
                                  const struct connection_tokens *tokens)
{
    struct store_order order = {region_key, refresh->connection, tokens, refresh};
    return db_transaction(scope, tokens_store, &order);
}

/* The claim of a worker whose lease is over, or whose row is gone, holds up nobody. */
STATEMENT(connection_refresh_claim_sql,
          "UPDATE region.connection c SET refreshing_claim = $4, refreshing_worker = $6,"
          " refreshing_until = clock_timestamp() + $5 * interval '1 second'"
          " WHERE workspace_id = $1 AND id = $2 AND credential_generation = $3"
          " AND (refreshing_until IS NULL OR refreshing_until < clock_timestamp()"
          " OR (c.refreshing_worker IS NOT NULL AND NOT EXISTS (SELECT FROM region.worker w"
          " WHERE w.id = c.refreshing_worker AND w.lease_until > clock_timestamp())))");

enum err connection_refresh_claim(const struct scope *scope, struct connection_refresh *refresh,
                                  bool *claimed)
{
    int64_t changed;
    struct uuid claim = db_new_id(scope);
    TRY(db_exec(scope, &connection_refresh_claim_sql,
                PARAMS(P(scope->workspace), P(refresh->connection), P(refresh->generation),
                       P(claim), P((int)REFRESH_LEASE_S),
                       P_INT_IF(refresh->worker != 0, refresh->worker)),
                &changed));
    *claimed = changed == 1;
    if (*claimed)
        refresh->claim = claim;
    return OK;
}

STATEMENT(connection_refresh_release_sql,
          "UPDATE region.connection SET refreshing_claim = NULL, refreshing_worker = NULL,"
          " refreshing_until = NULL"
          " WHERE workspace_id = $1 AND id = $2 AND refreshing_claim = $3");

enum err connection_refresh_release(const struct scope *scope,
                                    const struct connection_refresh *refresh)
{
    return db_exec(scope, &connection_refresh_release_sql,
                   PARAMS(P(scope->workspace), P(refresh->connection), P(refresh->claim)), NULL);
}

/* ---- replacing ---- */

struct replacement {
    const struct secret *region_key;
    struct uuid older;
    struct uuid newer;
};

STATEMENT(
    connection_take_over_sql,
    "UPDATE region.connection AS older SET scopes = newer.scopes,"
    " authorisation = newer.authorisation, capabilities = newer.capabilities,"
    " access_expires_at = newer.access_expires_at, refreshing_until = NULL,"
    " refreshing_claim = NULL, refreshing_worker = NULL, disconnected_at = NULL, revocation = NULL,"
    " credential_generation = older.credential_generation + 1, updated_at = $4,"
    " roles = (SELECT array_agg(DISTINCT role ORDER BY role)"
    "  FROM unnest(older.roles || newer.roles) AS role),"
    " row_version = older.row_version + 1 FROM region.connection AS newer"
    " WHERE older.workspace_id = $1 AND older.id = $2"
    " AND newer.workspace_id = $1 AND newer.id = $3");
STATEMENT(connection_replaced_sql, "UPDATE region.connection SET replaced_by = $3, updated_at = $4"
                                   " WHERE workspace_id = $1 AND id = $2");

static enum err replace(const struct scope *scope, void *arg)
{
    const struct replacement *self = arg;
    int64_t changed;
    TRY(db_exec(scope, &connection_take_over_sql,
                PARAMS(P(scope->workspace), P(self->older), P(self->newer), P(db_now(scope))),
                &changed));
    if (changed != 1)
        return arena_fail(scope->arena, ERR_NOT_FOUND, NULL, "%s", err_sentence(ERR_NOT_FOUND));
    TRY(credential_hand_over(scope, self->region_key, self->newer, self->older));
    TRY(connection_move(scope, self->newer, CONNECTION_DISCONNECTED, "replaced"));
    return db_exec(scope, &connection_replaced_sql,
                   PARAMS(P(scope->workspace), P(self->newer), P(self->older), P(db_now(scope))),
                   NULL);
}

enum err connection_replace(const struct scope *scope, const struct secret *region_key,
                            struct uuid older, struct uuid newer)
{
    struct replacement self = {region_key, older, newer};
    return db_transaction(scope, replace, &self);
}
