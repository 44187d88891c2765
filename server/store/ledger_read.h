/* Entries of the targets' books as people look for them. */
#ifndef SLUICE_STORE_LEDGER_READ_H
#define SLUICE_STORE_LEDGER_READ_H

#include "store/listing.h"

struct entry_view {
    struct uuid id;
    struct uuid connection;
    const char *role;
    const char *origin;
    const char *external_id;
    struct money amount;
    struct date date;
    struct date due_date;
    const char *counterparty_name;
    const char *reference;
    const char *description;
    const char *state;
    struct uuid item; /* that consumed it; nil: none */
    struct uuid delivery;
    struct instant created_at;
    struct instant updated_at;
    int64_t day; /* its place in the list's order */
};

struct entry_filter {
    const char *role;       /* NULL: both */
    struct uuid connection; /* nil: all */
    struct list_range range;
    const char *text; /* NULL: no search */
};

/* Latest date first. Rows of struct entry_view. */
enum err entries_list(const struct scope *scope, const struct entry_filter *filter,
                      const struct list_page *page, struct rows *into) MUST_USE;
/* Nearest to the text first: one page, no place to go on from. */
enum err entries_search(const struct scope *scope, const struct entry_filter *filter, int64_t rows,
                        struct rows *into) MUST_USE;

/* The columns of an entry `e` whose exclusive link is `el`, for statements that show entries, and
 * their places in a struct that has an entry_view as its member `at` ("" for the view itself). */
#define ENTRY_VIEW_SQL                                                                             \
    " e.id AS entry_view_id, e.connection_id AS entry_connection, e.role AS entry_role,"           \
    " e.origin AS entry_origin, e.external_id AS entry_external_id,"                               \
    " e.amount_minor AS entry_minor, e.currency AS entry_currency, e.date AS entry_date,"          \
    " e.due_date AS entry_due_date, e.counterparty_name AS entry_counterparty,"                    \
    " e.reference AS entry_reference, e.description AS entry_description,"                         \
    " e.target_state AS entry_state, el.item_id AS entry_item, e.delivery_id AS entry_delivery,"   \
    " e.created_at AS entry_created_at, e.mirrored_at AS entry_updated_at,"                        \
    " e.list_day - DATE '1970-01-01' AS entry_day"
#define ENTRY_LINK_SQL                                                                             \
    " LEFT JOIN region.link el ON el.workspace_id = e.workspace_id AND el.entry_id = e.id"         \
    " AND el.role = e.role AND el.exclusive"
#define ENTRY_VIEW_COLUMNS(type, at)                                                               \
    COLUMN_AS("entry_view_id", type, at id), COLUMN_AS("entry_connection", type, at connection),   \
        COLUMN_AS("entry_role", type, at role), COLUMN_AS("entry_origin", type, at origin),        \
        COLUMN_AS("entry_external_id", type, at external_id),                                      \
        COLUMN_MONEY("entry_minor", "entry_currency", type, at amount),                            \
        COLUMN_AS("entry_date", type, at date), COLUMN_AS("entry_due_date", type, at due_date),    \
        COLUMN_AS("entry_counterparty", type, at counterparty_name),                               \
        COLUMN_AS("entry_reference", type, at reference),                                          \
        COLUMN_AS("entry_description", type, at description),                                      \
        COLUMN_AS("entry_state", type, at state), COLUMN_AS("entry_item", type, at item),          \
        COLUMN_AS("entry_delivery", type, at delivery),                                            \
        COLUMN_AS("entry_created_at", type, at created_at),                                        \
        COLUMN_AS("entry_updated_at", type, at updated_at), COLUMN_AS("entry_day", type, at day)

#endif
