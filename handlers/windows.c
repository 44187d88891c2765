/* The batches that an integration's items were decided in. */
#include "handlers/handlers.h"
#include "handlers/listing.h"
#include "handlers/view.h"
#include "store/machines.h"
#include "store/window_read.h"

static const char *const kind_words[] = {"live", "poll", "backfill", NULL};

struct window_query {
    struct page page;
    int state;
    int kind;
};

void out_window(struct json_out *out, const struct window_view *window)
{
    out_object(out, NULL);
    out_uuid(out, "id", window->id);
    out_uuid(out, "integration_id", window->integration);
    out_text(out, "kind", window->kind);
    out_text(out, "state", window->state);
    out_int(out, "item_count", window->item_count);
    out_instant(out, "opened_at", window->opened_at);
    out_instant(out, "closes_at", window->closes_at);
    out_instant(out, "closed_at", window->closed_at);
    out_instant(out, "done_at", window->done_at);
    out_end(out);
}

enum err api_window_list(struct request *req)
{
    const struct input_field fields[] = {
        PAGE_FIELDS(struct window_query, page),
        FIELD_WORD("state", struct window_query, state, window_machine.names, OPTIONAL),
        FIELD_WORD("kind", struct window_query, kind, kind_words, OPTIONAL),
    };
    struct window_query query = {.page = PAGE_DEFAULT, .state = WORD_ABSENT, .kind = WORD_ABSENT};
    struct rows rows;
    TRY(list_read(req, fields, COUNT(fields), &query, &query.page));
    struct window_filter filter = {
        .integration = request_uuid(req, "integration_id"),
        .state = word_or_null(window_machine.names, query.state),
        .kind = word_or_null(kind_words, query.kind),
    };
    struct list_page page = list_page_of(&query.page);
    TRY(windows_list(req->scope, &filter, &page, &rows));
    const struct window_view *windows = rows.at;
    size_t shown = page_shown(&query.page, rows.count);
    struct json_out out = list_begin(req);
    for (size_t i = 0; i < shown; i++)
        out_window(&out, &windows[i]);
    struct cursor next = {.id = shown ? windows[shown - 1].id : (struct uuid){{0}}};
    return list_end(req, &out, shown < rows.count ? &next : NULL);
}
