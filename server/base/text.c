#include "base/text.h"

#include <errno.h>

bool text_equal(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

bool text_starts(const char *text, const char *prefix)
{
    return text && strncmp(text, prefix, strlen(prefix)) == 0;
}

bool text_ends(const char *text, const char *suffix)
{
    size_t n = text ? strlen(text) : 0;
    size_t m = strlen(suffix);
    return text && n >= m && memcmp(text + n - m, suffix, m) == 0;
}

bool text_contains_ci(const char *text, const char *needle)
{
    size_t n = strlen(needle);
    for (; text && strlen(text) >= n; text++) {
        if (strncasecmp(text, needle, n) == 0)
            return true;
    }
    return false;
}

bool text_blank(const char *text)
{
    return !text || text[strspn(text, " \t\r\n")] == '\0';
}

static bool continuation(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

static size_t utf8_three(const unsigned char *at)
{
    bool overlong = at[0] == 0xe0 && at[1] < 0xa0;
    bool surrogate = at[0] == 0xed && at[1] > 0x9f;
    return overlong || surrogate || !continuation((char)at[2]) ? 0 : 3;
}

static size_t utf8_four(const unsigned char *at)
{
    bool overlong = at[0] == 0xf0 && at[1] < 0x90;
    bool beyond = at[0] > 0xf4 || (at[0] == 0xf4 && at[1] > 0x8f);
    if (overlong || beyond || !continuation((char)at[2]) || !continuation((char)at[3]))
        return 0;
    return 4;
}

size_t utf8_sequence(const char *text)
{
    const unsigned char *at = (const unsigned char *)text;
    if (at[0] < 0x80)
        return 1;
    if (at[0] < 0xc2 || !continuation(text[1]))
        return 0;
    if (at[0] < 0xe0)
        return 2;
    return at[0] < 0xf0 ? utf8_three(at) : utf8_four(at);
}

bool utf8_valid(const char *text, size_t n)
{
    size_t i = 0;
    while (i < n) {
        char padded[4] = {0};
        memcpy(padded, text + i, n - i < 4 ? n - i : 4);
        size_t length = utf8_sequence(padded);
        if (length == 0 || length > n - i)
            return false;
        i += length;
    }
    return true;
}

size_t utf8_length(const char *text)
{
    size_t count = 0;
    for (; *text; text++)
        count += !continuation(*text);
    return count;
}

static const char BASE64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char BASE64URL[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static char *encode64(struct arena *arena, struct bytes from, const char *alphabet, bool pad)
{
    char *text = arena_alloc(arena, (from.n + 2) / 3 * 4 + 1);
    size_t out = 0;
    for (size_t i = 0; i < from.n; i += 3) {
        size_t left = from.n - i;
        uint32_t three = (uint32_t)from.at[i] << 16;
        if (left > 1)
            three |= (uint32_t)from.at[i + 1] << 8;
        if (left > 2)
            three |= from.at[i + 2];
        text[out++] = alphabet[three >> 18];
        text[out++] = alphabet[three >> 12 & 63];
        if (left > 1)
            text[out++] = alphabet[three >> 6 & 63];
        if (left > 2)
            text[out++] = alphabet[three & 63];
    }
    while (pad && out % 4)
        text[out++] = '=';
    text[out] = '\0';
    return text;
}

char *base64url_encode(struct arena *arena, struct bytes from)
{
    return encode64(arena, from, BASE64URL, false);
}

char *base64_encode(struct arena *arena, struct bytes from)
{
    return encode64(arena, from, BASE64, true);
}

bool base64url_decode(struct arena *arena, const char *text, struct bytes *into)
{
    size_t n = strlen(text);
    uint8_t *data = arena_alloc(arena, n / 4 * 3 + 3);
    size_t out = 0;
    uint32_t bits = 0;
    unsigned held = 0;
    for (size_t i = 0; i < n; i++) {
        const char *at = strchr(BASE64URL, text[i]);
        if (!at)
            return false;
        bits = bits << 6 | (uint32_t)(at - BASE64URL);
        held += 6;
        if (held >= 8) {
            held -= 8;
            data[out++] = (uint8_t)(bits >> held);
        }
    }
    bool canonical = n % 4 != 1 && (bits & ((1u << held) - 1)) == 0;
    *into = (struct bytes){data, out};
    return canonical;
}

char *hex_encode(struct arena *arena, struct bytes from)
{
    char *text = arena_alloc(arena, from.n * 2 + 1);
    for (size_t i = 0; i < from.n; i++) {
        text[2 * i] = "0123456789abcdef"[from.at[i] >> 4];
        text[2 * i + 1] = "0123456789abcdef"[from.at[i] & 15];
    }
    return text;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool hex_decode(struct arena *arena, const char *text, struct bytes *into)
{
    size_t n = strlen(text);
    uint8_t *data = arena_alloc(arena, n / 2 + 1);
    for (size_t i = 0; i + 1 < n; i += 2) {
        int high = hex_digit(text[i]);
        int low = hex_digit(text[i + 1]);
        if (high < 0 || low < 0)
            return false;
        data[i / 2] = (uint8_t)(high << 4 | low);
    }
    *into = (struct bytes){data, n / 2};
    return n % 2 == 0;
}

bool int64_parse(const char *text, int64_t min, int64_t max, int64_t *into)
{
    bool digits = text && (text[0] == '-' ? text[1] : text[0]) >= '0' &&
                  (text[0] == '-' ? text[1] : text[0]) <= '9';
    if (!digits)
        return false;
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (errno || *end || value < min || value > max)
        return false;
    *into = value;
    return true;
}
