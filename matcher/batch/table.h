/* One file of records or entries: which columns it has, and its rows as typed values. */
#ifndef SLUICE_MATCHER_BATCH_TABLE_H
#define SLUICE_MATCHER_BATCH_TABLE_H

#include "base/money.h"
#include "base/time.h"
#include "matcher/batch/csv.h"

enum {
    TABLE_ROWS_MAX = 500000,
    TABLE_ID_BYTES_MAX = 256,
    TABLE_AMOUNT_MINOR_MAX_LOG10 = 14 /* digits of an amount in minor units */
};

/* The names in the header, in the order of the documentation. */
#define TABLE_COLUMNS(X)                                                                           \
    X(ID, "id")                                                                                    \
    X(DATE, "date")                                                                                \
    X(AMOUNT, "amount")                                                                            \
    X(CURRENCY, "currency")                                                                        \
    X(COUNTERPARTY, "counterparty")                                                                \
    X(DESCRIPTION, "description")                                                                  \
    X(REFERENCE, "reference")                                                                      \
    X(VAT_ID, "vat_id")                                                                            \
    X(IBAN, "iban")                                                                                \
    X(ADDRESS, "address")                                                                          \
    X(POSTCODE, "postcode")                                                                        \
    X(PHONE, "phone")                                                                              \
    X(EMAIL, "email")

#define TABLE_COLUMN_ENUM(id, name) TABLE_##id,
enum table_column { TABLE_COLUMNS(TABLE_COLUMN_ENUM) TABLE_COLUMN_COUNT };
#undef TABLE_COLUMN_ENUM

struct table_row {
    const char *text[TABLE_COLUMN_COUNT]; /* as written; NULL when absent or empty */
    struct money amount;                  /* meaningful only where `has_amount` */
    struct date date;                     /* DATE_NONE when absent */
    bool has_amount;
    /* The currency of the amount; without one, two digits behind the point are taken. */
    bool has_currency;
    uint32_t rank; /* place of its id among all ids of the file, by bytes: breaks ties */
};

struct table {
    const char *name; /* of the file */
    struct table_row *rows;
    size_t count;
    bool has[TABLE_COLUMN_COUNT];
    const char *unused; /* names of columns that are not known, joined by ", "; NULL: none */
};

/* Reads a whole file. `text` (n bytes and room for one more) is changed and must outlive the
 * table. */
enum err table_read(struct arena *arena, const char *name, char *text, size_t n,
                    struct table *into) MUST_USE;

enum { TABLE_SIGNED_ROWS_MIN = 10 };

/* Bills are positive in one program, and what the bank took for them negative in another. Where all
 * amounts of one table are positive and all of the other negative, and each has
 * TABLE_SIGNED_ROWS_MIN of them, those of `ledger` are turned round; true then. */
bool table_signs_align(const struct table *records, struct table *ledger);

#endif
