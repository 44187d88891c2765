#include "base/uuid.h"

#include "base/text.h"

static const size_t DASHES[] = {8, 13, 18, 23};

struct uuid uuid_v7(struct rand_source *source, struct instant now)
{
    struct uuid uuid;
    uint64_t ms = (uint64_t)(now.us / 1000);
    uint64_t random[2] = {rand_u64(source), rand_u64(source)};
    memcpy(uuid.b, random, sizeof uuid.b);
    for (int i = 0; i < 6; i++)
        uuid.b[i] = (uint8_t)(ms >> (40 - 8 * i));
    uuid.b[6] = (uint8_t)((uuid.b[6] & 0x0f) | 0x70);
    uuid.b[8] = (uint8_t)((uuid.b[8] & 0x3f) | 0x80);
    return uuid;
}

struct uuid uuid_v4_from(const uint8_t bytes[16])
{
    struct uuid uuid;
    memcpy(uuid.b, bytes, sizeof uuid.b);
    uuid.b[6] = (uint8_t)((uuid.b[6] & 0x0f) | 0x40);
    uuid.b[8] = (uint8_t)((uuid.b[8] & 0x3f) | 0x80);
    return uuid;
}

static int nibble(char c)
{
    const char *digits = "0123456789abcdefABCDEF";
    const char *at = c ? strchr(digits, c) : NULL;
    if (!at)
        return -1;
    int value = (int)(at - digits);
    return value < 16 ? value : value - 6;
}

bool uuid_parse(const char *text, struct uuid *into)
{
    if (!text || strlen(text) != UUID_TEXT_BYTES - 1)
        return false;
    size_t dash = 0, n = 0;
    for (size_t i = 0; i < UUID_TEXT_BYTES - 1; i++) {
        if (dash < COUNT(DASHES) && i == DASHES[dash]) {
            dash++;
            if (text[i] != '-')
                return false;
            continue;
        }
        int value = nibble(text[i]);
        if (value < 0)
            return false;
        into->b[n / 2] = (uint8_t)(n % 2 ? into->b[n / 2] | value : value << 4);
        n++;
    }
    return true;
}

char *uuid_format(struct arena *arena, struct uuid uuid)
{
    const uint8_t *b = uuid.b;
    return arena_format(
        arena, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1],
        b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
}

bool uuid_equal(struct uuid a, struct uuid b)
{
    return memcmp(a.b, b.b, sizeof a.b) == 0;
}

bool uuid_is_nil(struct uuid uuid)
{
    return uuid_equal(uuid, (struct uuid){{0}});
}
