/* Sealed values. The region's key (never stored here) wraps one data key per workspace; the data
 * key seals each value for its place: workspace, connection, field and key version are associated
 * data, so a value that was moved to another row does not open. */
#ifndef SLUICE_STORE_SECRETS_H
#define SLUICE_STORE_SECRETS_H

#include "base/secret.h"
#include "db/db.h"

/* Fields of a connection that connectors use. */
#define CREDENTIAL_ACCESS_TOKEN  "access_token"
#define CREDENTIAL_REFRESH_TOKEN "refresh_token"
#define CREDENTIAL_API_KEY       "api_key"
#define CREDENTIAL_CLIENT_SECRET "client_secret"

/* Makes the first data key of the scope's workspace; nothing when it has one. Called when the
 * workspace is made, after tenant_put. */
enum err workspace_key_ensure(const struct scope *scope, const struct secret *region_key) MUST_USE;
/* A new data key; every credential is sealed anew with it. */
enum err workspace_key_rotate(const struct scope *scope, const struct secret *region_key) MUST_USE;
/* Wraps every data key with another region key (`sluice keys rotate`). */
enum err workspace_key_rewrap(const struct scope *scope, const struct secret *old_region_key,
                              const struct secret *new_region_key) MUST_USE;

struct credential_place {
    struct uuid connection;
    const char *field;
};
enum err credential_put(const struct scope *scope, const struct secret *region_key,
                        struct credential_place place, const struct secret *value) MUST_USE;
/* *into is NULL when there is none. */
enum err credential_get(const struct scope *scope, const struct secret *region_key,
                        struct credential_place place, const struct secret **into) MUST_USE;
/* What was kept for revocation alone; *into is NULL when there is none. */
enum err credential_get_for_revocation(const struct scope *scope, const struct secret *region_key,
                                       struct credential_place place,
                                       const struct secret **into) MUST_USE;
/* All of a connection: gone, also those kept for revocation. */
enum err credential_destroy(const struct scope *scope, struct uuid connection) MUST_USE;
/* All of a connection serve revocation alone from now on: credential_get no longer finds them. */
enum err credential_keep_for_revocation(const struct scope *scope, struct uuid connection) MUST_USE;
/* Hands every credential to another connection, sealed for its new place. */
enum err credential_hand_over(const struct scope *scope, const struct secret *region_key,
                              struct uuid from, struct uuid to) MUST_USE;

/* For other sealed columns of the workspace. `place` names the row and the column. */
struct sealed {
    int key_version;
    struct bytes bytes;
};
enum err value_seal(const struct scope *scope, const struct secret *region_key, const char *place,
                    const struct secret *value, struct sealed *into) MUST_USE;
enum err value_unseal(const struct scope *scope, const struct secret *region_key, const char *place,
                      const struct sealed *sealed, const struct secret **into) MUST_USE;
/* First 16 hex digits of the key's hash: tells keys apart without telling them. */
char *region_key_id(struct arena *arena, const struct secret *region_key);

#endif
