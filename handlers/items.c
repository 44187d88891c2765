/* Items: record versions as the integrations see them. */
#include "handlers/handlers.h"
#include "handlers/listing.h"
#include "handlers/view.h"
#include "store/machines.h"

struct item_query {
    struct page page;
    struct range_query range;
    struct uuid integration;
    int state;
    int band;
    int kind;
    const char *text;
};

static enum err find_items(struct request *req, const struct item_query *query, struct rows *rows)
{
    struct item_filter filter = {
        .integration = query->integration,
        .state = word_or_null(item_machine.names, query->state),
        .band = word_or_null(band_words, query->band),
        .kind = word_or_null(record_kind_words, query->kind),
        .text = query->text,
    };
    TRY(range_read(req, &query->range, &filter.range));
    struct list_page page = list_page_of(&query->page);
    return query->text ? items_search(req->scope, &filter, query->page.limit, rows)
                       : items_list(req->scope, &filter, &page, rows);
}

enum err api_item_list(struct request *req)
{
    const struct input_field fields[] = {
        PAGE_FIELDS(struct item_query, page),
        RANGE_FIELDS(struct item_query, range),
        FIELD_UUID("integration_id", struct item_query, integration, OPTIONAL),
        FIELD_WORD("state", struct item_query, state, item_machine.names, OPTIONAL),
        FIELD_WORD("band", struct item_query, band, band_words, OPTIONAL),
        FIELD_WORD("kind", struct item_query, kind, record_kind_words, OPTIONAL),
        FIELD_TEXT("text", struct item_query, text, 1, SEARCH_CHARS_MAX, OPTIONAL),
    };
    struct item_query query = {.page = PAGE_DEFAULT,
                               .range = RANGE_DEFAULT,
                               .state = WORD_ABSENT,
                               .band = WORD_ABSENT,
                               .kind = WORD_ABSENT};
    struct rows rows;
    TRY(list_read(req, fields, COUNT(fields), &query, &query.page));
    TRY(find_items(req, &query, &rows));
    const struct item_view *items = rows.at;
    size_t shown = page_shown(&query.page, rows.count);
    struct json_out out = list_begin(req);
    for (size_t i = 0; i < shown; i++) {
        out_object(&out, NULL);
        out_item(&out, &items[i], req->now);
        out_end(&out);
    }
    struct cursor next = {.id = shown ? items[shown - 1].id : (struct uuid){{0}}};
    return list_end(req, &out, shown < rows.count ? &next : NULL);
}

/* ---- one item ---- */

struct item_parts {
    struct item_view item;
    struct decisions_view machine;
    struct rows decisions;
    struct rows deliveries;
    struct rows problems;
    struct rows actions;
    const char *changes;
};

static enum err read_parts(const struct scope *scope, struct uuid id, struct item_parts *into)
{
    TRY(item_get(scope, id, &into->item));
    struct uuid_list items = {&id, 1};
    TRY(record_version_changes(scope, into->item.record, into->item.version, &into->changes));
    TRY(decisions_of_items(scope, items, CANDIDATES_SHOWN_MAX, &into->machine));
    TRY(decisions_of_item(scope, id, &into->decisions));
    struct delivery_filter deliveries = {.item = id};
    struct list_page page = {.rows = DELIVERIES_OF_ITEM_MAX};
    TRY(deliveries_list(scope, &deliveries, &page, &into->deliveries));
    struct problem_filter problems = {.item = id, .limit = ITEM_PARTS_MAX};
    TRY(problem_list(scope, &problems, &into->problems));
    return actions_of_item(scope, id, &into->actions);
}

static void out_decisions(struct json_out *out, const struct rows *rows)
{
    const struct decision_view *decisions = rows->at;
    out_array(out, "decisions");
    for (size_t i = 0; i < rows->count; i++) {
        out_object(out, NULL);
        out_decision_summary(out, &decisions[i]);
        out_end(out);
    }
    out_end(out);
}

static void out_deliveries(struct json_out *out, const struct rows *rows)
{
    const struct delivery_view *deliveries = rows->at;
    out_array(out, "deliveries");
    for (size_t i = 0; i < rows->count; i++) {
        out_object(out, NULL);
        out_delivery(out, &deliveries[i]);
        out_end(out);
    }
    out_end(out);
}

static void out_problems(struct json_out *out, const struct rows *rows)
{
    const struct problem *problems = rows->at;
    out_array(out, "problems");
    for (size_t i = 0; i < rows->count; i++) {
        out_object(out, NULL);
        out_problem(out, &problems[i]);
        out_end(out);
    }
    out_end(out);
}

static void out_actions(struct json_out *out, const struct rows *rows)
{
    const struct action_view *actions = rows->at;
    out_array(out, "history");
    for (size_t i = 0; i < rows->count; i++) {
        out_object(out, NULL);
        out_action(out, &actions[i]);
        out_end(out);
    }
    out_end(out);
}

enum err api_item_get(struct request *req)
{
    struct item_parts parts;
    TRY(read_parts(req->scope, request_uuid(req, "item_id"), &parts));
    struct json_out out = reply_begin(req);
    out_item(&out, &parts.item, req->now);
    out_json(&out, "changes", parts.changes);
    TRY(out_decision(&out, "decision", &parts.machine, parts.item.id));
    out_decisions(&out, &parts.decisions);
    out_deliveries(&out, &parts.deliveries);
    out_problems(&out, &parts.problems);
    out_actions(&out, &parts.actions);
    reply_etag(req, parts.item.row_version);
    return reply_end(req, 200, &out);
}
