/* What the page says, in the languages of a workspace. A '%' stands for the provider's name. */
#ifndef SLUICE_DOCUMENT_WORDS_H
#define SLUICE_DOCUMENT_WORDS_H

#include "connectors/document/document.h"

enum document_language { LANGUAGE_EN, LANGUAGE_FR, LANGUAGE_COUNT };

enum document_word {
    WORD_SUPPLIER,
    WORD_CUSTOMER,
    WORD_VAT_ID,
    WORD_NUMBER,
    WORD_REFERENCE,
    WORD_DATE,
    WORD_DUE_DATE,
    WORD_DESCRIPTION,
    WORD_AMOUNT,
    WORD_TAX,
    WORD_TAX_NONE,
    WORD_TOTAL,
    WORD_FEE,
    WORD_NET,
    WORD_REFERENCES,
    WORD_CHARGE_OF,
    WORD_TRANSACTION,
    WORD_EVENT,
    WORD_ACCOUNT,
    WORD_TESTMODE,
    WORD_MORE_LINES,
    WORD_REVERSAL_TITLE,
    WORD_REVERSAL_SUBTITLE,
    WORD_REVERSAL_OF,
    WORD_REVERSAL_ENTRY,
    WORD_REVERSAL_DATE,
    WORD_REVERSAL_REASON,
    WORD_FOOTER,
    WORD_FOOTER_MARK,
    WORD_UNNAMED,
    WORD_COUNT
};

struct document_kind_words {
    const char *title;
    const char *subtitle;
    const char *line;     /* drawn when the source describes nothing */
    const char *id_label; /* of the source id */
};

enum document_language document_language_of(const char *code); /* English unless it is "fr" */
const char *document_language_tag(enum document_language language);
const char *document_word(struct arena *arena, enum document_language language,
                          enum document_word word, const char *provider);
struct document_kind_words document_kind_words(struct arena *arena, enum document_language language,
                                               enum record_kind kind, const char *provider);
/* "Stripe" for "stripe": the provider as people write it. */
const char *document_provider_name(struct arena *arena, const char *provider);
/* "20 November 2026", "20/11/2026". */
const char *document_date(struct arena *arena, enum document_language language, struct date date);
/* "1,250.00 EUR", "1 250,00 EUR" with narrow no-break spaces; U+2212 for minus. */
const char *document_money(struct arena *arena, enum document_language language,
                           struct money money);

#endif
