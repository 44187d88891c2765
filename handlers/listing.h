/* What the queries of lists have in common: bounds of amount and day, words of the contract. */
#ifndef SLUICE_HANDLERS_LISTING_H
#define SLUICE_HANDLERS_LISTING_H

#include "handlers/request.h"
#include "store/listing.h"

/* The words of the contract, for FIELD_WORD; WORD_ABSENT is the default of an optional one. */
enum { WORD_ABSENT = -1, SEARCH_CHARS_MAX = 200, CODE_CHARS_MAX = 64 };
extern const char *const record_kind_words[];
extern const char *const band_words[];
extern const char *const entry_role_words[];
const char *word_or_null(const char *const *words, int index); /* WORD_ABSENT: NULL */

/* Put `struct range_query range;` into the query's struct, RANGE_FIELDS into its table,
 * RANGE_DEFAULT into its initialiser. */
struct range_query {
    int64_t amount_min, amount_max;
    bool amount_min_given, amount_max_given;
    const char *currency;
    struct date date_from, date_to;
};
#define RANGE_DEFAULT                                                                              \
    {                                                                                              \
        .date_from = {DATE_NONE}, .date_to = { DATE_NONE }                                         \
    }
enum { MINOR_UNITS_MAX_BITS = 53 };
#define MINOR_UNITS_MAX (((int64_t)1 << MINOR_UNITS_MAX_BITS) - 1)
#define RANGE_FIELDS(type, member)                                                                 \
    FIELD_INT("amount_min", type, member.amount_min, -MINOR_UNITS_MAX, MINOR_UNITS_MAX,            \
              GIVEN(type, member.amount_min_given)),                                               \
        FIELD_INT("amount_max", type, member.amount_max, -MINOR_UNITS_MAX, MINOR_UNITS_MAX,        \
                  GIVEN(type, member.amount_max_given)),                                           \
        FIELD_TEXT("currency", type, member.currency, 3, 3, OPTIONAL),                             \
        FIELD_DATE("date_from", type, member.date_from, OPTIONAL),                                 \
        FIELD_DATE("date_to", type, member.date_to, OPTIONAL)

/* ERR_PARAMETER_INVALID: an amount without its currency, or a currency that is none. */
enum err range_read(struct request *req, const struct range_query *query,
                    struct list_range *into) MUST_USE;

/* One row more than is shown, so that the list knows whether there is more. */
struct list_page list_page_of(const struct page *page);

#endif
