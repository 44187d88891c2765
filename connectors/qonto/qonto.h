/* Qonto as a target: supplier invoices and bank transactions read as ledger entries, PDFs posted as
 * supplier invoices. README.md in this folder says what it can and cannot do.
 *
 * Needs of struct provider_settings: api_url, oauth_url, client_id, client_secret; staging_token
 * for the sandbox only. An account is an organisation; livemode is false where a staging token is
 * configured. */
#ifndef SLUICE_QONTO_H
#define SLUICE_QONTO_H

#include "connectors/authorisation.h"
#include "connectors/target.h"

enum {
    QONTO_DOCUMENT_BYTES_MAX = 10 * 1000 * 1000, /* of one file, by Qonto's guide */
    QONTO_FILE_NAME_BYTES_MAX = 200,
    QONTO_PAGE_ROWS_MAX = 100,               /* per_page */
    QONTO_TIE_PAGES_MAX = 50,                /* pages of rows that share one updated_at */
    QONTO_SEEN_MAX = 200,                    /* rows of the overlap that a marker remembers */
    QONTO_OVERLAP_S = 120,                   /* read again before the newest row of the last run */
    QONTO_BANK_ACCOUNTS_MAX = 100,           /* of one organisation */
    QONTO_SEARCH_PAGES_MAX = 5,              /* of a look by file name */
    QONTO_LIST_BYTES_MAX = 16 * 1024 * 1024, /* of a list's answer */
    QONTO_ANSWER_BYTES_MAX = 1024 * 1024,    /* of any other answer */
    QONTO_READ_S = 30,                       /* the longest GET */
    QONTO_UPLOAD_S = 45,                     /* the longest single POST of a document */
    QONTO_ATTEMPT_S_MAX = 60,                /* no document is on its way longer than this */
    QONTO_REFRESH_AHEAD_S = 60,              /* a token that ends sooner is refreshed first */
};

/* What to ask for at the authorisation: reading entries and organisation, posting invoices. */
#define QONTO_SCOPE_DEFAULT                                                                        \
    "offline_access organization.read supplier_invoice.read supplier_invoice.write"

extern const struct target qonto_target;
extern const struct authoriser qonto_authoriser;

#endif
