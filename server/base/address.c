#include "base/address.h"

#include <arpa/inet.h>

#include "base/text.h"

enum { V4_OFFSET = 12, V4_BITS = 32 };
static const uint8_t v4_prefix[V4_OFFSET] = {[10] = 0xff, [11] = 0xff};

static bool is_v4(const struct address *address)
{
    return memcmp(address->bytes, v4_prefix, sizeof v4_prefix) == 0;
}

bool address_parse(const char *text, struct address *into)
{
    struct address v4;
    memcpy(v4.bytes, v4_prefix, sizeof v4_prefix);
    if (inet_pton(AF_INET, text, v4.bytes + V4_OFFSET) == 1) {
        *into = v4;
        return true;
    }
    return inet_pton(AF_INET6, text, into->bytes) == 1;
}

char *address_format(struct arena *arena, const struct address *address)
{
    char text[INET6_ADDRSTRLEN] = "";
    if (is_v4(address))
        inet_ntop(AF_INET, address->bytes + V4_OFFSET, text, sizeof text);
    else
        inet_ntop(AF_INET6, address->bytes, text, sizeof text);
    return arena_text(arena, text);
}

bool address_loopback(const struct address *address)
{
    static const struct address one = {{[ADDRESS_BYTES - 1] = 1}};
    return is_v4(address) ? address->bytes[V4_OFFSET] == 127
                          : memcmp(address, &one, sizeof one) == 0;
}

bool address_range_parse(const char *text, struct address_range *into)
{
    char plain[ADDRESS_CHARS_MAX + 1];
    size_t n = strcspn(text, "/");
    int64_t bits;
    if (n >= sizeof plain)
        return false;
    memcpy(plain, text, n);
    plain[n] = '\0';
    if (!address_parse(plain, &into->first))
        return false;
    bool v4 = strchr(plain, ':') == NULL;
    into->bits = ADDRESS_BITS;
    if (!text[n])
        return true;
    if (!int64_parse(text + n + 1, 0, v4 ? V4_BITS : ADDRESS_BITS, &bits))
        return false;
    into->bits = (int)bits + (v4 ? ADDRESS_BITS - V4_BITS : 0);
    return true;
}

bool address_in(const struct address_range *range, const struct address *address)
{
    size_t whole = (size_t)range->bits / 8;
    int rest = range->bits % 8;
    if (memcmp(range->first.bytes, address->bytes, whole) != 0)
        return false;
    if (rest == 0)
        return true;
    uint8_t mask = (uint8_t)(0xff << (8 - rest));
    return ((range->first.bytes[whole] ^ address->bytes[whole]) & mask) == 0;
}
