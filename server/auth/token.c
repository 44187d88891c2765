#include "auth/token.h"

#include "base/text.h"
#include "crypto/crypto.h"

enum { RANDOM_CHARS = 43 }; /* 32 bytes as base64url */

static const char *const prefixes[] = {
    [TOKEN_REFRESH] = "srt_",
    [TOKEN_INVITATION] = "sit_",
    [TOKEN_API_KEY] = "sak_",
    [TOKEN_HOOK] = "shk_",
};

static struct bytes hash_of(struct arena *arena, const char *text)
{
    uint8_t *hash = arena_alloc(arena, TOKEN_HASH_BYTES);
    sha256((struct bytes){(const uint8_t *)text, strlen(text)}, hash);
    return (struct bytes){hash, TOKEN_HASH_BYTES};
}

void token_new(struct arena *arena, enum token_kind kind, struct token *into)
{
    char text[8 + RANDOM_CHARS];
    int n = snprintf(text, sizeof text, "%s%s", prefixes[kind], secret_text(random_token(arena)));
    assert(n > 0 && (size_t)n < sizeof text);
    into->text = secret_from_text(arena, text);
    into->hash = hash_of(arena, text);
    into->hint = arena_text_n(arena, text, TOKEN_HINT_CHARS);
    memory_wipe(text, sizeof text);
}

bool token_hash(struct arena *arena, enum token_kind kind, const char *text, struct bytes *into)
{
    *into = (struct bytes){0};
    size_t n = strnlen(text, 128);
    if (!text_starts(text, prefixes[kind]) || n != strlen(prefixes[kind]) + RANDOM_CHARS)
        return false;
    *into = hash_of(arena, text);
    return true;
}
