#include "store/entry_free.h"

#include "base/text.h"
#include "store/audit.h"
#include "store/json_rows.h"
#include "store/problem.h"
#include "store/review.h"

#define FLAG_OWN     "linked_to_own_document"
#define FLAG_REMOVED "entry_removed"

struct freed {
    struct uuid item;
    struct uuid integration;
    struct uuid entry;
    const char *external_id;
    bool delivered; /* by us, for this item */
    bool decides;   /* the item is linked by it */
    bool told;      /* its people know that it was removed */
};
static const struct column freed_columns[] = {
    COLUMN(struct freed, item),      COLUMN(struct freed, integration),
    COLUMN(struct freed, entry),     COLUMN(struct freed, external_id),
    COLUMN(struct freed, delivered), COLUMN(struct freed, decides),
    COLUMN(struct freed, told),
};
static const struct shape freed_shape = SHAPE(struct freed, freed_columns);

/* In the order of items, as everybody locks them. */
#define FREED_SQL(condition)                                                                       \
    "SELECT i.id AS item, i.integration_id AS integration, e.id AS entry, e.external_id,"          \
    " l.origin = 'delivered' AS delivered, l.role = 'document' AND i.state = 'linked' AS decides," \
    " i.state <> 'delivered' OR EXISTS (SELECT FROM region.problem p WHERE p.workspace_id = $1"    \
    " AND p.item_id = i.id AND p.code = '" FLAG_REMOVED "') AS told"                               \
    " FROM region.ledger_entry e"                                                                  \
    " JOIN region.link l ON l.workspace_id = $1 AND l.entry_id = e.id"                             \
    " JOIN region.item i ON i.workspace_id = $1 AND i.id = l.item_id"                              \
    " WHERE e.workspace_id = $1 AND e.connection_id = $2 AND " condition                           \
    " ORDER BY i.id, e.id FOR UPDATE OF i"

STATEMENT(freed_own_sql, FREED_SQL("e.external_id = $3 AND e.role = 'document'"
                                   " AND l.origin <> 'delivered' AND i.id <> $4"));
STATEMENT_ROWS(freed_removed_sql, 10 * DB_ROWS_MAX,
               FREED_SQL("e.external_id = ANY($3) AND e.removed"));
STATEMENT(freed_link_sql, "DELETE FROM region.link WHERE workspace_id = $1 AND item_id = $2"
                          " AND entry_id = $3 AND origin <> 'delivered'");

/* A payment that is no longer one: the item stands by itself. */
static enum err free_link(const struct scope *scope, const struct freed *freed, const char *flag)
{
    json_t *detail = json_keep(scope->arena, json_object());
    row_text(detail, "reason", flag);
    row_uuid(scope->arena, detail, "entry_id", freed->entry);
    TRY(db_exec(scope, &freed_link_sql,
                PARAMS(P(scope->workspace), P(freed->item), P(freed->entry)), NULL));
    return audit_append(scope, &(struct audit_entry){.action = "link.freed",
                                                     .subject_kind = "item",
                                                     .subject = freed->item,
                                                     .detail = json_write(scope->arena, detail)});
}

static enum err free_all(const struct scope *scope, const struct rows *rows, const char *flag,
                         const char *reason)
{
    const struct freed *freed = rows->at;
    for (size_t i = 0; i < rows->count; i++) {
        if (freed[i].delivered)
            continue;
        TRY(freed[i].decides ? review_unlink(scope, freed[i].item, flag, reason)
                             : free_link(scope, &freed[i], flag));
    }
    return OK;
}

static enum err own(const struct scope *scope, void *arg)
{
    const struct own_document *document = arg;
    struct rows rows;
    TRY(db_all(scope, &freed_own_sql,
               PARAMS(P(scope->workspace), P(document->connection), P(document->external_id),
                      P(document->owner)),
               &freed_shape, &rows));
    return free_all(scope, &rows, FLAG_OWN,
                    "The entry that it was linked to is a document that Sluice delivered for "
                    "another record.");
}

enum err entry_own(const struct scope *scope, const struct own_document *document)
{
    struct own_document copy = *document;
    return db_transaction(scope, own, &copy);
}

/* ---- removed at the target ---- */

/* It was delivered, and stays so: what is gone at the target is for a person to judge. */
static enum err tell_of_removed(const struct scope *scope, const struct freed *freed)
{
    struct problem_order problem = {
        .code = FLAG_REMOVED,
        .text =
            "The document that was delivered for this is no longer in the target's books. It is "
            "not sent again by itself.",
        .item = freed->item,
        .integration = freed->integration,
        .detail = freed->external_id,
        .warning = true,
    };
    return problem_open(scope, &problem);
}

struct removing {
    struct uuid connection;
    struct text_list external_ids;
};

static enum err removed(const struct scope *scope, void *arg)
{
    const struct removing *removing = arg;
    struct rows rows;
    TRY(db_all(scope, &freed_removed_sql,
               PARAMS(P(scope->workspace), P(removing->connection), P(removing->external_ids)),
               &freed_shape, &rows));
    const struct freed *freed = rows.at;
    for (size_t i = 0; i < rows.count; i++) {
        if (freed[i].delivered && !freed[i].told)
            TRY(tell_of_removed(scope, &freed[i]));
    }
    return free_all(scope, &rows, FLAG_REMOVED,
                    "The entry that it was linked to is no longer in the target's books.");
}

enum err entries_removed(const struct scope *scope, struct uuid connection,
                         struct text_list external_ids)
{
    struct removing removing = {connection, external_ids};
    return external_ids.n == 0 ? OK : db_transaction(scope, removed, &removing);
}
