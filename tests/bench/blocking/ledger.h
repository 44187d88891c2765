/* The ledgers that blocking is measured on: worlds of the trainer, mirrored page by page as a
 * target tells them. */
#ifndef SLUICE_BENCH_LEDGER_H
#define SLUICE_BENCH_LEDGER_H

#include "db/db.h"
#include "store/scoring.h"

/* A record whose entry is in the ledger. */
struct asked {
    struct scope scope;
    struct uuid connection;
    struct blocking_query query;
    struct uuid truth; /* its entry */
};

struct ledgers {
    struct asked *asked;
    size_t asked_count;
    size_t entries, names;
    double mirror_us; /* per entry */
};

/* Fills `workspaces` ledgers with about `entries` each, half documents and half settlements, and
 * draws `asked` records from all of them. */
enum err ledgers_make(const struct scope *scope, size_t workspaces, size_t entries, size_t asked,
                      struct ledgers *into) MUST_USE;

#endif
