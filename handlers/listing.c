#include "handlers/listing.h"

#include "base/text.h"

const char *const record_kind_words[] = {
    "charge",       "refund",           "payout",         "dispute",     "fee", "customer",
    "subscription", "supplier_invoice", "client_invoice", "credit_note", NULL};
const char *const band_words[] = {"flow", "hold", "stop", NULL};
const char *const entry_role_words[] = {"document", "settlement", NULL};

const char *word_or_null(const char *const *words, int index)
{
    return index == WORD_ABSENT ? NULL : words[index];
}

enum err range_read(struct request *req, const struct range_query *query, struct list_range *into)
{
    bool amount = query->amount_min_given || query->amount_max_given;
    if (amount && !query->currency)
        return arena_fail(req->arena, ERR_PARAMETER_INVALID, "currency",
                          "Amounts are compared within one currency: name it.");
    if (query->currency && !currency_valid(query->currency))
        return arena_fail(req->arena, ERR_PARAMETER_INVALID, "currency",
                          "Expected a currency such as EUR.");
    *into = (struct list_range){
        .currency = query->currency,
        .amount_min = query->amount_min,
        .amount_max = query->amount_max,
        .has_amount_min = query->amount_min_given,
        .has_amount_max = query->amount_max_given,
        .date_from = query->date_from,
        .date_to = query->date_to,
    };
    return OK;
}

struct list_page list_page_of(const struct page *page)
{
    return (struct list_page){
        .rows = page->limit + 1,
        .after = page->after.id,
        .after_order = page->after.number,
    };
}
