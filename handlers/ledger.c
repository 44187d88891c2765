/* What exists in the targets' books. */
#include "handlers/handlers.h"
#include "handlers/listing.h"
#include "handlers/view.h"

struct ledger_query {
    struct page page;
    struct range_query range;
    int role;
    struct uuid connection;
    const char *text;
};
static const struct input_field list_fields[] = {
    PAGE_FIELDS(struct ledger_query, page),
    RANGE_FIELDS(struct ledger_query, range),
    FIELD_WORD("role", struct ledger_query, role, entry_role_words, OPTIONAL),
    FIELD_UUID("connection_id", struct ledger_query, connection, OPTIONAL),
    FIELD_TEXT("text", struct ledger_query, text, 1, SEARCH_CHARS_MAX, OPTIONAL),
};

static enum err find_entries(struct request *req, const struct ledger_query *query,
                             struct rows *rows)
{
    struct entry_filter filter = {
        .role = word_or_null(entry_role_words, query->role),
        .connection = query->connection,
        .text = query->text,
    };
    TRY(range_read(req, &query->range, &filter.range));
    struct list_page page = list_page_of(&query->page);
    return query->text ? entries_search(req->scope, &filter, query->page.limit, rows)
                       : entries_list(req->scope, &filter, &page, rows);
}

enum err api_ledger_list(struct request *req)
{
    struct ledger_query query = {.page = PAGE_DEFAULT, .range = RANGE_DEFAULT, .role = WORD_ABSENT};
    struct rows rows;
    TRY(list_read(req, list_fields, COUNT(list_fields), &query, &query.page));
    TRY(find_entries(req, &query, &rows));
    const struct entry_view *entries = rows.at;
    size_t shown = page_shown(&query.page, rows.count);
    struct json_out out = list_begin(req);
    for (size_t i = 0; i < shown; i++) {
        out_object(&out, NULL);
        out_entry(&out, &entries[i]);
        out_end(&out);
    }
    struct cursor next = {0};
    if (shown > 0)
        next = (struct cursor){.number = entries[shown - 1].day, .id = entries[shown - 1].id};
    return list_end(req, &out, shown < rows.count ? &next : NULL);
}
