/* The batches that an integration's items were decided in. */
#ifndef SLUICE_STORE_WINDOW_READ_H
#define SLUICE_STORE_WINDOW_READ_H

#include "store/listing.h"

struct window_view {
    struct uuid id;
    struct uuid integration;
    const char *kind;
    const char *state;
    int64_t item_count;
    struct instant opened_at;
    struct instant closes_at;
    struct instant closed_at;
    struct instant done_at;
};

struct window_filter {
    struct uuid integration;
    const char *state; /* NULL: all */
    const char *kind;
};

/* Newest first; rows of struct window_view. ERR_NOT_FOUND: there is no such integration. */
enum err windows_list(const struct scope *scope, const struct window_filter *filter,
                      const struct list_page *page, struct rows *into) MUST_USE;

#endif
