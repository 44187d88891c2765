/* The mirror of a target's books: ledger entries by role. */
#ifndef SLUICE_STORE_LEDGER_H
#define SLUICE_STORE_LEDGER_H

#include "base/money.h"
#include "db/db.h"

/* An entry as its target tells it, normalised for blocking. */
struct ledger_row {
    const char *role; /* "document", "settlement" */
    const char *external_id;
    struct money amount; /* signed */
    struct date date;
    struct date due_date;
    const char *counterparty_name;
    const char *core_name; /* normalised */
    const char *norm_version;
    const char *counterparty_iban;
    const char *counterparty_vat_id;
    const char *reference;
    const char *reference_norm;
    const char *description;
    const char *file_name;
    const char *state;
    bool removed;
    bool analysed;
    struct instant target_updated_at;
    const char *raw; /* JSON */
};

struct mirrored_page {
    struct uuid stream;
    struct uuid connection;
    int64_t pages;
    const struct ledger_row *rows;
    size_t count;
    const char *next_marker;
    bool complete;
};

/* Upserts the entries and moves the marker in one transaction. An entry that we delivered keeps its
 * origin and its item. ERR_CONFLICT: the stream moved on meanwhile. */
enum err ledger_mirror_page(const struct scope *scope, const struct mirrored_page *page) MUST_USE;

#endif
