/* Sessions with rotating refresh tokens, API keys, invitations. Tokens and keys come and are kept
 * as SHA-256 hashes of 32 bytes; what they are made of is auth/'s business. */
#ifndef SLUICE_STORE_LOGIN_H
#define SLUICE_STORE_LOGIN_H

#include "db/db.h"

/* ---- sessions ---- */

struct login_start {
    struct uuid user;
    struct bytes token_hash;
    struct instant expires_at; /* of the whole session; the token's is the same */
};
enum err login_start(const struct untenanted *directory, const struct login_start *start,
                     struct uuid *session) MUST_USE;

struct login_rotation {
    struct uuid session; /* filled */
    struct uuid user;    /* filled */
    struct instant expires_at;
};
/* Exchanges a refresh token for a new one. ERR_UNAUTHENTICATED: unknown, expired, of an ended
 * session, or used before; then the session has been ended, since a copy is about. The end of the
 * session is committed even though this fails: call it outside a transaction. */
enum err login_rotate(const struct untenanted *directory, struct bytes old_hash,
                      struct bytes new_hash, struct login_rotation *into) MUST_USE;
/* The same answer whether or not there is such a session. */
enum err login_end(const struct untenanted *directory, struct bytes token_hash) MUST_USE;
/* All of a user, after a new password. */
enum err login_end_all(const struct untenanted *directory, struct uuid user) MUST_USE;

/* ---- API keys ---- */

struct api_key {
    struct uuid id;
    struct uuid workspace_id;
    const char *name;
    const char *role;
    const char *hint;       /* its first characters */
    struct uuid created_by; /* a person */
    struct instant created_at;
    struct instant last_used_at;
    struct instant expires_at; /* 0: never */
    const char *region;        /* of the workspace; in api_key_by_hash only */
};
/* Fills id and created_at. ERR_FORBIDDEN: who makes it is no member any more. */
enum err api_key_add(const struct untenanted *directory, struct bytes key_hash,
                     struct api_key *key) MUST_USE;
/* A key that is neither revoked nor expired, of an active workspace, made by somebody who still is
 * a member; its role is never larger than theirs is now. Notes its use, at most once a minute.
 * ERR_UNAUTHENTICATED otherwise. */
enum err api_key_by_hash(const struct untenanted *directory, struct bytes key_hash,
                         struct api_key *into) MUST_USE;
enum err api_key_list(const struct untenanted *directory, struct uuid workspace, struct uuid before,
                      int64_t limit, struct rows *into) MUST_USE;
/* ERR_NOT_FOUND when there is none, or it was revoked before. */
enum err api_key_revoke(const struct untenanted *directory, struct uuid workspace,
                        struct uuid id) MUST_USE;

/* ---- invitations ---- */

struct invitation {
    struct uuid id;
    struct uuid workspace_id;
    const char *email; /* lower case */
    const char *role;
    struct uuid invited_by; /* a person */
    struct instant created_at;
    struct instant expires_at;
};
/* Fills id and created_at. An open one to the same address is replaced. */
enum err invitation_add(const struct untenanted *directory, struct bytes token_hash,
                        struct invitation *invitation) MUST_USE;
/* Takes an open invitation: single use. ERR_NOT_FOUND when unknown, used, revoked or expired, or
 * when whoever invited may no longer do so. To be called in the transaction that makes the member.
 */
enum err invitation_take(const struct untenanted *directory, struct bytes token_hash,
                         struct invitation *into) MUST_USE;
enum err invitation_accepted(const struct untenanted *directory, struct uuid id,
                             struct uuid user) MUST_USE;

#endif
