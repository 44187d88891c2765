/* Counterparties with what identifies them. */
#ifndef SLUICE_STORE_COUNTERPARTY_READ_H
#define SLUICE_STORE_COUNTERPARTY_READ_H

#include "store/listing.h"

enum { COUNTERPARTY_PARTS_MAX = 100 /* identifiers or aliases that are shown of one */ };

struct counterparty_view {
    struct uuid id;
    const char *name;
    const char *country;
    struct instant created_at;
    struct instant updated_at;
};

struct identifier_view {
    const char *scheme;
    const char *value;
    struct actor_view taught_by;
    struct instant created_at;
};

struct alias_view {
    const char *name;
    bool confirmed;
    struct actor_view taught_by;
    struct instant created_at;
};

/* Newest first; rows of struct counterparty_view. */
enum err counterparties_list(const struct scope *scope, const struct list_page *page,
                             struct rows *into) MUST_USE;
/* Those with an alias nearest to the text, nearest first; `text` is folded (search_text). */
enum err counterparties_search(const struct scope *scope, const char *text, int64_t rows,
                               struct rows *into) MUST_USE;
enum err counterparty_get(const struct scope *scope, struct uuid id,
                          struct counterparty_view *into) MUST_USE;
/* Rows of struct identifier_view and struct alias_view, oldest first. */
enum err counterparty_identifiers(const struct scope *scope, struct uuid id,
                                  struct rows *into) MUST_USE;
enum err counterparty_aliases(const struct scope *scope, struct uuid id,
                              struct rows *into) MUST_USE;

#endif
