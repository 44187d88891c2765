/* Deliveries and their attempts as people look at them. */
#ifndef SLUICE_STORE_DELIVERY_READ_H
#define SLUICE_STORE_DELIVERY_READ_H

#include "store/listing.h"

enum { ATTEMPTS_SHOWN_MAX = 200, DELIVERIES_OF_ITEM_MAX = 100 };

struct delivery_view {
    struct uuid id;
    struct uuid item;
    struct uuid integration;
    struct uuid connection;
    const char *operation;
    int generation;
    const char *state;
    struct uuid idempotency_key;
    const char *content_sha256;
    const char *content_type;
    int64_t content_bytes;
    const char *file_name;
    const char *external_id;
    int64_t attempt_count;
    struct instant next_attempt_at;
    struct instant created_at;
    struct instant updated_at;
    struct instant done_at;
};

struct attempt_view {
    int n;
    struct instant started_at;
    struct instant look_after;
    struct instant finished_at;
    const char *status;
    int http_status; /* 0: none */
    const char *excerpt;
};

struct delivery_filter {
    struct uuid integration; /* nil: all */
    const char *state;
    struct uuid item;
};

/* Newest first; rows of struct delivery_view. */
enum err deliveries_list(const struct scope *scope, const struct delivery_filter *filter,
                         const struct list_page *page, struct rows *into) MUST_USE;
enum err delivery_view_get(const struct scope *scope, struct uuid id,
                           struct delivery_view *into) MUST_USE;
/* First one first; rows of struct attempt_view. */
enum err attempts_of_delivery(const struct scope *scope, struct uuid id,
                              struct rows *into) MUST_USE;

#endif
