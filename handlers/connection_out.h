/* A connection as the API shows it. Shared by the connections and the status page. */
#ifndef SLUICE_CONNECTION_OUT_H
#define SLUICE_CONNECTION_OUT_H

#include "http/json_out.h"
#include "store/connection.h"

/* An authorisation that was just begun: told once, where it was asked for. */
struct authorisation_link {
    const char *url; /* NULL: none was begun */
    struct instant expires_at;
};

/* The fields of the object that is open. */
void connection_out(struct json_out *out, const struct connection *connection,
                    const struct authorisation_link *link);

#endif
