/* A source of records: how a provider is read. One table per provider (connectors/registry.c). */
#ifndef SLUICE_SOURCE_H
#define SLUICE_SOURCE_H

#include "connectors/provider.h"

enum record_kind {
    KIND_CHARGE,
    KIND_REFUND,
    KIND_PAYOUT,
    KIND_DISPUTE,
    KIND_FEE,
    KIND_CUSTOMER,
    KIND_SUBSCRIPTION,
    KIND_SUPPLIER_INVOICE,
    KIND_CLIENT_INVOICE,
    KIND_CREDIT_NOTE,
    KIND_COUNT
};

const char *record_kind_name(enum record_kind kind); /* "charge" */
bool record_kind_parse(const char *name, enum record_kind *into);

/* What the provider's own state says about posting; each provider's README says when. */
enum posting {
    POSTING_POST,    /* complete: may be decided */
    POSTING_WAIT,    /* not yet: waits in progress */
    POSTING_IGNORE,  /* will never post */
    POSTING_CORRECT, /* it posted, and was undone at the provider: a held correction */
};

struct party {
    const char *name;
    const char *email;
    const char *country; /* ISO 3166 alpha-2 */
    const char *address; /* one line */
    const char *postcode;
    const char *phone;
    const char *vat_id;
    const char *siren;
    const char *iban;
    const char *customer_id; /* the provider's own id of the party */
    bool company;
};

/* A source row, mapped. Absent text is NULL, absent dates DATE_NONE. Everything lives in the arena
 * of the pull. `raw` is stored verbatim. */
struct source_record {
    const char *source_id;
    enum record_kind kind;
    enum posting posting;
    const char *posting_reason;   /* why it waits or is ignored, as a code: "not_captured" */
    const char *raw;              /* JSON as received */
    const char *material_hash;    /* hex SHA-256 over the map's declared material fields */
    const char *source_event_id;  /* NULL where the driver has none */
    const char *source_txn_id;    /* e.g. the balance transaction */
    const char *parent_source_id; /* a refund's charge */
    struct money amount;          /* positive; the kind says the direction */
    struct money fee;             /* currency "" when unknown; may differ from amount's */
    struct money net;             /* as it was booked: negative when money went out */
    struct date date;
    struct date due_date;
    struct instant occurred_at;
    struct instant updated_at;
    const char *description;
    const char *reference; /* invoice number, receipt number */
    struct party counterparty;
    const char *tax_minor; /* decimal text when the source says it, else NULL */
    /* A row that could not be mapped: source_id is the hash of the row, this is the reason. */
    const char *quarantine;
};

/* The marker is opaque JSON text that the stream's driver makes and reads; NULL at first. */
struct pull_request {
    const char *stream;   /* "stripe.charges" */
    const char *marker;   /* NULL: start at `reach` */
    struct instant reach; /* how far back the first pull goes */
    int rows_max;         /* of one page */
};

struct pull_page {
    struct source_record *records;
    size_t count;
    size_t rows_received;    /* as the provider sent them, before mapping */
    const char *next_marker; /* to be stored with the page; never NULL after OK */
    bool more;               /* pull again at once */
};

struct stream_info {
    const char *name;
    enum record_kind kind;
    int history_days_max;
    int cadence_s; /* how often it is polled when nothing wakes it */
};

struct account_choice {
    const char *account;
    bool livemode;
    const char *name;
};

struct probe_result {
    struct account_choice *accounts;
    size_t count;
    const char *scopes;       /* space separated, as granted */
    const char *capabilities; /* JSON: what was found to work, with the reasons of what does not */
};

struct source {
    const char *provider;
    const struct stream_info *streams;
    size_t stream_count;
    enum err (*probe)(struct provider_call *call, struct probe_result *into) MUST_USE;
    enum err (*pull)(struct provider_call *call, const struct pull_request *request,
                     struct pull_page *into) MUST_USE;
    /* The document of a record at the provider; ERR_ABSENT when it has none (then we render). */
    enum err (*attachment)(struct provider_call *call, const struct source_record *record,
                           struct bytes *into, const char **content_type) MUST_USE;
};

#endif
