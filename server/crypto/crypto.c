#include "crypto/crypto.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include "base/buf.h"
#include "base/text.h"

enum { IV_BYTES = 12, TAG_BYTES = 16, SEAL_VERSION = 1, SEAL_OVERHEAD = 1 + IV_BYTES + TAG_BYTES };
enum { SCRYPT_LOG_N = 15, SCRYPT_R = 8, SCRYPT_P = 1, SALT_BYTES = 16, PASSWORD_HASH_BYTES = 32 };
enum { SCRYPT_MEMORY_MAX = 64 * 1024 * 1024 };

void sha256(struct bytes data, uint8_t into[SHA256_BYTES])
{
    unsigned n = 0;
    int done =
        EVP_Digest(data.n ? data.at : (const uint8_t *)"", data.n, into, &n, EVP_sha256(), NULL);
    assert(done == 1 && n == SHA256_BYTES);
    (void)done;
}

char *sha256_hex(struct arena *arena, struct bytes data)
{
    uint8_t digest[SHA256_BYTES];
    sha256(data, digest);
    return hex_encode(arena, (struct bytes){digest, sizeof digest});
}

char *sha256_text_hex(struct arena *arena, const char *text)
{
    return sha256_hex(arena, (struct bytes){(const uint8_t *)text, strlen(text)});
}

void hmac_sha256(struct bytes key, struct bytes data, uint8_t into[SHA256_BYTES])
{
    unsigned n = 0;
    const void *made = HMAC(EVP_sha256(), key.at, (int)key.n, data.at, data.n, into, &n);
    assert(made && n == SHA256_BYTES);
    (void)made;
}

const struct secret *random_secret(struct arena *arena, size_t n)
{
    uint8_t *bytes = arena_alloc(arena, n);
    if (RAND_bytes(bytes, (int)n) != 1)
        abort(); /* no key may be made without randomness */
    const struct secret *secret = secret_new(arena, (struct bytes){bytes, n});
    memory_wipe(bytes, n);
    return secret;
}

const struct secret *random_token(struct arena *arena)
{
    const struct secret *bytes = random_secret(arena, TOKEN_BYTES);
    char *text = base64url_encode(arena, secret_bytes(bytes));
    const struct secret *token = secret_from_text(arena, text);
    memory_wipe(text, strlen(text));
    return token;
}

char *pkce_challenge(struct arena *arena, const struct secret *verifier)
{
    uint8_t digest[SHA256_BYTES];
    sha256(secret_bytes(verifier), digest);
    return base64url_encode(arena, (struct bytes){digest, sizeof digest});
}

static void cipher_free(void *context)
{
    EVP_CIPHER_CTX_free(context);
}

static EVP_CIPHER_CTX *cipher_new(struct arena *arena)
{
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    if (!context)
        abort();
    arena_defer(arena, cipher_free, context);
    return context;
}

enum err seal(struct arena *arena, const struct secret *key, struct bytes place, struct bytes plain,
              struct bytes *into)
{
    struct bytes key_bytes = secret_bytes(key);
    if (key_bytes.n != SEAL_KEY_BYTES || plain.n > INT32_MAX / 2)
        return arena_fail(arena, ERR_CRYPTO, NULL, "The sealing key has the wrong length.");
    EVP_CIPHER_CTX *context = cipher_new(arena);
    uint8_t *sealed = arena_alloc(arena, plain.n + SEAL_OVERHEAD);
    uint8_t *iv = sealed + 1, *body = iv + IV_BYTES, *tag = body + plain.n;
    int n = 0, tail = 0;
    sealed[0] = SEAL_VERSION;
    bool done = RAND_bytes(iv, IV_BYTES) == 1 &&
                EVP_EncryptInit_ex(context, EVP_aes_256_gcm(), NULL, key_bytes.at, iv) == 1 &&
                EVP_EncryptUpdate(context, NULL, &n, place.at, (int)place.n) == 1 &&
                EVP_EncryptUpdate(context, body, &n, plain.at, (int)plain.n) == 1 &&
                EVP_EncryptFinal_ex(context, body + n, &tail) == 1 &&
                EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_GET_TAG, TAG_BYTES, tag) == 1;
    *into = (struct bytes){sealed, plain.n + SEAL_OVERHEAD};
    return done ? OK : arena_fail(arena, ERR_CRYPTO, NULL, "A value could not be sealed.");
}

static bool decrypt(EVP_CIPHER_CTX *context, struct bytes key, struct bytes place,
                    struct bytes sealed, uint8_t *plain)
{
    uint8_t iv[IV_BYTES], tag[TAG_BYTES];
    size_t body = sealed.n - SEAL_OVERHEAD;
    int n = 0, tail = 0;
    memcpy(iv, sealed.at + 1, sizeof iv);
    memcpy(tag, sealed.at + 1 + IV_BYTES + body, sizeof tag);
    return EVP_DecryptInit_ex(context, EVP_aes_256_gcm(), NULL, key.at, iv) == 1 &&
           EVP_DecryptUpdate(context, NULL, &n, place.at, (int)place.n) == 1 &&
           EVP_DecryptUpdate(context, plain, &n, sealed.at + 1 + IV_BYTES, (int)body) == 1 &&
           EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_SET_TAG, TAG_BYTES, tag) == 1 &&
           EVP_DecryptFinal_ex(context, plain + n, &tail) == 1;
}

enum err unseal(struct arena *arena, const struct secret *key, struct bytes place,
                struct bytes sealed, const struct secret **into)
{
    bool shaped = secret_bytes(key).n == SEAL_KEY_BYTES && sealed.n >= SEAL_OVERHEAD &&
                  sealed.n < INT32_MAX && sealed.at[0] == SEAL_VERSION;
    if (!shaped)
        return arena_fail(arena, ERR_CRYPTO, NULL, "A sealed value is not of a known shape.");
    size_t n = sealed.n - SEAL_OVERHEAD;
    uint8_t *plain = arena_alloc(arena, n + 1);
    bool opened = decrypt(cipher_new(arena), secret_bytes(key), place, sealed, plain);
    if (opened)
        *into = secret_new(arena, (struct bytes){plain, n});
    memory_wipe(plain, n);
    return opened ? OK
                  : arena_fail(arena, ERR_CRYPTO, NULL,
                               "A sealed value does not belong to this key and place.");
}

static bool scrypt(const struct secret *password, struct bytes salt,
                   uint8_t into[PASSWORD_HASH_BYTES])
{
    struct bytes bytes = secret_bytes(password);
    return EVP_PBE_scrypt((const char *)bytes.at, bytes.n, salt.at, salt.n, 1u << SCRYPT_LOG_N,
                          SCRYPT_R, SCRYPT_P, SCRYPT_MEMORY_MAX, into, PASSWORD_HASH_BYTES) == 1;
}

enum err password_hash(struct arena *arena, const struct secret *password, char **into)
{
    uint8_t hash[PASSWORD_HASH_BYTES];
    struct bytes salt = secret_bytes(random_secret(arena, SALT_BYTES));
    if (!scrypt(password, salt, hash))
        return arena_fail(arena, ERR_CRYPTO, NULL, "The password could not be hashed.");
    *into = arena_format(arena, "scrypt$%d$%d$%d$%s$%s", SCRYPT_LOG_N, SCRYPT_R, SCRYPT_P,
                         base64url_encode(arena, salt),
                         base64url_encode(arena, (struct bytes){hash, sizeof hash}));
    memory_wipe(hash, sizeof hash);
    return OK;
}

/* The parameters are those of this build: a hash made with others is not accepted. */
static bool hash_read(struct arena *arena, const char *text, struct bytes *salt, struct bytes *hash)
{
    char *prefix = arena_format(arena, "scrypt$%d$%d$%d$", SCRYPT_LOG_N, SCRYPT_R, SCRYPT_P);
    if (!text_starts(text, prefix))
        return false;
    const char *salt_text = text + strlen(prefix);
    const char *middle = strchr(salt_text, '$');
    return middle &&
           base64url_decode(arena, arena_text_n(arena, salt_text, (size_t)(middle - salt_text)),
                            salt) &&
           base64url_decode(arena, middle + 1, hash) && salt->n == SALT_BYTES &&
           hash->n == PASSWORD_HASH_BYTES;
}

bool password_verify(struct arena *arena, const struct secret *password, const char *text)
{
    static const uint8_t no_salt[SALT_BYTES];
    struct bytes salt = {no_salt, sizeof no_salt}, expected = {0};
    bool readable = hash_read(arena, text, &salt, &expected);
    uint8_t hash[PASSWORD_HASH_BYTES];
    if (!readable)
        salt = (struct bytes){no_salt, sizeof no_salt};
    bool hashed = scrypt(password, salt, hash);
    bool right = readable && hashed && CRYPTO_memcmp(hash, expected.at, sizeof hash) == 0;
    memory_wipe(hash, sizeof hash);
    return right;
}

struct uuid uuid_from_parts(struct arena *arena, const struct bytes *parts, size_t count)
{
    enum { PARTS_BYTES_MAX = 1024 * 1024 };
    struct buf all = buf_new(arena, PARTS_BYTES_MAX);
    for (size_t i = 0; i < count; i++) {
        buf_format(&all, "%zu:", parts[i].n);
        buf_add(&all, parts[i].at, parts[i].n);
    }
    assert(!all.overflowed);
    uint8_t digest[SHA256_BYTES];
    sha256(buf_bytes(&all), digest);
    return uuid_v4_from(digest);
}
