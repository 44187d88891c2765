#include <arpa/inet.h>
#include <netinet/in.h>

#include "net/egress.h"

#include "base/text.h"

struct allowed {
    char host[EGRESS_HOST_BYTES_MAX + 1];
    uint16_t port;
    bool literal;        /* `host` is an address, kept in `address` */
    uint8_t address[16]; /* an IPv4 address as ::ffff:a.b.c.d */
};

struct egress {
    struct allowed rows[EGRESS_ALLOW_MAX];
    size_t count;
};

struct prefix {
    uint8_t bytes[16];
    int bits;
};

/* IPv4 blocks that are not global unicast: the special-purpose registry of RFC 6890 as of 2026,
 * with multicast and the reserved class E. */
static const struct prefix ipv4_closed[] = {
    {{0}, 8}, /* this network */
    {{10}, 8},
    {{100, 64}, 10}, /* carrier-grade NAT */
    {{127}, 8},
    {{169, 254}, 16}, /* link-local, metadata services */
    {{172, 16}, 12},
    {{192, 0, 0}, 24},    /* protocol assignments */
    {{192, 0, 2}, 24},    /* documentation */
    {{192, 31, 196}, 24}, /* AS112 */
    {{192, 52, 193}, 24}, /* AMT */
    {{192, 88, 99}, 24},  /* 6to4 relays */
    {{192, 168}, 16},
    {{192, 175, 48}, 24}, /* AS112 */
    {{198, 18}, 15},      /* benchmarks */
    {{198, 51, 100}, 24}, /* documentation */
    {{203, 0, 113}, 24},  /* documentation */
    {{224}, 4},           /* multicast */
    {{240}, 4},           /* reserved, broadcast */
};

/* IPv6 is closed but for the global unicast block, and for these within it. Mapped IPv4, NAT64,
 * ULA, link-local, site-local, multicast, loopback and unspecified are outside. */
static const struct prefix ipv6_open = {{0x20}, 3};
static const struct prefix ipv6_closed[] = {
    {{0x20, 0x01}, 23},                /* protocol assignments: Teredo, ORCHID, benchmarks */
    {{0x20, 0x01, 0x0d, 0xb8}, 32},    /* documentation */
    {{0x20, 0x02}, 16},                /* 6to4: hides an IPv4 address */
    {{0x26, 0x20, 0, 0x4f, 0x80}, 48}, /* AS112 */
    {{0x3f, 0xff}, 20},                /* documentation */
};

static bool within(const uint8_t *address, const struct prefix *prefix)
{
    int whole = prefix->bits / 8;
    int rest = prefix->bits % 8;
    if (memcmp(address, prefix->bytes, (size_t)whole) != 0)
        return false;
    uint8_t mask = (uint8_t)(0xff00 >> rest);
    return rest == 0 || (address[whole] & mask) == (prefix->bytes[whole] & mask);
}

static bool within_any(const uint8_t *address, const struct prefix *prefixes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (within(address, &prefixes[i]))
            return true;
    }
    return false;
}

bool egress_address_public(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, address, sizeof in);
        return !within_any((const uint8_t *)&in.sin_addr, ipv4_closed, COUNT(ipv4_closed));
    }
    if (address->sa_family == AF_INET6) {
        struct sockaddr_in6 in;
        memcpy(&in, address, sizeof in);
        return within(in.sin6_addr.s6_addr, &ipv6_open) &&
               !within_any(in.sin6_addr.s6_addr, ipv6_closed, COUNT(ipv6_closed));
    }
    return false;
}

static bool address_parse(const char *text, uint8_t into[16])
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    memcpy(into, mapped, sizeof mapped);
    return inet_pton(AF_INET, text, into + sizeof mapped) == 1 ||
           inet_pton(AF_INET6, text, into) == 1;
}

static bool address_split(const struct sockaddr *address, uint8_t into[16], uint16_t *port)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    if (address->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, address, sizeof in);
        memcpy(into, mapped, sizeof mapped);
        memcpy(into + sizeof mapped, &in.sin_addr, 4);
        *port = ntohs(in.sin_port);
        return true;
    }
    if (address->sa_family == AF_INET6) {
        struct sockaddr_in6 in;
        memcpy(&in, address, sizeof in);
        memcpy(into, &in.sin6_addr, 16);
        *port = ntohs(in.sin6_port);
        return true;
    }
    return false;
}

bool egress_address_loopback(const struct sockaddr *address)
{
    static const struct prefix v4 = {{[10] = 0xff, [11] = 0xff, [12] = 127}, 104};
    static const struct prefix v6 = {{[15] = 1}, 128};
    uint8_t bytes[16];
    uint16_t port;
    return address_split(address, bytes, &port) && (within(bytes, &v4) || within(bytes, &v6));
}

bool egress_allows(const struct egress *egress, const char *host, const struct sockaddr *address)
{
    uint8_t bytes[16];
    uint16_t port;
    if (egress_address_public(address))
        return true;
    if (!address_split(address, bytes, &port))
        return false;
    for (size_t i = 0; i < egress->count; i++) {
        const struct allowed *row = &egress->rows[i];
        if (row->port != port)
            continue;
        if (row->literal ? memcmp(row->address, bytes, sizeof bytes) == 0
                         : host && strcasecmp(row->host, host) == 0)
            return true;
    }
    return false;
}

static bool host_name_valid(const char *host)
{
    size_t n = strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.");
    return n > 0 && host[n] == '\0' && host[0] != '.' && host[0] != '-';
}

static bool allowed_parse(const char *text, struct allowed *into)
{
    const char *colon = text ? strrchr(text, ':') : NULL;
    int64_t port;
    if (!colon || !int64_parse(colon + 1, 1, UINT16_MAX, &port))
        return false;
    bool bracketed = text[0] == '[';
    const char *from = text + bracketed;
    size_t n = (size_t)(colon - from);
    if (bracketed && (n == 0 || from[--n] != ']'))
        return false;
    if (n == 0 || n > EGRESS_HOST_BYTES_MAX)
        return false;
    *into = (struct allowed){.port = (uint16_t)port};
    memcpy(into->host, from, n);
    into->literal = address_parse(into->host, into->address);
    return bracketed ? into->literal && strchr(into->host, ':') : host_name_valid(into->host);
}

enum err egress_new(struct arena *arena, const char *const *allow, size_t count,
                    const struct egress **into)
{
    if (count > EGRESS_ALLOW_MAX)
        return arena_fail(arena, ERR_CONFIG, "egress.allow", "At most %d addresses can be listed.",
                          EGRESS_ALLOW_MAX);
    struct egress *egress = arena_alloc(arena, sizeof *egress);
    for (size_t i = 0; i < count; i++) {
        if (!allowed_parse(allow[i], &egress->rows[i]))
            return arena_fail(arena, ERR_CONFIG, "egress.allow",
                              "\"%s\" is no host with a port, such as 127.0.0.1:8443.", allow[i]);
    }
    egress->count = count;
    *into = egress;
    return OK;
}

bool egress_host_listed(const char *list, const char *host, int port)
{
    if (!list)
        return true;
    size_t host_n = strlen(host);
    for (const char *at = list; *at;) {
        at += strspn(at, " ");
        size_t n = strcspn(at, " ");
        bool same = n >= host_n && strncasecmp(at, host, host_n) == 0;
        int64_t wanted = 0;
        char digits[8] = "";
        if (same && n > host_n && at[host_n] == ':' && n - host_n - 1 < sizeof digits)
            memcpy(digits, at + host_n + 1, n - host_n - 1);
        if (host_n > 0 && same &&
            (n == host_n || (int64_parse(digits, 1, UINT16_MAX, &wanted) && wanted == port)))
            return true;
        at += n;
    }
    return false;
}
