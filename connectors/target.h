/* A target of records: how a provider's books are read and written. */
#ifndef SLUICE_TARGET_H
#define SLUICE_TARGET_H

#include "connectors/source.h"

enum entry_role { ROLE_DOCUMENT, ROLE_SETTLEMENT };

/* An entry of the target's ledger, as mirrored. */
struct mirrored_entry {
    enum entry_role role;
    const char *external_id;
    struct money amount; /* of a settlement: negative when money went out */
    struct date date;
    struct date due_date;
    const char *counterparty_name;
    const char *counterparty_iban;
    const char *counterparty_vat_id;
    const char *reference;   /* invoice number */
    const char *description; /* label, note */
    const char *file_name;   /* of the document, where the target tells it */
    const char *state;       /* the target's own word, kept raw */
    bool removed;            /* no longer an entry (discarded, declined) */
    bool analysed;           /* false: the target has not read the document yet */
    struct instant updated_at;
    const char *raw;
};

struct mirror_request {
    const char *stream; /* "qonto.supplier_invoices" | "qonto.transactions" */
    const char *marker; /* opaque; NULL at first */
    struct instant reach;
    int rows_max;
};

struct mirror_page {
    struct mirrored_entry *entries;
    size_t count;
    size_t rows_received;
    const char *next_marker;
    bool more;
};

/* The exact bytes of one delivery, fixed before the first attempt. */
struct delivery_order {
    struct uuid idempotency_key;
    const char *operation; /* "create" */
    struct bytes document;
    const char *content_type;
    const char *file_name;   /* unique; carries the source ids */
    const char *external_id; /* attach, mark_paid: the entry that it goes to */
};

struct delivery_result {
    const char *external_id; /* of the entry made or found */
    int status;              /* HTTP status, 0 when none came */
    const char *excerpt;     /* redacted, for the attempt's row; at most 2 KiB */
    bool verified;           /* read back and found */
};

enum look_answer { LOOK_ARRIVED, LOOK_ABSENT, LOOK_CANNOT_TELL };

struct target_capabilities {
    bool create, update, attach, mark_paid, read_back, search;
    int64_t document_bytes_max;
    const char *content_types; /* comma separated */
    int attempt_s_max;         /* the longest possible attempt: no look before it has passed */
};

struct target {
    const char *provider;
    struct target_capabilities capabilities;
    const char *const *streams; /* of the mirror, NULL-terminated */
    enum err (*probe)(struct provider_call *call, struct probe_result *into) MUST_USE;
    enum err (*mirror)(struct provider_call *call, const struct mirror_request *request,
                       struct mirror_page *into) MUST_USE;
    /* Size, type, name: what would be refused, before anything is sent. ERR_VALIDATION with field.
     */
    enum err (*preflight)(struct arena *arena, const struct delivery_order *order) MUST_USE;
    /* OK: done and verified. ERR_UNCERTAIN: sent, answer lost. `into` is filled as far as known
     * whatever the error. */
    enum err (*deliver)(struct provider_call *call, const struct delivery_order *order,
                        struct delivery_result *into) MUST_USE;
    enum err (*look)(struct provider_call *call, const struct delivery_order *order,
                     enum look_answer *answer, struct delivery_result *into) MUST_USE;
};

#endif
