/* Qonto's objects as ours: pure functions, golden-tested and fuzzed. Fields may be absent, null or
 * of another type than documented; unknown words of an enumeration are kept; nothing is fatal but
 * an object without id. */
#ifndef SLUICE_QONTO_MAP_H
#define SLUICE_QONTO_MAP_H

#include "connectors/qonto/answer.h"
#include "connectors/target.h"

/* A supplier invoice as a ledger entry of role document. Discarded, rejected and non-financial
 * documents are removed entries. False when it has no id. */
bool qonto_invoice_map(struct arena *arena, const json_t *invoice, struct mirrored_entry *into);

/* A bank transaction as a ledger entry of role settlement. Amounts are positive whatever the side;
 * the side is in `raw`. Declined ones are removed entries. False when it has no id. */
bool qonto_transaction_map(struct arena *arena, const json_t *transaction,
                           struct mirrored_entry *into);

/* What the answer to a bulk request of one invoice says about it. */
struct qonto_bulk {
    const json_t *invoice;    /* NULL: none came back */
    struct qonto_error error; /* code "" and detail "": none */
    bool failed;              /* an error came that is ours or names nobody */
    bool retryable;           /* the error is a failure of Qonto's, not a refusal */
};

/* `key` is the idempotency key that was sent. An error that names another key is not ours. Of
 * several invoices the one with `file_name` is taken, a single one as it is. */
void qonto_bulk_map(struct arena *arena, const json_t *body, const char *key, const char *file_name,
                    struct qonto_bulk *into);

#endif
