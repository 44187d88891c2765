#include "store/ledger_read.h"

static const struct column entry_view_columns[] = {ENTRY_VIEW_COLUMNS(struct entry_view, )};
static const struct shape entry_view_shape = SHAPE(struct entry_view, entry_view_columns);

#define ENTRY_FILTER_SQL                                                                           \
    " WHERE e.workspace_id = $1 AND NOT e.removed"                                                 \
    " AND ($2::text IS NULL OR e.role = $2) AND ($3::uuid IS NULL OR e.connection_id = "           \
    "$3)" RANGE_SQL("e", "$4", "$5", "$6", "$7", "$8")
#define ENTRY_FILTER_PARAMS(scope, filter)                                                         \
    P((scope)->workspace), P((filter)->role), P((filter)->connection),                             \
        RANGE_PARAMS(&(filter)->range)

/* Entries without a date come last. */
STATEMENT(entries_list_sql,
          "SELECT" ENTRY_VIEW_SQL " FROM region.ledger_entry e" ENTRY_LINK_SQL ENTRY_FILTER_SQL
          " AND ($9::uuid IS NULL OR (e.list_day, e.id)"
          " < (DATE '1970-01-01' + $10::int, $9))"
          " ORDER BY e.list_day DESC, e.id DESC LIMIT $11");

enum err entries_list(const struct scope *scope, const struct entry_filter *filter,
                      const struct list_page *page, struct rows *into)
{
    return db_all(scope, &entries_list_sql,
                  PARAMS(ENTRY_FILTER_PARAMS(scope, filter), P(page->after), P(page->after_order),
                         P(page->rows)),
                  &entry_view_shape, into);
}

STATEMENT(entries_search_sql,
          "SELECT" ENTRY_VIEW_SQL " FROM region.ledger_entry e" ENTRY_LINK_SQL ENTRY_FILTER_SQL
          " ORDER BY e.search_text <->> $9 LIMIT $10");

enum err entries_search(const struct scope *scope, const struct entry_filter *filter, int64_t rows,
                        struct rows *into)
{
    return db_all(scope, &entries_search_sql,
                  PARAMS(ENTRY_FILTER_PARAMS(scope, filter), P(filter->text), P(rows)),
                  &entry_view_shape, into);
}
