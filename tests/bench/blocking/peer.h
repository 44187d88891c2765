/* The peer: blocking as it was before names had keys. Its trigram index on the entries is made by
 * PEER_INDEX_SQL; the other indexes are those of today, which serve it as well. */
#ifndef SLUICE_BENCH_PEER_H
#define SLUICE_BENCH_PEER_H

#include "db/db.h"

#define PEER_INDEX_SQL                                                                             \
    "CREATE INDEX bench_peer ON region.ledger_entry"                                               \
    " USING gist (workspace_id, core_name public.gist_trgm_ops (siglen = 64))"

/* Parameters as those of blocking; rows of id. */
extern const struct statement *const peer_name_arm;
extern const struct statement *const peer_whole;
extern const struct statement *const peer_parties; /* nearest names of counterparties */

#endif
