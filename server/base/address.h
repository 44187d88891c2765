/* Addresses of the network as text and as ranges. An IPv4 address that IPv6 carries
 * (::ffff:192.0.2.1) is that IPv4 address. */
#ifndef SLUICE_ADDRESS_H
#define SLUICE_ADDRESS_H

#include "base/arena.h"

enum { ADDRESS_BYTES = 16, ADDRESS_BITS = 8 * ADDRESS_BYTES, ADDRESS_CHARS_MAX = 45 };

struct address {
    uint8_t bytes[ADDRESS_BYTES]; /* IPv4 as ::ffff:a.b.c.d */
};
struct address_range {
    struct address first;
    int bits; /* of `first` that count, of all ADDRESS_BITS */
};

bool address_parse(const char *text, struct address *into); /* no port, no zone */
char *address_format(struct arena *arena, const struct address *address);
bool address_loopback(const struct address *address);
/* "192.0.2.0/24", "2001:db8::/32", or one address alone. */
bool address_range_parse(const char *text, struct address_range *into);
bool address_in(const struct address_range *range, const struct address *address);

#endif
