#include "store/secrets.h"

#include "crypto/crypto.h"

char *region_key_id(struct arena *arena, const struct secret *region_key)
{
    return arena_text_n(arena, sha256_hex(arena, secret_bytes(region_key)), 16);
}

static struct bytes text_bytes(const char *text)
{
    return (struct bytes){.at = (const uint8_t *)text, .n = strlen(text)};
}

/* ---- data keys ---- */

struct data_key {
    int key_version;
    struct bytes wrapped;
    const struct secret *key;
};
static const struct column data_key_columns[] = {COLUMN(struct data_key, key_version),
                                                 COLUMN(struct data_key, wrapped)};
static const struct shape data_key_shape = SHAPE(struct data_key, data_key_columns);

STATEMENT(workspace_key_newest_sql, "SELECT key_version, wrapped FROM region.workspace_key"
                                    " WHERE workspace_id = $1 ORDER BY key_version DESC LIMIT 1");
STATEMENT(workspace_key_version_sql, "SELECT key_version, wrapped FROM region.workspace_key"
                                     " WHERE workspace_id = $1 AND key_version = $2");
STATEMENT(workspace_key_all_sql, "SELECT key_version, wrapped FROM region.workspace_key"
                                 " WHERE workspace_id = $1 ORDER BY key_version");
STATEMENT(workspace_key_insert_sql,
          "INSERT INTO region.workspace_key (workspace_id, key_version, wrapped, region_key_id,"
          " created_at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING");
STATEMENT(workspace_key_wrap_sql, "UPDATE region.workspace_key SET wrapped = $3, region_key_id = $4"
                                  " WHERE workspace_id = $1 AND key_version = $2");

static struct bytes data_key_place(const struct scope *scope, int version)
{
    return text_bytes(arena_format(scope->arena, "%s|data_key|%d",
                                   uuid_format(scope->arena, scope->workspace), version));
}

static enum err data_key_open(const struct scope *scope, const struct secret *region_key,
                              struct data_key *key)
{
    return unseal(scope->arena, region_key, data_key_place(scope, key->key_version), key->wrapped,
                  &key->key);
}

static enum err data_key_newest(const struct scope *scope, const struct secret *region_key,
                                struct data_key *into)
{
    bool found;
    TRY(db_maybe(scope, &workspace_key_newest_sql, PARAMS(P(scope->workspace)), &data_key_shape,
                 into, &found));
    if (!found)
        return arena_fail(scope->arena, ERR_CRYPTO, NULL, "The workspace has no data key.");
    return data_key_open(scope, region_key, into);
}

static enum err data_key_of(const struct scope *scope, const struct secret *region_key, int version,
                            struct data_key *into)
{
    bool found;
    TRY(db_maybe(scope, &workspace_key_version_sql, PARAMS(P(scope->workspace), P(version)),
                 &data_key_shape, into, &found));
    if (!found)
        return arena_fail(scope->arena, ERR_CRYPTO, NULL, "The workspace has no such data key.");
    return data_key_open(scope, region_key, into);
}

static enum err data_key_make(const struct scope *scope, const struct secret *region_key,
                              int version)
{
    const struct secret *key = random_secret(scope->arena, SEAL_KEY_BYTES);
    struct bytes wrapped;
    TRY(seal(scope->arena, region_key, data_key_place(scope, version), secret_bytes(key),
             &wrapped));
    return db_exec(scope, &workspace_key_insert_sql,
                   PARAMS(P(scope->workspace), P(version), P(wrapped),
                          P(region_key_id(scope->arena, region_key)), P(db_now(scope))),
                   NULL);
}

enum err workspace_key_ensure(const struct scope *scope, const struct secret *region_key)
{
    struct data_key key;
    bool found;
    TRY(db_maybe(scope, &workspace_key_newest_sql, PARAMS(P(scope->workspace)), &data_key_shape,
                 &key, &found));
    return found ? OK : data_key_make(scope, region_key, 1);
}

struct rewrap {
    const struct secret *from;
    const struct secret *to;
};

static enum err rewrap(const struct scope *scope, void *arg)
{
    const struct rewrap *self = arg;
    struct rows rows;
    TRY(db_all(scope, &workspace_key_all_sql, PARAMS(P(scope->workspace)), &data_key_shape, &rows));
    struct data_key *keys = rows.at;
    for (size_t i = 0; i < rows.count; i++) {
        struct bytes wrapped;
        TRY(data_key_open(scope, self->from, &keys[i]));
        TRY(seal(scope->arena, self->to, data_key_place(scope, keys[i].key_version),
                 secret_bytes(keys[i].key), &wrapped));
        TRY(db_exec(scope, &workspace_key_wrap_sql,
                    PARAMS(P(scope->workspace), P(keys[i].key_version), P(wrapped),
                           P(region_key_id(scope->arena, self->to))),
                    NULL));
    }
    return OK;
}

enum err workspace_key_rewrap(const struct scope *scope, const struct secret *old_region_key,
                              const struct secret *new_region_key)
{
    return db_transaction(scope, rewrap, &(struct rewrap){old_region_key, new_region_key});
}

/* ---- values ---- */

static struct bytes value_place(const struct scope *scope, const char *place, int version)
{
    return text_bytes(arena_format(scope->arena, "%s|%s|%d",
                                   uuid_format(scope->arena, scope->workspace), place, version));
}

enum err value_seal(const struct scope *scope, const struct secret *region_key, const char *place,
                    const struct secret *value, struct sealed *into)
{
    struct data_key key;
    TRY(data_key_newest(scope, region_key, &key));
    into->key_version = key.key_version;
    return seal(scope->arena, key.key, value_place(scope, place, key.key_version),
                secret_bytes(value), &into->bytes);
}

enum err value_unseal(const struct scope *scope, const struct secret *region_key, const char *place,
                      const struct sealed *sealed, const struct secret **into)
{
    struct data_key key;
    TRY(data_key_of(scope, region_key, sealed->key_version, &key));
    return unseal(scope->arena, key.key, value_place(scope, place, sealed->key_version),
                  sealed->bytes, into);
}

/* ---- credentials ---- */

struct stored_credential {
    const char *field;
    int key_version;
    struct bytes sealed;
    bool revocation_only;
};
static const struct column credential_columns[] = {
    COLUMN(struct stored_credential, field), COLUMN(struct stored_credential, key_version),
    COLUMN(struct stored_credential, sealed), COLUMN(struct stored_credential, revocation_only)};
static const struct shape credential_shape = SHAPE(struct stored_credential, credential_columns);

static const char *credential_place(const struct scope *scope, struct credential_place place)
{
    return arena_format(scope->arena, "%s|%s", uuid_format(scope->arena, place.connection),
                        place.field);
}

STATEMENT(credential_put_sql,
          "INSERT INTO region.credential (workspace_id, connection_id, field, key_version, sealed,"
          " revocation_only, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7)"
          " ON CONFLICT (workspace_id, connection_id, field) DO UPDATE SET"
          " key_version = excluded.key_version, sealed = excluded.sealed,"
          " revocation_only = excluded.revocation_only, updated_at = excluded.updated_at");

static enum err credential_store(const struct scope *scope, const struct secret *region_key,
                                 struct credential_place place, const struct secret *value,
                                 bool revocation_only)
{
    struct sealed sealed;
    TRY(value_seal(scope, region_key, credential_place(scope, place), value, &sealed));
    return db_exec(scope, &credential_put_sql,
                   PARAMS(P(scope->workspace), P(place.connection), P(place.field),
                          P(sealed.key_version), P(sealed.bytes), P(revocation_only),
                          P(db_now(scope))),
                   NULL);
}

enum err credential_put(const struct scope *scope, const struct secret *region_key,
                        struct credential_place place, const struct secret *value)
{
    return credential_store(scope, region_key, place, value, false);
}

STATEMENT(credential_get_sql,
          "SELECT field, key_version, sealed, revocation_only FROM region.credential"
          " WHERE workspace_id = $1 AND connection_id = $2 AND field = $3"
          " AND revocation_only = $4");

static enum err credential_open(const struct scope *scope, const struct secret *region_key,
                                struct credential_place place, bool revocation_only,
                                const struct secret **into)
{
    struct stored_credential stored;
    bool found;
    *into = NULL;
    TRY(db_maybe(
        scope, &credential_get_sql,
        PARAMS(P(scope->workspace), P(place.connection), P(place.field), P(revocation_only)),
        &credential_shape, &stored, &found));
    if (!found)
        return OK;
    struct sealed sealed = {.key_version = stored.key_version, .bytes = stored.sealed};
    return value_unseal(scope, region_key, credential_place(scope, place), &sealed, into);
}

enum err credential_get(const struct scope *scope, const struct secret *region_key,
                        struct credential_place place, const struct secret **into)
{
    return credential_open(scope, region_key, place, false, into);
}

enum err credential_get_for_revocation(const struct scope *scope, const struct secret *region_key,
                                       struct credential_place place, const struct secret **into)
{
    return credential_open(scope, region_key, place, true, into);
}

STATEMENT(credential_destroy_sql,
          "DELETE FROM region.credential WHERE workspace_id = $1 AND connection_id = $2");

enum err credential_destroy(const struct scope *scope, struct uuid connection)
{
    return db_exec(scope, &credential_destroy_sql, PARAMS(P(scope->workspace), P(connection)),
                   NULL);
}

STATEMENT(credential_keep_sql,
          "UPDATE region.credential SET revocation_only = true, updated_at = $3"
          " WHERE workspace_id = $1 AND connection_id = $2");

enum err credential_keep_for_revocation(const struct scope *scope, struct uuid connection)
{
    return db_exec(scope, &credential_keep_sql,
                   PARAMS(P(scope->workspace), P(connection), P(db_now(scope))), NULL);
}

/* ---- sealing anew ---- */

STATEMENT(credential_of_sql, "SELECT field, key_version, sealed, revocation_only"
                             " FROM region.credential"
                             " WHERE workspace_id = $1 AND connection_id = $2 ORDER BY field");

struct hand_over {
    const struct secret *region_key;
    struct uuid from;
    struct uuid to;
};

/* Opens each credential of `from` and seals it for `to`. */
static enum err seal_anew(const struct scope *scope, const struct hand_over *self)
{
    struct rows rows;
    TRY(db_all(scope, &credential_of_sql, PARAMS(P(scope->workspace), P(self->from)),
               &credential_shape, &rows));
    const struct stored_credential *stored = rows.at;
    for (size_t i = 0; i < rows.count; i++) {
        struct credential_place from = {self->from, stored[i].field};
        struct credential_place to = {self->to, stored[i].field};
        struct sealed sealed = {stored[i].key_version, stored[i].sealed};
        const struct secret *value;
        TRY(value_unseal(scope, self->region_key, credential_place(scope, from), &sealed, &value));
        TRY(credential_store(scope, self->region_key, to, value, stored[i].revocation_only));
    }
    return OK;
}

static enum err hand_over(const struct scope *scope, void *arg)
{
    const struct hand_over *self = arg;
    TRY(credential_destroy(scope, self->to));
    TRY(seal_anew(scope, self));
    return credential_destroy(scope, self->from);
}

enum err credential_hand_over(const struct scope *scope, const struct secret *region_key,
                              struct uuid from, struct uuid to)
{
    struct hand_over self = {region_key, from, to};
    assert(!uuid_equal(from, to));
    return db_transaction(scope, hand_over, &self);
}

struct holder {
    struct uuid connection;
};
static const struct column holder_columns[] = {COLUMN(struct holder, connection)};
static const struct shape holder_shape = SHAPE(struct holder, holder_columns);
STATEMENT_ROWS(credential_holders_sql, 10000,
               "SELECT DISTINCT connection_id AS connection FROM region.credential"
               " WHERE workspace_id = $1 ORDER BY connection_id");

static enum err rotate(const struct scope *scope, void *arg)
{
    const struct rewrap *self = arg;
    struct data_key newest;
    struct rows rows;
    TRY(data_key_newest(scope, self->to, &newest));
    TRY(data_key_make(scope, self->to, newest.key_version + 1));
    TRY(db_all(scope, &credential_holders_sql, PARAMS(P(scope->workspace)), &holder_shape, &rows));
    const struct holder *holders = rows.at;
    for (size_t i = 0; i < rows.count; i++)
        TRY(seal_anew(scope,
                      &(struct hand_over){self->to, holders[i].connection, holders[i].connection}));
    return OK;
}

enum err workspace_key_rotate(const struct scope *scope, const struct secret *region_key)
{
    return db_transaction(scope, rotate, &(struct rewrap){region_key, region_key});
}
