/* What a document adds to the record that a provider made of it, and where the two disagree. Pure.
 *
 * Providers fill their fields by reading the page; the embedded data is what the issuer wrote. Even
 * so the record's own field is never replaced: which of the two is wrong is for a person to say. */
#ifndef SLUICE_READING_APPLY_H
#define SLUICE_READING_APPLY_H

#include "connectors/document/reading/reading.h"
#include "connectors/source.h"

enum reading_side {
    READING_FROM_COUNTERPARTY, /* the counterparty is the seller: a supplier's invoice */
    READING_TO_COUNTERPARTY,   /* it is the buyer: an invoice of our own */
};

enum { READING_APPLIED_MAX = 24 };

struct reading_conflict {
    const char *field; /* "amount", "counterparty.iban" */
    const char *record;
    const char *document;
};

struct reading_evidence {
    const char *filled[READING_APPLIED_MAX]; /* fields that the record did not have */
    size_t filled_count;
    struct reading_conflict conflicts[READING_APPLIED_MAX];
    size_t conflict_count;
    bool bank_details_differ; /* the policy document_bank_details_differ */
};

/* Fills what is absent in `record`; its raw JSON and its hash stay. Amounts agree when the record
 * has the grand total or the amount due; numbers and ids agree whatever their blanks, dots and
 * case. Names and addresses are filled, never compared: two spellings of a name are no
 * contradiction. */
void reading_apply(struct arena *arena, const struct reading_invoice *invoice,
                   enum reading_side side, struct source_record *record,
                   struct reading_evidence *into);

/* {"filled": [...], "conflicts": [{"field", "record", "document"}]}: for the record's history. */
json_t *reading_evidence_json(struct arena *arena, const struct reading_evidence *evidence);

#endif
