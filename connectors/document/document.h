/* The document that we render for a record that has none: a one-page A4 PDF for bookkeeping, in the
 * workspace's language. It says of itself that it was made from the provider's data and is no
 * e-invoice and no tax invoice (UNTDID 1001 code 751, "invoice information for accounting
 * purposes", is the nearest word). Who receives it reads it by eye or by OCR, so that every fact
 * stands beside a plain label.
 *
 * The same input gives the same bytes: no wall clock, named font files, an id from the content. A
 * change of what is drawn raises DOCUMENT_RECIPE_VERSION.
 *
 * Safe to call from several threads at once, each with fonts of its own. Text from outside
 * may be anything: what is no UTF-8 becomes U+FFFD, control characters become blanks, long text
 * wraps and then ends in an ellipsis; the page never overflows.
 *
 * Fonts (Debian): fonts-dejavu-core, without which rendering ends in ERR_CONFIG, and
 * fonts-droid-fallback for Chinese, Japanese and Korean, without which those letters are boxes. */
#ifndef SLUICE_DOCUMENT_H
#define SLUICE_DOCUMENT_H

#include "connectors/source.h"

enum {
    DOCUMENT_RECIPE_VERSION = 1,
    DOCUMENT_BYTES_MAX = 1 << 20,   /* of a PDF: more ends in ERR_LIMIT */
    DOCUMENT_LINES_MAX = 12,        /* description lines drawn; the rest is counted in words */
    DOCUMENT_TEXT_BYTES_MAX = 1000, /* of one text on the page; cut before it is laid out */
    DOCUMENT_ID_BYTES_MAX = 255,    /* of an id: longer is ERR_VALIDATION, ids are never cut */
    DOCUMENT_FILE_NAME_MAX = 100,   /* characters of a file name, all ASCII */
};

/* The fonts, read once for many documents; reading them takes longer than drawing a page. They
 * belong to one thread at a time and end with the arena. */
struct document_fonts;
enum err document_fonts_open(struct arena *arena, struct document_fonts **into) MUST_USE;

struct document_line {
    const char *text;
    struct money amount; /* currency "": no amount beside the line */
};

/* The document that this one takes back. */
struct document_reversal {
    const char *file_name;   /* of the first document */
    const char *external_id; /* of the entry at the target, or NULL */
    struct date date;        /* of the first document, or DATE_NONE */
    const char *reason;      /* one sentence or a code, or NULL */
};

/* Absent texts are NULL, absent dates DATE_NONE, absent amounts have currency "". Only `kind`,
 * `provider`, `source_id`, `company`, `amount` and `date` must be there (ERR_VALIDATION with
 * field). */
struct document_input {
    const char *language; /* "en" or "fr"; anything else, also NULL, is English */
    enum record_kind kind;
    const char *provider;         /* "stripe" */
    const char *company;          /* the workspace's company name */
    struct party counterparty;    /* the customer; of a fee, the supplier */
    const char *reference;        /* ours */
    const char *number;           /* invoice or receipt number at the source; else source_id */
    const char *source_id;        /* "ch_3N..." */
    const char *parent_source_id; /* the charge of a refund */
    const char *source_txn_id;    /* the balance transaction */
    const char *source_event_id;  /* where the driver has one */
    const char *account;          /* of the provider */
    bool testmode;                /* the page says so */
    int version;                  /* of the record; 0 and 1 are the first */
    struct date date;             /* issue date */
    struct date due_date;
    struct instant occurred_at; /* also the PDF's creation time; 0: midnight UTC of `date` */
    const struct document_line *lines;
    size_t line_count;   /* 0: one line that names the kind */
    struct money amount; /* total; the kind says the direction */
    struct money tax;    /* currency "": the page says that the source states none */
    struct money fee;
    struct money net;
    const struct document_reversal *reverses; /* NULL: a first document */
    struct document_fonts *fonts;             /* NULL: read for this document alone */
};

/* Fills what a record says; the caller adds language, provider, company, reference, account,
 * version and reversal. The description becomes a line, in `arena`. */
struct document_input document_input_from(struct arena *arena, const struct source_record *record);

/* What the page and the name need: ERR_VALIDATION with the field that is missing or out of bounds.
 */
enum err document_check(struct arena *arena, const struct document_input *input) MUST_USE;

enum err document_render(struct arena *arena, const struct document_input *input,
                         struct bytes *pdf) MUST_USE;

/* "2026-11-20_acme-sas_ch_3Nxxx.pdf": date, counterparty, source id, and "_v2" or "_reversal" where
 * it applies. ASCII letters, digits, '.', '_' and '-' only; never starts with a dot. Equal ids give
 * equal names, different ids different names: an id that holds other characters or is long is
 * followed by a part of its hash. */
enum err document_file_name(struct arena *arena, const struct document_input *input,
                            const char **into) MUST_USE;

#endif
