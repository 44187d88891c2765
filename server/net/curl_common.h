/* What every use of libcurl here has in common: the egress decision at the moment of connecting, no
 * proxy, no signals, verified TLS. Internal to net/. */
#ifndef SLUICE_CURL_COMMON_H
#define SLUICE_CURL_COMMON_H

#include <curl/curl.h>

#include "net/egress.h"

struct egress_gate { /* of one transfer; outlives it */
    const struct egress *egress;
    const char *host;   /* as in the URL */
    bool loopback_only; /* instead of what egress says: without TLS nothing leaves this machine */
    bool refused;       /* an address was refused */
};

struct curl_tls {
    const char *ca_file; /* NULL: the system's authorities */
    bool tls13;
};

void curl_common_set(CURL *easy, struct egress_gate *gate, const struct curl_tls *tls);

#endif
