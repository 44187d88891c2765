/* Deliveries: the outbox. A row, its key and the hash of its bytes are committed before the first
 * attempt; every attempt is committed before it is made. */
#ifndef SLUICE_STORE_DELIVERY_H
#define SLUICE_STORE_DELIVERY_H

#include "db/db.h"
#include "store/scoring.h"

/* What a worker needs to send one delivery. */
struct delivery {
    struct uuid id;
    struct uuid item;
    struct uuid integration;
    struct uuid connection;
    struct uuid window;
    const char *operation;
    const char *state;
    struct uuid idempotency_key;
    int generation;
    const char *content_sha256;
    const char *content_type;
    const char *file_name;
    const char *external_id; /* what it is about, or what it became */
    int attempts;
    struct instant created_at;  /* business time */
    struct instant retry_until; /* business time: later failures are final */
    bool resend; /* uncertain, and a person says that it did not arrive: no need to look */
};

enum err delivery_get(const struct scope *scope, struct uuid id, struct delivery *into) MUST_USE;
/* The exact bytes, read in chunks and checked against their hash. */
enum err delivery_content(const struct scope *scope, const struct delivery *delivery,
                          struct bytes *into) MUST_USE;

/* queued|retrying|uncertain -> sending, and the attempt's row: committed before anything is sent.
 * The look may not happen before `attempt_s` of the database's clock have passed. ERR_CONFLICT: it
 * is in another state. */
enum err delivery_attempt_start(const struct scope *scope, const struct delivery *delivery,
                                int attempt_s, int *n) MUST_USE;

/* How an attempt or a look ended. */
enum delivery_end {
    END_DONE,      /* at the target, verified */
    END_RETRY,     /* not executed; try again later */
    END_UNCERTAIN, /* the answer was lost: look first */
    END_REJECTED,  /* the target refused it, or retries are used up */
    END_BLOCKED,   /* no usable credentials */
    END_ABSENT,    /* looked, and it is not there: send the same bytes again */
};

struct delivery_outcome {
    enum delivery_end end;
    int attempt;         /* n of its row; 0: a look, no row */
    const char *status;  /* code for the attempt: "ok", "provider_unavailable" */
    int http_status;     /* 0: none */
    const char *excerpt; /* redacted */
    const char *external_id;
    const char *problem_code; /* of REJECTED, BLOCKED, UNCERTAIN */
    const char *problem_text;
    const char *problem_field;
    struct instant next_at; /* business time of the next try; 0: none */
};

/* Writes what follows in one transaction: attempt, delivery, item, ledger entry or problem, audit,
 * counts, and the window when this was its last first delivery. Joins the caller's transaction, so
 * that the job ends in the same commit. */
enum err delivery_settle(const struct scope *scope, const struct delivery *delivery,
                         const struct delivery_outcome *outcome) MUST_USE;

/* The bytes leave only now: the earliest look counts from here. ERR_LEASE_LOST: somebody took the
 * delivery over since the attempt `n` began, and it must not be sent by this one. */
enum err delivery_attempt_fence(const struct scope *scope, struct uuid id, int n,
                                int attempt_s) MUST_USE;

/* Whether the earliest look has come (the database's clock), and how long it still takes. */
enum err delivery_look_due(const struct scope *scope, struct uuid id, int64_t *wait_s) MUST_USE;

/* An approved item whose grace period is over becomes an outbox row. The caller rendered the
 * document and made the key. ERR_NOT_FOUND: the item is not queued, has a delivery, or its grace
 * period lasts. ERR_VALIDATION: a correction of what is not in the books. */
struct approved_item {
    struct scoring_item item;
    struct uuid integration;
    struct uuid target_connection;
    const char *target_account;
    const char *workspace_name;
    const char *language;
    int generation;                 /* of the delivery to be made */
    const char *operation;          /* "create" or "reverse" */
    const char *reverses_file_name; /* of a reversal: the first document's */
    const char *reverses_external_id;
    struct date reverses_date;
};
enum err delivery_approved_get(const struct scope *scope, struct uuid item,
                               struct approved_item *into) MUST_USE;
/* Seconds that the grace period of an approval still lasts by the clock of this host, which may be
 * behind the one by which its job became due; 0: nothing waits. */
enum err delivery_approved_wait(const struct scope *scope, struct uuid item,
                                int64_t *wait_s) MUST_USE;
enum err delivery_plan(const struct scope *scope, const struct approved_item *approved,
                       const struct planned_delivery *planned,
                       const struct stored_document *document, int64_t retry_s_max) MUST_USE;

#endif
