/* Our own access tokens: JWT, HS256 only. The algorithm that the token names is compared with that
 * constant, and its key picked by kid, before any claim is trusted; exp, iat, iss, aud, sub and sid
 * are required. The only file that includes libjwt. */
#ifndef SLUICE_JWT_H
#define SLUICE_JWT_H

#include "base/secret.h"
#include "base/time.h"
#include "base/uuid.h"

enum {
    JWT_LIFETIME_S = 15 * 60,
    JWT_SKEW_S = 30, /* how far ahead of us the clock of a sibling process may be */
    JWT_KEY_BYTES_MIN = 32,
    JWT_KEYS_MAX = 4,
    JWT_BYTES_MAX = 2048,
};

struct jwt_key {
    const char *kid;
    const struct secret *key;
};

/* The first key signs; the others still verify (rotation). */
struct jwt_keys {
    struct jwt_key keys[JWT_KEYS_MAX];
    size_t count;
};

struct jwt_claims {
    struct uuid user;
    struct uuid session; /* the family of refresh tokens */
    bool operator;
    struct instant expires_at;
};

/* "kid:base64url,kid:base64url": the first signs. ERR_CONFIG when a key is shorter than
 * JWT_KEY_BYTES_MIN or malformed. A text without a colon is one key named by its own hash. */
enum err access_keys_read(struct arena *arena, const struct secret *text,
                          struct jwt_keys *into) MUST_USE;
enum err access_token_sign(struct arena *arena, const struct jwt_keys *keys, struct instant now,
                           const struct jwt_claims *claims, const struct secret **into) MUST_USE;
/* ERR_UNAUTHENTICATED whatever is wrong; the reason is in the failure's detail. */
enum err access_token_verify(struct arena *arena, const struct jwt_keys *keys, struct instant now,
                             const char *token, struct jwt_claims *into) MUST_USE;

#endif
