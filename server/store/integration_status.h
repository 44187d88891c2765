/* What the status page of an integration shows beside its connections, windows and problems; in a
 * constant number of statements. */
#ifndef SLUICE_STORE_INTEGRATION_STATUS_H
#define SLUICE_STORE_INTEGRATION_STATUS_H

#include "db/db.h"

struct status_stream {
    struct uuid connection_id;
    bool mirror; /* of the target's books; false: of the source */
    const char *name;
    bool livemode;
    const char *marker;              /* NULL before the first page */
    struct instant last_pull_at;     /* 0: never */
    struct instant last_complete_at; /* when it was last read to its end; 0: never */
};
/* Of the source first, then of the target; rows of struct status_stream. */
enum err status_streams(const struct scope *scope, struct uuid integration,
                        struct rows *into) MUST_USE;

struct status_counts {
    int64_t flow, hold, stop; /* items by the band of their latest decision */
    int64_t unconfirmed;      /* among the delivered ones */
};
enum err status_counts(const struct scope *scope, struct uuid integration,
                       struct status_counts *into) MUST_USE;

#endif
