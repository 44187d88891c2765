/* What the workspace was told. */
#include "handlers/handlers.h"
#include "handlers/listing.h"
#include "store/problem.h"

struct notification_query {
    struct page page;
};
static const struct input_field list_fields[] = {PAGE_FIELDS(struct notification_query, page)};

static void out_notification(struct json_out *out, const struct notification *notification)
{
    out_object(out, NULL);
    out_uuid(out, "id", notification->id);
    out_text(out, "event", notification->event);
    out_text(out, "text", notification->text);
    out_uuid_or_null(out, "integration_id", notification->integration_id);
    out_uuid_or_null(out, "connection_id", notification->connection_id);
    out_uuid_or_null(out, "item_id", notification->item_id);
    out_uuid_or_null(out, "problem_id", notification->problem_id);
    out_instant(out, "created_at", notification->created_at);
    out_end(out);
}

/* A key sees what is for everybody. */
enum err api_notification_list(struct request *req)
{
    struct notification_query query = {.page = PAGE_DEFAULT};
    struct rows rows;
    TRY(list_read(req, list_fields, COUNT(list_fields), &query, &query.page));
    bool person = req->principal.kind == PRINCIPAL_USER;
    TRY(notification_list(req->scope, person ? req->principal.id : (struct uuid){{0}},
                          query.page.after.id, query.page.limit + 1, &rows));
    const struct notification *notifications = rows.at;
    size_t shown = page_shown(&query.page, rows.count);
    struct json_out out = list_begin(req);
    for (size_t i = 0; i < shown; i++)
        out_notification(&out, &notifications[i]);
    struct cursor next = {.id = shown ? notifications[shown - 1].id : (struct uuid){{0}}};
    return list_end(req, &out, shown < rows.count ? &next : NULL);
}
