/* What an attachment says of itself: the invoice data that a Factur-X or ZUGFeRD document embeds,
 * or that an attachment is (CII, UBL). Pages are not looked at; nothing is guessed.
 *
 * Documents come from strangers and their parsers are large, so that the work is done in a child
 * process: this program executed again, which gets the bytes on its standard input, gives up
 * everything but memory and its two pipes, and answers JSON. What a document can do at worst is end
 * its own child: the caller then gets a reason, as it does for every other document.
 *
 * README.md in this folder has the fields (EN 16931's BT numbers), the limits and what is not read.
 */
#ifndef SLUICE_READING_H
#define SLUICE_READING_H

#include "base/money.h"
#include "base/time.h"
#include "json/json.h"

#define READING_MIB INT64_C(1048576)
/* name, value, what is counted. Reaching one ends in the reason that stands beside it. */
#define READING_LIMIT_TABLE(X)                                                                     \
    X(bytes, 20 * READING_MIB)         /* of the document: READING_TOO_LARGE */                    \
    X(objects, 500000)                 /* that a PDF says it has: READING_TOO_MANY_OBJECTS */      \
    X(nodes, 10000)                    /* of the lists of files: READING_TOO_MANY_OBJECTS */       \
    X(attachments, 16)                 /* XML files looked into: READING_TOO_MANY_OBJECTS */       \
    X(xml_bytes, 5 * READING_MIB)      /* of one of them: READING_XML_TOO_LARGE */                 \
    X(xml_elements, 200000)            /* and attributes: READING_XML_TOO_LARGE */                 \
    X(xml_depth, 64)                   /* elements in elements: READING_XML_TOO_DEEP */            \
    X(memory_bytes, 512 * READING_MIB) /* address space: READING_TOO_MUCH_MEMORY */                \
    X(cpu_s, 5)                        /* of computing: READING_TOO_SLOW */                        \
    X(wall_ms, 10000)                  /* from start to answer: READING_TOO_SLOW */

#define READING_LIMIT_MEMBER(name, value) int64_t name;
struct reading_limits {
    READING_LIMIT_TABLE(READING_LIMIT_MEMBER)
};
#undef READING_LIMIT_MEMBER

struct reading_limits reading_limits_default(void);

/* The first two are good ends. The sentence of every other one begins with "Unreadable: ". */
#define READING_REASON_TABLE(X)                                                                    \
    X(READING_DONE, "read", "The document says what it is.")                                       \
    X(READING_NO_DATA, "no_data", "The document embeds no invoice data.")                          \
    X(READING_UNKNOWN_TYPE, "unknown_type", "Unreadable: neither PDF, XML, JPEG, PNG nor GIF.")    \
    X(READING_TOO_LARGE, "too_large", "Unreadable: larger than a document may be.")                \
    X(READING_DAMAGED, "damaged", "Unreadable: the PDF is damaged.")                               \
    X(READING_ENCRYPTED, "encrypted", "Unreadable: the PDF asks for a password.")                  \
    X(READING_TOO_MANY_OBJECTS, "too_many_objects",                                                \
      "Unreadable: the PDF has more objects than a document may have.")                            \
    X(READING_XML_TOO_LARGE, "xml_too_large",                                                      \
      "Unreadable: the invoice data is larger than it may be.")                                    \
    X(READING_XML_TOO_DEEP, "xml_too_deep",                                                        \
      "Unreadable: the invoice data is nested deeper than it may be.")                             \
    X(READING_XML_DOCTYPE, "xml_doctype",                                                          \
      "Unreadable: the invoice data declares a document type, which may hide entities.")           \
    X(READING_XML_ENCODING, "xml_encoding",                                                        \
      "Unreadable: the invoice data names an encoding that is not known.")                         \
    X(READING_XML_MALFORMED, "xml_malformed", "Unreadable: the invoice data is not valid XML.")    \
    X(READING_XML_UNKNOWN, "xml_unknown",                                                          \
      "Unreadable: the XML is no invoice in a syntax that is known.")                              \
    X(READING_TOO_MUCH_MEMORY, "too_much_memory",                                                  \
      "Unreadable: reading it takes more memory than it may.")                                     \
    X(READING_TOO_SLOW, "too_slow", "Unreadable: too slow.")                                       \
    X(READING_CRASHED, "crashed", "Unreadable: the process that read it came to a bad end.")

#define READING_REASON_ENUM(code, slug, sentence) code,
enum reading_reason { READING_REASON_TABLE(READING_REASON_ENUM) READING_REASON_COUNT };
#undef READING_REASON_ENUM

const char *reading_reason_slug(enum reading_reason reason);
const char *reading_reason_sentence(enum reading_reason reason);
const char *reading_outcome(enum reading_reason reason); /* "read", "no_data" or "unreadable" */

enum {
    READING_NAME_BYTES_MAX = 500, /* of a name or an address: longer is cut */
    READING_ID_BYTES_MAX = 255,   /* of an id: longer is a doubt, ids are never cut */
    READING_ACCOUNTS_MAX = 8,     /* kept; the rest is left out */
    READING_REFERENCES_MAX = 8,
    READING_TAXES_MAX = 16,
    READING_DOUBTS_MAX = 16,
};

/* Absent texts are NULL, absent dates DATE_NONE, absent amounts have currency "". */
struct reading_party {
    const char *name;                /* BT-27, BT-44 */
    const char *trading_name;        /* BT-28, BT-45 */
    const char *vat_id;              /* BT-31, BT-48 */
    const char *tax_number;          /* BT-32 */
    const char *registration_id;     /* BT-30, BT-47 */
    const char *registration_scheme; /* ISO 6523: "0002" is SIRENE */
    const char *siren;               /* nine digits, from the registration or the VAT id */
    const char *siret;               /* fourteen digits */
    const char *id;                  /* BT-29, BT-46: the first */
    const char *id_scheme;
    const char *endpoint; /* BT-34, BT-49: electronic address */
    const char *endpoint_scheme;
    const char *email;    /* BT-43, BT-58 */
    const char *street;   /* BT-35, BT-50 */
    const char *postcode; /* BT-38, BT-53 */
    const char *city;     /* BT-37, BT-52 */
    const char *country;  /* BT-40, BT-55 */
};

struct reading_account {
    const char *iban; /* BT-84, without blanks; any other account number stands here too */
    const char *bic;  /* BT-86 */
};

/* BG-3: an invoice that this one corrects or takes back. */
struct reading_reference {
    const char *number; /* BT-25 */
    struct date issued; /* BT-26 */
};

/* BG-23: one line of the VAT breakdown. */
struct reading_tax {
    const char *category; /* BT-118: "S", "Z", "E", "AE", "K", "G", "O", "L", "M" */
    const char *rate;     /* BT-119, percent as it is written */
    struct money base;    /* BT-116 */
    struct money tax;     /* BT-117 */
};

struct reading_invoice {
    const char *syntax;          /* "cii", "zugferd_1", "ubl" */
    const char *profile;         /* "minimum", "basic_wl", "basic", "en16931", ... or "other" */
    const char *guideline;       /* BT-24, as it is written */
    const char *attachment_name; /* in the PDF; NULL when the document itself is the XML */
    const char *kind;      /* "invoice", "credit_note", "correction", "information", "other" */
    const char *type_code; /* BT-3, UNTDID 1001 */
    bool takes_back;    /* a credit note, or a total below zero: money goes from seller to buyer */
    const char *number; /* BT-1 */
    struct date issued; /* BT-2 */
    struct date due;    /* BT-9; of several terms the first that has one */
    struct date delivered;          /* BT-72 */
    const char *currency;           /* BT-5 */
    const char *tax_currency;       /* BT-6 */
    const char *buyer_reference;    /* BT-10 */
    const char *contract_reference; /* BT-12 */
    const char *order_reference;    /* BT-13 */
    const char *payment_reference;  /* BT-83 */
    struct money line_total;        /* BT-106 */
    struct money tax_exclusive;     /* BT-109 */
    struct money tax;               /* BT-110 */
    struct money tax_accounting;    /* BT-111, in the tax currency */
    struct money grand_total;       /* BT-112 */
    struct money prepaid;           /* BT-113 */
    struct money rounding;          /* BT-114 */
    struct money due_payable;       /* BT-115; kept beside the grand total, which may differ */
    struct reading_party seller;
    struct reading_party buyer;
    const char *payee_name; /* BT-59, where it is not the seller */
    struct reading_account accounts[READING_ACCOUNTS_MAX];
    size_t account_count;
    const char *debited_iban; /* BT-91 */
    struct reading_reference references[READING_REFERENCES_MAX];
    size_t reference_count;
    struct reading_tax taxes[READING_TAXES_MAX];
    size_t tax_count;
    int64_t line_count; /* BG-25 */
    /* Names of fields that were there but were not what such a field must be. */
    const char *doubts[READING_DOUBTS_MAX];
    size_t doubt_count;
};

struct reading {
    enum reading_reason reason;
    const char *media_type; /* by its first bytes: "application/pdf", "application/xml", ... */
    struct reading_invoice invoice; /* when the reason is READING_DONE */
};

struct document_reader {
    const char *program; /* what is executed for the child; NULL: the running program */
    struct reading_limits limits;
};

/* Blocks for at most `wall_ms`. OK with a reason, whatever the document is; ERR_BUSY when no child
 * can be started, ERR_INTERNAL when it could not confine itself: both say nothing of the document.
 * Safe from several threads at once. */
enum err document_read(struct arena *arena, struct bytes document,
                       const struct document_reader *reader, struct reading *into) MUST_USE;

/* The name of the verb that the child is started with. */
#define READING_CHILD_VERB "read-document-child"

/* The child: limits as decimal numbers in the order of the table. Does not return. */
_Noreturn void reading_child(char *const *arguments, int argument_count);

/* As the child answers it and as people see it; absent values are left out. */
json_t *reading_json(struct arena *arena, const struct reading *reading);
bool reading_parse(struct arena *arena, const json_t *value, struct reading *into);

/* In this process, without a child's limits on memory and time: for the child itself and for tests
 * of what is read. */
void reading_extract(struct arena *arena, struct bytes document,
                     const struct reading_limits *limits, struct reading *into);

#endif
