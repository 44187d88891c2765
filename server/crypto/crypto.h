/* Cryptography, over OpenSSL 3. The only file that includes it. Failures inside OpenSSL end in
 * ERR_CRYPTO, which also is what opening a value with the wrong key, place or version gives. */
#ifndef SLUICE_CRYPTO_H
#define SLUICE_CRYPTO_H

#include "base/arena.h"
#include "base/secret.h"
#include "base/uuid.h"

enum { SHA256_BYTES = 32, SEAL_KEY_BYTES = 32, TOKEN_BYTES = 32 };

void sha256(struct bytes data, uint8_t into[SHA256_BYTES]);
char *sha256_hex(struct arena *arena, struct bytes data);
char *sha256_text_hex(struct arena *arena, const char *text);
void hmac_sha256(struct bytes key, struct bytes data, uint8_t into[SHA256_BYTES]);

/* From the kernel's generator through OpenSSL; for keys, tokens, state and verifiers. */
const struct secret *random_secret(struct arena *arena, size_t n);
/* 32 random bytes as base64url text (43 characters): tokens, state, PKCE verifiers (RFC 7636). */
const struct secret *random_token(struct arena *arena);
char *pkce_challenge(struct arena *arena, const struct secret *verifier); /* S256 */

/* AES-256-GCM with a random 96-bit IV: version byte, IV, ciphertext, tag. `place` is the associated
 * data: what is sealed for one place cannot be opened at another. */
enum err seal(struct arena *arena, const struct secret *key, struct bytes place, struct bytes plain,
              struct bytes *into) MUST_USE;
enum err unseal(struct arena *arena, const struct secret *key, struct bytes place,
                struct bytes sealed, const struct secret **into) MUST_USE;

/* scrypt, N 2^15, r 8, p 1, 16-byte salt: "scrypt$15$8$1$<salt>$<hash>" (base64url). */
enum err password_hash(struct arena *arena, const struct secret *password, char **into) MUST_USE;
/* False for a wrong password and for a hash that cannot be read; takes the same time for both. */
bool password_verify(struct arena *arena, const struct secret *password, const char *hash);

/* Deterministic idempotency key: UUID with v4 bits from SHA-256 over the length-prefixed parts. */
struct uuid uuid_from_parts(struct arena *arena, const struct bytes *parts, size_t count);

#endif
