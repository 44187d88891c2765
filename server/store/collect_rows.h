/* The steps of storing a page, each one statement for the whole page. Private to collecting. */
#ifndef SLUICE_STORE_COLLECT_ROWS_H
#define SLUICE_STORE_COLLECT_ROWS_H

#include "store/collect.h"

enum row_change {
    ROW_NEW,         /* a record that was not known */
    ROW_CHANGED,     /* a material change: a new version */
    ROW_TOUCHED,     /* another change: the current version is updated */
    ROW_SAME,        /* nothing new */
    ROW_QUARANTINED, /* could not be mapped, and was not known */
};

/* What becomes of one row. */
struct row_plan {
    const struct collected_record *record;
    struct uuid stream;
    bool repeated; /* another row of the page is about the same object and comes later */
    enum row_change change;
    struct uuid id;             /* of the record */
    int version;                /* afterwards */
    const char *posting_before; /* of the version that was current; NULL when new */
    const char *changes;        /* JSON array for the history */
};

/* Fills change, id, version, posting_before and changes. */
enum err rows_compare(const struct scope *scope, struct row_plan *plans, size_t count) MUST_USE;
enum err rows_insert_records(const struct scope *scope, const struct row_plan *plans,
                             size_t count) MUST_USE;
enum err rows_insert_versions(const struct scope *scope, const struct row_plan *plans,
                              size_t count) MUST_USE;
enum err rows_touch_versions(const struct scope *scope, const struct row_plan *plans,
                             size_t count) MUST_USE;
enum err rows_insert_history(const struct scope *scope, const struct row_plan *plans,
                             size_t count) MUST_USE;

/* An integration that a stream serves. */
struct collecting_integration {
    struct uuid id;
    const char *settings; /* JSON */
    int settings_version;
    bool live; /* its source is live: short windows */
    int64_t poll_period_s;
    struct uuid connection; /* of its target: the lane of its window jobs */
};

/* Rows of struct collecting_integration: active ones of the stream's account. */
enum err integrations_of_stream(const struct scope *scope, struct uuid stream,
                                struct rows *into) MUST_USE;

/* What becomes of a kind in an integration: "post", "enrich" or "ignore" (product defaults, preset,
 * routes of the settings). `settings` is JSON. */
enum route { ROUTE_POST, ROUTE_ENRICH, ROUTE_IGNORE };
enum err route_of(const struct scope *scope, const char *settings, const char *kind,
                  enum route *into) MUST_USE;

struct item_order {
    const struct collecting_integration *integration;
    const struct row_plan *plans;
    size_t count;
    int64_t live_window_s;
    struct instant now; /* of the page: items and counts carry the same moment */
    int64_t inserted;   /* out */
};

/* Items of the new versions, moves of the older ones, the window they wait in and its job, and a
 * problem for each quarantined row. */
enum err items_insert(const struct scope *scope, struct item_order *order) MUST_USE;
/* The collecting window of an integration, opened with its job when there is none, share-locked. */
enum err window_collecting(const struct scope *scope, struct item_order *order,
                           struct uuid *into) MUST_USE;

struct page_counts {
    struct uuid page;
    struct uuid stream;
    int64_t rows_received;
    int64_t inserted;
    int64_t unchanged;
    int64_t quarantined;
    bool more;
    struct instant now;
};
enum err page_counts_insert(const struct scope *scope, const struct page_counts *counts,
                            const struct collecting_integration *integrations,
                            size_t count) MUST_USE;

#endif
