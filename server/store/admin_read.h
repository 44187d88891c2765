/* What the operator of an installation sees of all workspaces of a region, which is one database:
 * ids, states and numbers. */
#ifndef SLUICE_STORE_ADMIN_READ_H
#define SLUICE_STORE_ADMIN_READ_H

#include "store/listing.h"

enum { WORKERS_SHOWN_S = 24 * 3600 };

struct admin_lane {
    int64_t id;
    struct uuid workspace; /* nil: the installation's own work */
    struct uuid connection;
    int64_t ready;
    int64_t scheduled;
    int64_t running;
    int64_t running_max;
    struct instant next_at; /* 0: empty */
    struct instant oldest_due_at;
    int64_t order; /* its place: microseconds of next_at */
};
/* The one that may be served first comes first, empty ones last; a page goes on after
 * (after_order, after_id). Rows of struct admin_lane. */
struct admin_page {
    int64_t rows;
    bool after;
    int64_t after_order;
    int64_t after_id;
};
enum err admin_lanes(const struct untenanted *at, const struct admin_page *page,
                     struct rows *into) MUST_USE;

struct admin_worker {
    int64_t id;
    const char *host;
    bool alive;
    int64_t running;
    struct instant started_at;
    struct instant lease_until;
};
/* Newest first, those whose lease ran within WORKERS_SHOWN_S; a page goes on after after_id. */
enum err admin_workers(const struct untenanted *at, const struct admin_page *page,
                       struct rows *into) MUST_USE;

struct admin_connection {
    struct uuid id;
    struct uuid workspace;
    const char *provider;
    const char *state;
    struct instant last_success_at;
    struct instant updated_at;
};
/* Oldest first; `state` NULL: all. */
enum err admin_connections(const struct untenanted *at, const char *state,
                           const struct list_page *page, struct rows *into) MUST_USE;

#endif
