/* Which addresses may be called. The decision falls on the resolved address, just before it is
 * connected to: a name that resolves to a private address, a number in an odd spelling and a
 * rebinding resolver all end here. Only global unicast addresses pass; what the development
 * configuration names (`egress.allow`, host:port) passes besides. Immutable after egress_new. */
#ifndef SLUICE_EGRESS_H
#define SLUICE_EGRESS_H

#include <sys/socket.h>

#include "base/arena.h"

enum { EGRESS_ALLOW_MAX = 64, EGRESS_HOST_BYTES_MAX = 253 };

struct egress;

/* `allow`: "127.0.0.1:8443", "[::1]:8443", "localhost:8443". ERR_CONFIG for anything else. */
enum err egress_new(struct arena *arena, const char *const *allow, size_t count,
                    const struct egress **into) MUST_USE;

/* Whether `address`, to which `host` (as written in the URL) resolved, may be connected to. */
bool egress_allows(const struct egress *egress, const char *host, const struct sockaddr *address);

/* Whether `address` is global unicast: nothing of our own host, network or a special purpose. */
bool egress_address_public(const struct sockaddr *address);

/* Whether `address` is this very machine: 127.0.0.0/8 or ::1. */
bool egress_address_loopback(const struct sockaddr *address);

/* Whether host or host:port stands in a space-separated list; a NULL list holds everything. */
bool egress_host_listed(const char *list, const char *host, int port);

#endif
