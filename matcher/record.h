/* What is matched: a record of a source and the entries of a target's ledger, as plain values.
 *
 * Texts are given raw, as the provider wrote them: the matcher normalises them itself, so that the
 * two sides can never be normalised by different versions. Absent texts are NULL (an empty or blank
 * text counts as absent), absent dates DATE_NONE, absent money has the currency "". Amounts are
 * signed: negative is money that went back (a refund, a credit note) on either side. An amount
 * whose unit is not known has the currency "XXX" (ISO 4217: no currency) and is compared with any.
 * Only the first MATCH_TEXT_BYTES_MAX bytes of a text are looked at. */
#ifndef SLUICE_MATCHER_RECORD_H
#define SLUICE_MATCHER_RECORD_H

#include "base/money.h"
#include "base/time.h"
#include "base/uuid.h"

enum {
    MATCH_TEXT_BYTES_MAX = 512, /* of a name, a reference, a description */
    MATCH_CANDIDATES_MAX = 64   /* entries of one role offered to one item */
};

/* The roles of entries, and the list of counterparties, which is matched by the same arithmetic. */
enum match_role { MATCH_DOCUMENT, MATCH_SETTLEMENT, MATCH_COUNTERPARTY, MATCH_ROLE_COUNT };

const char *match_role_name(enum match_role role); /* "document" */

struct match_record {
    struct uuid id; /* of the item: breaks ties between items of a batch */
    struct money amount;
    struct money fee; /* what the provider kept of it; explains a net amount at the bank */
    struct date date;
    const char *name; /* of the counterparty */
    const char *email;
    const char *vat_id;
    const char *siren; /* or SIRET */
    const char *iban;
    const char *customer_id; /* the source's own id of the counterparty */
    const char *reference;
    const char *description;
    const char *address; /* street and town */
    const char *postcode;
    const char *phone;
};

struct match_entry {
    struct uuid id;
    struct money amount;
    struct date date;
    struct date due_date;
    const char *name;
    const char *email;
    const char *vat_id;
    const char *siren;
    const char *iban;
    const char *customer_id;
    const char *reference;
    const char *description;
    const char *address;
    const char *postcode;
    const char *phone;
    const char *file_name;  /* of its document: may carry the record's reference */
    bool analysed;          /* the target has read the document: its fields can be relied on */
    bool consumed;          /* another item was linked to it, exclusively, in this role */
    bool same_counterparty; /* resolved by a strong identifier to the record's counterparty */
    bool alias_confirmed;   /* a person confirmed this name for the record's counterparty */
};

#endif
