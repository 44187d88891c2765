#include "auth/jwt.h"

#include <jwt.h>

#include "base/text.h"
#include "crypto/crypto.h"
#include "json/json.h"

static const char issuer[] = "sluice";
static const char audience[] = "sluice-api";
enum { KID_BYTES_MAX = 64, KID_HASH_CHARS = 8 };

static void release_token(void *jwt)
{
    jwt_free(jwt);
}

/* ---- keys ---- */

static enum err add_key(struct arena *arena, const char *kid, const char *encoded,
                        struct jwt_keys *into)
{
    struct bytes bytes;
    if (into->count == JWT_KEYS_MAX)
        return arena_fail(arena, ERR_CONFIG, "auth.jwt_key", "There are more than %d keys.",
                          JWT_KEYS_MAX);
    if (!base64url_decode(arena, encoded, &bytes) || bytes.n < JWT_KEY_BYTES_MIN)
        return arena_fail(arena, ERR_CONFIG, "auth.jwt_key",
                          "A key is at least %d random bytes as base64url (openssl rand 32 | "
                          "basenc --base64url).",
                          JWT_KEY_BYTES_MIN);
    if (!*kid) {
        char *hash = sha256_hex(arena, bytes);
        kid = arena_text_n(arena, hash, KID_HASH_CHARS);
    }
    for (size_t i = 0; i < into->count; i++) {
        if (text_equal(into->keys[i].kid, kid))
            return arena_fail(arena, ERR_CONFIG, "auth.jwt_key", "Two keys are named %s.", kid);
    }
    into->keys[into->count++] = (struct jwt_key){kid, secret_new(arena, bytes)};
    memory_wipe((uint8_t *)(uintptr_t)bytes.at, bytes.n);
    return OK;
}

/* The padding that some tools add says nothing. */
static char *without_padding(struct arena *arena, const char *text, size_t n)
{
    while (n > 0 && text[n - 1] == '=')
        n--;
    return arena_text_n(arena, text, n);
}

enum err access_keys_read(struct arena *arena, const struct secret *text, struct jwt_keys *into)
{
    *into = (struct jwt_keys){0};
    for (const char *at = secret_text(text); *at;) {
        size_t n = strcspn(at, ",");
        const char *colon = memchr(at, ':', n);
        size_t kid_n = colon ? (size_t)(colon - at) : 0;
        const char *key = colon ? colon + 1 : at;
        if (kid_n > KID_BYTES_MAX)
            return arena_fail(arena, ERR_CONFIG, "auth.jwt_key", "A key's name is too long.");
        char *encoded = without_padding(arena, key, n - (size_t)(key - at));
        enum err err = add_key(arena, arena_text_n(arena, at, kid_n), encoded, into);
        memory_wipe(encoded, strlen(encoded));
        TRY(err);
        at += n + (at[n] == ',');
    }
    if (into->count == 0)
        return arena_fail(arena, ERR_CONFIG, "auth.jwt_key", "There is no key.");
    return OK;
}

/* ---- signing ---- */

static bool add_claims(jwt_t *jwt, struct arena *arena, struct instant now,
                       const struct jwt_claims *claims)
{
    int64_t now_s = instant_unix_s(now);
    return jwt_add_grant(jwt, "iss", issuer) == 0 && jwt_add_grant(jwt, "aud", audience) == 0 &&
           jwt_add_grant(jwt, "sub", uuid_format(arena, claims->user)) == 0 &&
           jwt_add_grant(jwt, "sid", uuid_format(arena, claims->session)) == 0 &&
           jwt_add_grant_bool(jwt, "operator", claims->operator) == 0 &&
           jwt_add_grant_int(jwt, "iat", now_s) == 0 &&
           jwt_add_grant_int(jwt, "exp", now_s + JWT_LIFETIME_S) == 0;
}

enum err access_token_sign(struct arena *arena, const struct jwt_keys *keys, struct instant now,
                           const struct jwt_claims *claims, const struct secret **into)
{
    assert(keys->count > 0);
    jwt_t *jwt = NULL;
    struct bytes key = secret_bytes(keys->keys[0].key);
    if (jwt_new(&jwt) != 0)
        return arena_fail(arena, ERR_CRYPTO, NULL, "No token could be made.");
    arena_defer(arena, release_token, jwt);
    bool made = jwt_set_alg(jwt, JWT_ALG_HS256, key.at, (int)key.n) == 0 &&
                jwt_add_header(jwt, "kid", keys->keys[0].kid) == 0 &&
                add_claims(jwt, arena, now, claims);
    char *text = made ? jwt_encode_str(jwt) : NULL;
    if (!text)
        return arena_fail(arena, ERR_CRYPTO, NULL, "No token could be made.");
    *into = secret_from_text(arena, text);
    memory_wipe(text, strlen(text));
    free(text); /* libjwt allocates with malloc */
    return OK;
}

/* ---- verifying ---- */

static enum err refuse(struct arena *arena, const char *why)
{
    return arena_fail(arena, ERR_UNAUTHENTICATED, NULL, "%s", why);
}

/* Three base64url parts and nothing else. */
static bool shaped(const char *token)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    if (strnlen(token, JWT_BYTES_MAX + 1) > JWT_BYTES_MAX)
        return false;
    for (int part = 0; part < 3; part++) {
        size_t n = strspn(token, alphabet);
        if (n == 0 || token[n] != (part < 2 ? '.' : '\0'))
            return false;
        token += n + 1;
    }
    return true;
}

/* What the header claims about itself, before anything is verified: it may only choose among our
 * own keys, and name our one algorithm. */
static const struct jwt_key *key_named(struct arena *arena, const struct jwt_keys *keys,
                                       const char *token)
{
    struct bytes decoded;
    json_t *header = NULL;
    char *encoded = arena_text_n(arena, token, strcspn(token, "."));
    if (!base64url_decode(arena, encoded, &decoded) || json_parse(arena, decoded, &header) != OK)
        return NULL;
    const char *kid = json_text(header, "kid");
    if (!text_equal(json_text(header, "alg"), "HS256") || !kid || json_object_get(header, "crit"))
        return NULL;
    for (size_t i = 0; i < keys->count; i++) {
        if (text_equal(keys->keys[i].kid, kid))
            return &keys->keys[i];
    }
    return NULL;
}

static enum err read_claims(struct arena *arena, jwt_t *jwt, struct instant now,
                            struct jwt_claims *into)
{
    const char *subject = jwt_get_grant(jwt, "sub"), *session = jwt_get_grant(jwt, "sid");
    int64_t issued_s = jwt_get_grant_int(jwt, "iat"), expires_s = jwt_get_grant_int(jwt, "exp");
    int64_t now_s = instant_unix_s(now);
    if (!text_equal(jwt_get_grant(jwt, "iss"), issuer) ||
        !text_equal(jwt_get_grant(jwt, "aud"), audience))
        return refuse(arena, "The token is not one of ours.");
    if (!subject || !uuid_parse(subject, &into->user) || !session ||
        !uuid_parse(session, &into->session) || issued_s <= 0 || expires_s <= 0)
        return refuse(arena, "The token lacks a claim.");
    if (issued_s > now_s + JWT_SKEW_S)
        return refuse(arena, "The token is from the future.");
    if (expires_s <= now_s || expires_s > issued_s + JWT_LIFETIME_S)
        return refuse(arena, "The token has expired.");
    into->operator= jwt_get_grant_bool(jwt, "operator") == 1;
    into->expires_at = instant_from_unix_s(expires_s);
    return OK;
}

enum err access_token_verify(struct arena *arena, const struct jwt_keys *keys, struct instant now,
                             const char *token, struct jwt_claims *into)
{
    *into = (struct jwt_claims){0};
    const struct jwt_key *key = shaped(token) ? key_named(arena, keys, token) : NULL;
    if (!key)
        return refuse(arena, "The token is not one of ours.");
    struct bytes bytes = secret_bytes(key->key);
    assert(bytes.n >= JWT_KEY_BYTES_MIN);
    jwt_t *jwt = NULL;
    if (jwt_decode(&jwt, token, bytes.at, (int)bytes.n) != 0)
        return refuse(arena, "The token is not one of ours.");
    arena_defer(arena, release_token, jwt);
    if (jwt_get_alg(jwt) != JWT_ALG_HS256)
        return refuse(arena, "The token is not one of ours.");
    return read_claims(arena, jwt, now, into);
}
