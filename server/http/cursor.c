#include "http/cursor.h"

#include "base/buf.h"
#include "base/text.h"
#include "crypto/crypto.h"

/* version byte | number (big-endian) | id | MAC | text; the MAC covers the list's name and all of
 * the rest. */
enum { COVERED_BYTES_MAX = 65536 };
enum { VERSION = 1, NUMBER_AT = 1, ID_AT = 9, MAC_AT = 25, MAC_BYTES = 12, TEXT_AT = 37 };
enum {
    CURSOR_BYTES_MAX = TEXT_AT + CURSOR_TEXT_BYTES_MAX,
    ENCODED_MAX = CURSOR_BYTES_MAX * 4 / 3 + 4
};

static void mac(struct arena *arena, const struct secret *key, const char *list,
                struct bytes content, uint8_t into[MAC_BYTES])
{
    struct buf covered = buf_new(arena, COVERED_BYTES_MAX);
    buf_add(&covered, list, strlen(list) + 1);
    buf_add(&covered, content.at, MAC_AT);
    buf_add(&covered, content.at + TEXT_AT, content.n - TEXT_AT);
    assert(!covered.overflowed);
    uint8_t whole[SHA256_BYTES];
    hmac_sha256(secret_bytes(key), buf_bytes(&covered), whole);
    memcpy(into, whole, MAC_BYTES);
}

char *cursor_encode(struct arena *arena, const struct secret *key, const char *list,
                    const struct cursor *cursor)
{
    const char *text = cursor->text ? cursor->text : "";
    size_t text_n = strnlen(text, CURSOR_TEXT_BYTES_MAX);
    uint8_t *content = arena_alloc(arena, TEXT_AT + text_n);
    content[0] = VERSION;
    for (unsigned i = 0; i < 8; i++)
        content[NUMBER_AT + i] = (uint8_t)((uint64_t)cursor->number >> (56 - 8 * i));
    memcpy(content + ID_AT, cursor->id.b, sizeof cursor->id.b);
    memcpy(content + TEXT_AT, text, text_n);
    mac(arena, key, list, (struct bytes){content, TEXT_AT + text_n}, content + MAC_AT);
    return base64url_encode(arena, (struct bytes){content, TEXT_AT + text_n});
}

static bool read_content(struct arena *arena, const struct secret *key, const char *list,
                         struct bytes content, struct cursor *into)
{
    if (content.n < TEXT_AT || content.n > CURSOR_BYTES_MAX || content.at[0] != VERSION)
        return false;
    uint8_t expected[MAC_BYTES];
    mac(arena, key, list, content, expected);
    uint8_t difference = 0;
    for (size_t i = 0; i < MAC_BYTES; i++)
        difference |= expected[i] ^ content.at[MAC_AT + i];
    if (difference)
        return false;
    uint64_t number = 0;
    for (unsigned i = 0; i < 8; i++)
        number = number << 8 | content.at[NUMBER_AT + i];
    into->given = true;
    into->number = (int64_t)number;
    memcpy(into->id.b, content.at + ID_AT, sizeof into->id.b);
    into->text = arena_text_n(arena, (const char *)content.at + TEXT_AT, content.n - TEXT_AT);
    return true;
}

enum err cursor_decode(struct arena *arena, const struct secret *key, const char *list,
                       const char *text, struct cursor *into)
{
    *into = (struct cursor){.text = ""};
    struct bytes content;
    bool good = strlen(text) <= ENCODED_MAX && base64url_decode(arena, text, &content) &&
                read_content(arena, key, list, content, into);
    return good ? OK
                : arena_fail(arena, ERR_CURSOR_INVALID, "cursor",
                             "Start again without a cursor: this one is not from this list.");
}
