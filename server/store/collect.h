/* Collecting: a page of a source stream becomes records, versions, history, items of every
 * integration, counts and the marker, in one transaction. A crash loses nothing and repeats
 * nothing; the same page stored twice changes nothing the second time. */
#ifndef SLUICE_STORE_COLLECT_H
#define SLUICE_STORE_COLLECT_H

#include "base/money.h"
#include "db/db.h"

/* A stream of one provider account, source or mirror. */
struct stream {
    struct uuid id;
    struct uuid connection; /* lends the credentials */
    const char *provider;
    const char *account;
    bool livemode;
    const char *name;
    int period_s;       /* for stream_ensure: how often it is read when nothing wakes it */
    const char *marker; /* NULL before the first page */
    int64_t pages;      /* stored so far; the fence of the next one */
    struct instant reach;
    struct instant complete_at; /* when it was last read to its end; 0: never */
    int failures;               /* in a row */
};

/* `purpose` is "collect" or "mirror". Makes the stream if there is none; an earlier reach wins only
 * while nothing was read. */
enum err stream_ensure(const struct scope *scope, const struct stream *wanted, const char *purpose,
                       struct uuid *into) MUST_USE;
enum err stream_get(const struct scope *scope, struct uuid id, struct stream *into) MUST_USE;
/* Rows of struct stream; of `account` only provider, account and livemode are read. */
enum err streams_of_account(const struct scope *scope, const struct stream *account,
                            const char *purpose, struct rows *into) MUST_USE;
/* Locks all streams of the account that the stream belongs to; rows of struct stream. */
enum err streams_lock(const struct scope *scope, struct uuid any_of_account,
                      struct rows *into) MUST_USE;

/* Whether an integration that is not archived still needs it. */
enum err stream_wanted(const struct scope *scope, struct uuid id, bool *into) MUST_USE;
/* Notes a failed read; how many there were in a row. */
enum err stream_failed(const struct scope *scope, struct uuid id, const char *code,
                       int64_t *failures) MUST_USE;

struct stream_step {
    struct uuid stream;
    int64_t pages; /* as it was read: ERR_CONFLICT when another page came in between */
    const char *marker;
    bool complete;
    int64_t rows;
};
enum err stream_advance(const struct scope *scope, const struct stream_step *step) MUST_USE;

/* One row of a page as its map read it. Absent texts are NULL. */
struct collected_record {
    const char *stream; /* the stream that the record belongs to; a feed may bring others' */
    const char *source_id;
    const char *kind;
    const char *posting; /* post, wait, ignore, correct */
    const char *posting_reason;
    const char *material_hash;
    const char *raw; /* JSON, verbatim */
    const char *source_event_id;
    const char *source_txn_id;
    const char *parent_source_id;
    struct money amount;
    struct money fee;
    struct money net;
    struct date date;
    struct date due_date;
    struct instant occurred_at;
    struct instant source_updated_at;
    const char *description;
    const char *reference;
    const char *reference_norm;
    const char *party; /* JSON object of struct party's fields */
    const char *party_name;
    const char *party_core; /* normalised */
    const char *norm_version;
    const char *quarantine; /* the reason when the row could not be mapped */
};

struct collected_page {
    struct uuid stream;
    int64_t pages; /* of the stream when it was read: another worker's page in between is refused */
    const struct collected_record *records;
    size_t count;
    int64_t rows_received;
    const char *next_marker;
    bool complete;         /* the stream was read to its end */
    int64_t live_window_s; /* how long the windows that this page opens collect */
};

struct collected {
    int64_t items;
    int64_t unchanged;
    int64_t quarantined;
};

/* ERR_CONFLICT: the stream moved on meanwhile (the page is read again from the new marker). */
enum err collect_page(const struct scope *scope, const struct collected_page *page,
                      struct collected *into) MUST_USE;

/* Items of stored records for an integration that was just made and reaches back, or goes on after
 * a pause; those that it has already stay as they are. */
enum err collect_backfill(const struct scope *scope, struct uuid integration, struct instant reach,
                          int64_t live_window_s, int64_t *items) MUST_USE;

#endif
