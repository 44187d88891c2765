/* Who is at the other end, behind the proxies that the installation declares. */
#ifndef SLUICE_CLIENT_H
#define SLUICE_CLIENT_H

#include "handlers/request.h"

enum { FORWARDED_HOPS_MAX = 64 };

/* The address that failed logins are counted for. A connection from anybody but a declared proxy
 * (listen.trusted_proxies) is the client, whatever its headers say. From a proxy on, the header
 * that the installation names (listen.client_header) is read from its end: the first address that
 * is not a proxy's is the client; what stands before that was written by somebody unknown. Where an
 * address cannot be read, or more than FORWARDED_HOPS_MAX stand there, it is the last proxy that
 * was believed. */
const char *client_address(const struct request *req);
/* Whether the call came from this host and through no proxy, as far as can be seen. */
bool client_local(const struct request *req);

#endif
