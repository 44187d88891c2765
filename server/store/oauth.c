#include "store/oauth.h"

#include "crypto/crypto.h"
#include "store/secrets.h"

/* ---- states ---- */

static const struct column state_columns[] = {
    COLUMN(struct oauth_state, state_hash),   COLUMN(struct oauth_state, browser_hash),
    COLUMN(struct oauth_state, workspace_id), COLUMN(struct oauth_state, region),
    COLUMN(struct oauth_state, provider),     COLUMN(struct oauth_state, connection_id),
    COLUMN(struct oauth_state, attempt_id),   COLUMN(struct oauth_state, return_to),
    COLUMN(struct oauth_state, asked_by),     COLUMN(struct oauth_state, asked_with),
    COLUMN(struct oauth_state, expires_at)};
static const struct shape state_shape = SHAPE(struct oauth_state, state_columns);

STATEMENT(oauth_state_insert_sql,
          "INSERT INTO directory.oauth_state (state_hash, browser_hash, workspace_id, region,"
          " provider, connection_id, attempt_id, return_to, asked_by, asked_with, created_at,"
          " expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)");
#define CLAIMED                                                                                    \
    " WHERE s.state_hash = $1 AND s.browser_hash = $2 AND s.provider = $3 AND s.used_at IS NULL"   \
    " AND s.expires_at > $4 AND EXISTS (SELECT FROM directory.member AS m"                         \
    "  JOIN directory.app_user AS u ON u.id = m.user_id AND u.state = 'active'"                    \
    "  WHERE m.workspace_id = s.workspace_id AND m.user_id = s.asked_by"                           \
    "  AND m.role IN ('admin', 'owner'))"                                                          \
    " AND (s.asked_with IS NULL OR EXISTS (SELECT FROM directory.api_key AS k"                     \
    "  WHERE k.id = s.asked_with AND k.revoked_at IS NULL))"
STATEMENT(oauth_state_look_sql, "SELECT s.* FROM directory.oauth_state AS s" CLAIMED);
STATEMENT(oauth_state_take_sql,
          "UPDATE directory.oauth_state AS s SET used_at = $4" CLAIMED " RETURNING s.*");
STATEMENT(oauth_state_spoil_sql,
          "UPDATE directory.oauth_state SET used_at = $2 WHERE state_hash = $1"
          " AND used_at IS NULL AND expires_at > $2 RETURNING *");

enum err oauth_state_add(const struct untenanted *directory, const struct oauth_state *state)
{
    const struct scope *at = &directory->scope;
    return db_exec(at, &oauth_state_insert_sql,
                   PARAMS(P(state->state_hash), P(state->browser_hash), P(state->workspace_id),
                          P(state->region), P(state->provider), P(state->connection_id),
                          P(state->attempt_id), P(state->return_to), P(state->asked_by),
                          P(state->asked_with), P(db_now(at)), P(state->expires_at)),
                   NULL);
}

static enum err state_claimed(const struct untenanted *directory, const struct statement *statement,
                              const struct oauth_state_claim *claim, struct oauth_state *into)
{
    return db_one(&directory->scope, statement,
                  PARAMS(P(claim->state_hash), P(claim->browser_hash), P(claim->provider),
                         P(db_now(&directory->scope))),
                  &state_shape, into);
}

enum err oauth_state_look(const struct untenanted *directory, const struct oauth_state_claim *claim,
                          struct oauth_state *into)
{
    return state_claimed(directory, &oauth_state_look_sql, claim, into);
}

enum err oauth_state_take(const struct untenanted *directory, const struct oauth_state_claim *claim,
                          struct oauth_state *into)
{
    return state_claimed(directory, &oauth_state_take_sql, claim, into);
}

enum err oauth_state_spoil(const struct untenanted *directory, struct bytes state_hash,
                           struct oauth_state *into, bool *found)
{
    return db_maybe(&directory->scope, &oauth_state_spoil_sql,
                    PARAMS(P(state_hash), P(db_now(&directory->scope))), &state_shape, into, found);
}

static const struct column asker_columns[] = {COLUMN(struct oauth_asker, email),
                                              COLUMN(struct oauth_asker, key_name)};
static const struct shape asker_shape = SHAPE(struct oauth_asker, asker_columns);
STATEMENT(oauth_asker_sql, "SELECT u.email, k.name AS key_name FROM directory.app_user AS u"
                           " LEFT JOIN directory.api_key AS k ON k.id = $2 WHERE u.id = $1");

enum err oauth_asker_get(const struct untenanted *directory, const struct oauth_state *state,
                         struct oauth_asker *into)
{
    return db_one(&directory->scope, &oauth_asker_sql,
                  PARAMS(P(state->asked_by), P(state->asked_with)), &asker_shape, into);
}

/* ---- attempts ---- */

struct attempt_row {
    struct uuid id;
    struct uuid connection_id;
    const char *redirect_uri;
    const char *authorisation;
    struct bytes sealed_verifier;
    int key_version;
    struct instant expires_at;
};
static const struct column attempt_columns[] = {COLUMN(struct attempt_row, id),
                                                COLUMN(struct attempt_row, connection_id),
                                                COLUMN(struct attempt_row, redirect_uri),
                                                COLUMN(struct attempt_row, authorisation),
                                                COLUMN(struct attempt_row, sealed_verifier),
                                                COLUMN(struct attempt_row, key_version),
                                                COLUMN(struct attempt_row, expires_at)};
static const struct shape attempt_shape = SHAPE(struct attempt_row, attempt_columns);

STATEMENT(oauth_attempt_insert_sql,
          "INSERT INTO region.authorisation_attempt (workspace_id, id, connection_id,"
          " redirect_uri, authorisation, sealed_verifier, key_version, created_at, expires_at)"
          " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)");
STATEMENT(oauth_attempt_take_sql,
          "UPDATE region.authorisation_attempt SET finished_at = $3, outcome = 'taken'"
          " WHERE workspace_id = $1 AND id = $2 AND finished_at IS NULL AND expires_at > $3"
          " RETURNING *");

static const char *verifier_place(const struct scope *scope, struct uuid attempt)
{
    return arena_format(scope->arena, "attempt|%s|verifier", uuid_format(scope->arena, attempt));
}

enum err oauth_attempt_add(const struct scope *scope, const struct secret *region_key,
                           struct oauth_attempt *attempt)
{
    static const char none[] = "";
    const struct secret *verifier =
        attempt->verifier ? attempt->verifier : secret_from_text(scope->arena, none);
    struct sealed sealed;
    attempt->id = db_new_id(scope);
    TRY(value_seal(scope, region_key, verifier_place(scope, attempt->id), verifier, &sealed));
    return db_exec(scope, &oauth_attempt_insert_sql,
                   PARAMS(P(scope->workspace), P(attempt->id), P(attempt->connection_id),
                          P(attempt->redirect_uri), P_JSON(attempt->authorisation), P(sealed.bytes),
                          P(sealed.key_version), P(db_now(scope)), P(attempt->expires_at)),
                   NULL);
}

enum err oauth_attempt_take(const struct scope *scope, const struct secret *region_key,
                            struct uuid id, struct oauth_attempt *into)
{
    struct attempt_row row;
    TRY(db_one(scope, &oauth_attempt_take_sql, PARAMS(P(scope->workspace), P(id), P(db_now(scope))),
               &attempt_shape, &row));
    struct sealed sealed = {row.key_version, row.sealed_verifier};
    *into = (struct oauth_attempt){.id = row.id,
                                   .connection_id = row.connection_id,
                                   .redirect_uri = row.redirect_uri,
                                   .authorisation = row.authorisation,
                                   .expires_at = row.expires_at};
    TRY(value_unseal(scope, region_key, verifier_place(scope, id), &sealed, &into->verifier));
    if (secret_bytes(into->verifier).n == 0)
        into->verifier = NULL;
    return OK;
}

/* ---- clients that we registered ---- */

struct client_row {
    const char *client_id;
    struct bytes sealed_secret;
};
static const struct column client_columns[] = {COLUMN(struct client_row, client_id),
                                               COLUMN(struct client_row, sealed_secret)};
static const struct shape client_shape = SHAPE(struct client_row, client_columns);

/* A secret that an earlier key of the region sealed opens no more: the client is as good as none,
 * and the next one takes its place. */
STATEMENT(registered_client_get_sql, "SELECT client_id, sealed_secret FROM region.registered_client"
                                     " WHERE issuer = $1 AND redirect_uri = $2"
                                     " AND (sealed_secret IS NULL OR region_key_id = $3)");
STATEMENT(registered_client_insert_sql,
          "INSERT INTO region.registered_client (issuer, redirect_uri, client_id, region_key_id,"
          " sealed_secret, created_at) VALUES ($1, $2, $3, $4, $5, $6)"
          " ON CONFLICT (issuer, redirect_uri) DO UPDATE SET client_id = excluded.client_id,"
          " region_key_id = excluded.region_key_id, sealed_secret = excluded.sealed_secret,"
          " created_at = excluded.created_at WHERE registered_client.sealed_secret IS NOT NULL"
          " AND registered_client.region_key_id <> excluded.region_key_id");
STATEMENT(registered_client_delete_sql,
          "DELETE FROM region.registered_client WHERE issuer = $1 AND redirect_uri = $2");

static struct bytes client_place(struct arena *arena, const char *issuer, const char *redirect_uri,
                                 const char *client_id)
{
    const char *place = arena_format(arena, "registered_client|%zu|%s|%zu|%s|%s", strlen(issuer),
                                     issuer, strlen(redirect_uri), redirect_uri, client_id);
    return (struct bytes){.at = (const uint8_t *)place, .n = strlen(place)};
}

enum err registered_client_get(const struct untenanted *region, const struct secret *region_key,
                               const char *issuer, const char *redirect_uri,
                               struct registered_client *into)
{
    const struct scope *at = &region->scope;
    struct client_row row;
    TRY(db_one(at, &registered_client_get_sql,
               PARAMS(P(issuer), P(redirect_uri), P(region_key_id(at->arena, region_key))),
               &client_shape, &row));
    *into = (struct registered_client){
        .issuer = issuer, .redirect_uri = redirect_uri, .client_id = row.client_id};
    if (!row.sealed_secret.at)
        return OK;
    return unseal(at->arena, region_key,
                  client_place(at->arena, issuer, redirect_uri, row.client_id), row.sealed_secret,
                  &into->secret);
}

enum err registered_client_put(const struct untenanted *region, const struct secret *region_key,
                               const struct registered_client *client)
{
    const struct scope *at = &region->scope;
    struct bytes sealed = {NULL, 0};
    if (client->secret)
        TRY(seal(at->arena, region_key,
                 client_place(at->arena, client->issuer, client->redirect_uri, client->client_id),
                 secret_bytes(client->secret), &sealed));
    return db_exec(at, &registered_client_insert_sql,
                   PARAMS(P(client->issuer), P(client->redirect_uri), P(client->client_id),
                          P(region_key_id(at->arena, region_key)), P(sealed), P(db_now(at))),
                   NULL);
}

enum err registered_client_forget(const struct untenanted *region, const char *issuer,
                                  const char *redirect_uri)
{
    return db_exec(&region->scope, &registered_client_delete_sql,
                   PARAMS(P(issuer), P(redirect_uri)), NULL);
}

STATEMENT(registered_client_forget_everywhere_sql,
          "DELETE FROM region.registered_client WHERE issuer = $1 AND client_id = $2");

enum err registered_client_forget_everywhere(const struct untenanted *region, const char *issuer,
                                             const char *client_id)
{
    return db_exec(&region->scope, &registered_client_forget_everywhere_sql,
                   PARAMS(P(issuer), P(client_id)), NULL);
}
