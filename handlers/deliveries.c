/* The intended writes to targets, and how far each has come. */
#include "handlers/handlers.h"
#include "handlers/listing.h"
#include "handlers/view.h"
#include "store/delivery_resolve.h"
#include "store/machines.h"

enum { EXTERNAL_ID_CHARS_MAX = 255 };

struct delivery_query {
    struct page page;
    struct uuid integration;
    int state;
    struct uuid item;
};

enum err api_delivery_list(struct request *req)
{
    const struct input_field fields[] = {
        PAGE_FIELDS(struct delivery_query, page),
        FIELD_UUID("integration_id", struct delivery_query, integration, OPTIONAL),
        FIELD_WORD("state", struct delivery_query, state, delivery_machine.names, OPTIONAL),
        FIELD_UUID("item_id", struct delivery_query, item, OPTIONAL),
    };
    struct delivery_query query = {.page = PAGE_DEFAULT, .state = WORD_ABSENT};
    struct rows rows;
    TRY(list_read(req, fields, COUNT(fields), &query, &query.page));
    struct delivery_filter filter = {
        .integration = query.integration,
        .state = word_or_null(delivery_machine.names, query.state),
        .item = query.item,
    };
    struct list_page page = list_page_of(&query.page);
    TRY(deliveries_list(req->scope, &filter, &page, &rows));
    const struct delivery_view *deliveries = rows.at;
    size_t shown = page_shown(&query.page, rows.count);
    struct json_out out = list_begin(req);
    for (size_t i = 0; i < shown; i++) {
        out_object(&out, NULL);
        out_delivery(&out, &deliveries[i]);
        out_end(&out);
    }
    struct cursor next = {.id = shown ? deliveries[shown - 1].id : (struct uuid){{0}}};
    return list_end(req, &out, shown < rows.count ? &next : NULL);
}

static void out_attempt(struct json_out *out, const struct attempt_view *attempt)
{
    out_object(out, NULL);
    out_int(out, "n", attempt->n);
    out_instant(out, "started_at", attempt->started_at);
    out_instant(out, "look_after", attempt->look_after);
    out_instant(out, "finished_at", attempt->finished_at);
    out_text(out, "status", attempt->status);
    if (attempt->http_status)
        out_int(out, "http_status", attempt->http_status);
    else
        out_null(out, "http_status");
    out_text(out, "excerpt", attempt->excerpt);
    out_end(out);
}

enum err api_delivery_get(struct request *req)
{
    struct uuid id = request_uuid(req, "delivery_id");
    struct delivery_view delivery;
    struct rows rows;
    TRY(delivery_view_get(req->scope, id, &delivery));
    TRY(attempts_of_delivery(req->scope, id, &rows));
    const struct attempt_view *attempts = rows.at;
    struct json_out out = reply_begin(req);
    out_delivery(&out, &delivery);
    out_array(&out, "attempts");
    for (size_t i = 0; i < rows.count; i++)
        out_attempt(&out, &attempts[i]);
    out_end(&out);
    return reply_end(req, 200, &out);
}

static const char *const outcome_words[] = {"arrived", "resend", NULL};
enum { OUTCOME_ARRIVED, OUTCOME_RESEND };

struct resolve_input {
    int outcome;
    const char *external_id;
};
static const struct input_field resolve_fields[] = {
    FIELD_WORD("outcome", struct resolve_input, outcome, outcome_words, REQUIRED),
    FIELD_TEXT("external_id", struct resolve_input, external_id, 1, EXTERNAL_ID_CHARS_MAX,
               OPTIONAL),
};

enum err api_delivery_resolve(struct request *req)
{
    struct resolve_input in = {0};
    struct delivery_view delivery;
    struct uuid id = request_uuid(req, "delivery_id");
    TRY(json_read(req, resolve_fields, COUNT(resolve_fields), &in));
    if (in.outcome == OUTCOME_RESEND && in.external_id)
        return arena_fail(req->arena, ERR_FIELD_INVALID, "external_id",
                          "What is to be sent again has no id at the target.");
    if (in.outcome == OUTCOME_ARRIVED)
        TRY(delivery_arrived(req->scope, id, in.external_id, &delivery));
    else
        TRY(delivery_resend(req->scope, id, &delivery));
    struct json_out out = reply_begin(req);
    out_delivery(&out, &delivery);
    return reply_end(req, 200, &out);
}
