/* Entries of the ledger that nothing may stay linked to: those that the target removed, and those
 * that turn out to be documents of ours. */
#ifndef SLUICE_STORE_ENTRY_FREE_H
#define SLUICE_STORE_ENTRY_FREE_H

#include "db/db.h"

/* A document of `owner` at the target, by the id that the target gave it: items that were linked to
 * it before that was known are held again. */
struct own_document {
    struct uuid connection;
    const char *external_id;
    struct uuid owner; /* the item that it was delivered for */
};
enum err entry_own(const struct scope *scope, const struct own_document *document) MUST_USE;

/* Entries of a mirrored page that the target has removed: linked items are held again; of what was
 * delivered a problem says so. Nothing is sent again by itself. */
enum err entries_removed(const struct scope *scope, struct uuid connection,
                         struct text_list external_ids) MUST_USE;

#endif
