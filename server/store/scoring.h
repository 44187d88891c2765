/* What scoring reads and what it leaves behind: the items of a closed window with everything that
 * the store knows about them, in a handful of statements for the whole batch. */
#ifndef SLUICE_STORE_SCORING_H
#define SLUICE_STORE_SCORING_H

#include "base/money.h"
#include "db/db.h"
#include "store/item_refusal.h"

enum { WINDOW_ITEMS_MAX = 1000, CANDIDATES_PER_ROLE_MAX = 40, KNOWN_COUNTERPARTIES_MAX = 20 };

/* An item in state `scoring`, with the version of its record that it is about. */
struct scoring_item {
    struct uuid item;
    struct uuid record;
    int version;
    const char *kind;
    const char *posting; /* "post" or "correct" */
    const char *provider;
    const char *account;
    bool livemode;
    const char *source_id;
    const char *source_event_id;
    const char *source_txn_id;
    const char *parent_source_id;
    struct money amount; /* positive */
    struct money fee;
    struct money net;
    struct date date;
    struct date due_date;
    struct instant occurred_at;
    const char *description;
    const char *reference;
    const char *party_name;
    const char *party_email;
    const char *party_country;
    const char *party_address;
    const char *party_postcode;
    const char *party_phone;
    const char *party_vat_id;
    const char *party_siren;
    const char *party_iban;
    const char *party_customer_id;
    bool party_company;
    bool ours;             /* we delivered it to the source, as the target of another integration */
    bool delivered_before; /* an earlier version was delivered, linked, or may yet be */
};

/* The integration that the window belongs to, and the settings that decide it. */
struct scoring_window {
    struct uuid window;
    struct uuid integration;
    struct uuid target_connection;
    const char *target_provider;
    const char *target_account;
    int settings_version;
    const char *settings; /* JSON, as stored */
    const char *workspace_name;
    const char *language;
    const char *ledger_kind;        /* "mirrored", "imported", "none" */
    struct instant ledger_fresh_at; /* when every mirror stream was last complete; 0: never */
    int64_t reviews;                /* reviewed decisions of the workspace */
    struct scoring_item *items;
    size_t count;
};

/* Moves a collecting window to scoring and its postable items to `scoring`; items that wait for
 * their source leave the window, and what is above WINDOW_ITEMS_MAX moves to the next window. A
 * window that is in scoring already (a worker died) is read again. ERR_NOT_FOUND: nothing to do. */
enum err scoring_open(const struct scope *scope, struct uuid window,
                      struct scoring_window *into) MUST_USE;

/* One item as scoring reads it, whatever its state. */
enum err scoring_item_get(const struct scope *scope, struct uuid item,
                          struct scoring_item *into) MUST_USE;

/* What blocking asks for one item. Texts are normalised (matcher/normalise.h); NULL leaves an arm
 * out. */
struct blocking_query {
    struct uuid record;
    const char *core_name;
    const char *reference; /* reference_norm */
    struct money amount;   /* signed */
    struct money net;      /* signed; currency "" when unknown */
    struct date date;
    struct uuid counterparty; /* nil: unknown */
};

struct blocking_entry {
    int query; /* index of the query */
    struct uuid id;
    const char *role; /* "document" or "settlement" */
    struct money amount;
    struct date date;
    struct date due_date;
    const char *counterparty_name;
    const char *counterparty_iban;
    const char *counterparty_vat_id;
    const char *reference;
    const char *description;
    const char *file_name;
    bool analysed;
    bool consumed;
    bool same_counterparty;
    bool alias_confirmed;
};

enum err blocking_find(const struct scope *scope, struct uuid connection,
                       const struct blocking_query *queries, size_t count, struct rows *into)
    MUST_USE; /* rows of struct blocking_entry, ordered by query, role, id */

struct counterparty_query {
    const char *vat_id; /* canonical forms */
    const char *siren;
    const char *iban;
    const char *email;
    const char *customer_id; /* with the provider: scheme "stripe_customer" */
    const char *customer_scheme;
    const char *core_name;
};

struct counterparty_known {
    int query;
    struct uuid id;
    const char *name;
    const char *email;
    const char *vat_id;
    const char *siren;
    const char *iban;
    bool iban_listed; /* the account that was asked for is one of its own */
    const char *customer_id;
    bool alias_confirmed;
    bool confirmed; /* a person stands behind the counterparty or one of its aliases */
};

enum err counterparties_find(const struct scope *scope, const struct counterparty_query *queries,
                             size_t count, struct rows *into) MUST_USE;

/* What the past says about one (counterparty, currency, kind). */
struct usage_query {
    struct uuid counterparty;
    const char *currency;
    const char *kind;
};

struct usage {
    int query;
    int64_t posts;
    int64_t overturned;
    int64_t low_minor; /* of earlier posts in this currency; 0 and 0: none */
    int64_t high_minor;
    int64_t posts_in_currency;
    int64_t posts_of_kind;
};

enum err usage_find(const struct scope *scope, const struct usage_query *queries, size_t count,
                    struct rows *into) MUST_USE;

/* Records that look like another record: same kind, counterparty name or counterparty, amount and
 * currency, and the same reference or at most a day apart. Rows are the queries' indices. */
struct duplicate_query {
    struct uuid record;
    const char *kind;
    struct uuid counterparty;
    const char *core; /* normalised name */
    struct money amount;
    struct date date;
    const char *reference; /* normalised */
};

struct duplicate_found {
    int query;
    struct uuid other;
};

enum err duplicates_find(const struct scope *scope, const struct duplicate_query *queries,
                         size_t count, struct rows *into) MUST_USE;

/* The counterparty that a record was resolved to, and what it teaches. */
struct resolved_party {
    struct uuid record;
    struct uuid counterparty;
    bool created;             /* then it is inserted with the fields below */
    const struct uuid *known; /* counterparties that it could have been, and is not */
    size_t known_count;
    bool strong; /* resolved by a strong identifier: the others are learned */
    bool company;
    const char *how; /* identifier, alias, name, new */
    const char *name;
    const char *name_norm;
    const char *norm_version;
    const char *country;
    const char *vat_id;
    const char *siren;
    const char *iban;
    const char *email;
    const char *customer_id;
    const char *customer_scheme;
};

struct decided_candidate {
    const char *role;
    int rank;
    struct uuid entry;
    int64_t p_micro;
    int64_t log_odds_micro;
    const char *features;      /* canonical text */
    const char *contributions; /* JSON */
};

struct decided_policy {
    const char *code;
    const char *severity;
    const char *sentence;
};

/* One decision of the machine and what follows from it, all written in one transaction. */
struct decided_item {
    struct uuid item;
    const char *band;
    const char *action; /* "link", "create" */
    struct uuid entry;  /* of the link */
    struct uuid settlement_entry;
    struct uuid counterparty;
    int64_t p_micro, match_p_micro, gate_p_micro, settlement_p_micro;
    int64_t no_entry_p_micro, unseen_p_micro;
    bool match_calibrated, gate_calibrated;
    int64_t completeness_e4, strength_e4, fit_e4;
    const char *gate_contributions; /* JSON */
    const char *text;               /* matcher/explain.h: enough to replay it */
    const char *model_version, *policy_version, *norm_version;
    const char *state; /* the item's next: queued, linked, held, stopped, ignored, problem */
    struct item_refusal refusal; /* of a problem: why its document could not be made */
    const struct decided_candidate *candidates;
    size_t candidate_count;
    const struct decided_policy *policies;
    size_t policy_count;
    int position;                            /* in order of confidence, from 0 */
    const struct planned_delivery *delivery; /* of a queued creation; else NULL */
    const struct stored_document *document;  /* rendered for the item; may be NULL */
};

struct stored_document {
    struct bytes bytes;
    const char *sha256;
    const char *content_type;
    const char *file_name;
    const char *recipe; /* "rendered-1" */
};

/* An outbox row: committed before the first attempt. */
struct planned_delivery {
    struct uuid id;
    struct uuid idempotency_key;
    const char *operation;
    int generation;
};

struct scoring_outcome {
    struct uuid window;
    struct uuid integration;
    struct uuid target_connection;
    int settings_version;
    const char *ledger_kind;
    struct instant ledger_as_of;
    bool ledger_stale;
    int64_t retry_s_max; /* how long a delivery is retried */
    const struct resolved_party *parties;
    size_t party_count;
    const struct decided_item *items;
    size_t item_count;
};

/* ERR_CONFLICT when another window has made a counterparty that one of these would double. */
enum err scoring_parties_new(const struct scope *scope, const struct resolved_party *parties,
                             size_t count) MUST_USE;
/* Writes the outcome of a whole window in one transaction: parties, decisions, documents, links,
 * deliveries with their jobs in order of confidence, the moves of the items, and the window's move
 * to delivering. ERR_CONFLICT when an item or an entry moved meanwhile: score again. */
enum err scoring_save(const struct scope *scope, const struct scoring_outcome *outcome) MUST_USE;

#endif
