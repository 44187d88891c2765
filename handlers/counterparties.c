/* The companies and persons that records are about. */
#include "base/text.h"
#include "handlers/handlers.h"
#include "handlers/listing.h"
#include "handlers/view.h"
#include "matcher/normalise.h"
#include "store/counterparty_read.h"

struct counterparty_query {
    struct page page;
    const char *text;
};
static const struct input_field list_fields[] = {
    PAGE_FIELDS(struct counterparty_query, page),
    FIELD_TEXT("text", struct counterparty_query, text, 1, SEARCH_CHARS_MAX, OPTIONAL),
};

/* Names are looked for in the form in which they are stored. */
static enum err find_counterparties(struct request *req, const struct counterparty_query *query,
                                    struct rows *rows)
{
    struct list_page page = list_page_of(&query->page);
    if (!query->text)
        return counterparties_list(req->scope, &page, rows);
    const char *core = name_core(req->arena, query->text);
    return counterparties_search(req->scope, core ? core : query->text, query->page.limit, rows);
}

static void out_counterparty_fields(struct json_out *out,
                                    const struct counterparty_view *counterparty)
{
    out_uuid(out, "id", counterparty->id);
    out_text(out, "name", counterparty->name);
    out_text(out, "country", counterparty->country);
    out_instant(out, "created_at", counterparty->created_at);
    out_instant(out, "updated_at", counterparty->updated_at);
}

enum err api_counterparty_list(struct request *req)
{
    struct counterparty_query query = {.page = PAGE_DEFAULT};
    struct rows rows;
    TRY(list_read(req, list_fields, COUNT(list_fields), &query, &query.page));
    TRY(find_counterparties(req, &query, &rows));
    const struct counterparty_view *counterparties = rows.at;
    size_t shown = page_shown(&query.page, rows.count);
    struct json_out out = list_begin(req);
    for (size_t i = 0; i < shown; i++) {
        out_object(&out, NULL);
        out_counterparty_fields(&out, &counterparties[i]);
        out_end(&out);
    }
    struct cursor next = {.id = shown ? counterparties[shown - 1].id : (struct uuid){{0}}};
    return list_end(req, &out, shown < rows.count ? &next : NULL);
}

static void out_identifiers(struct json_out *out, const struct rows *rows)
{
    const struct identifier_view *identifiers = rows->at;
    out_array(out, "identifiers");
    for (size_t i = 0; i < rows->count; i++) {
        out_object(out, NULL);
        out_text(out, "scheme", identifiers[i].scheme);
        out_text(out, "value", identifiers[i].value);
        out_actor(out, "taught_by", &identifiers[i].taught_by);
        out_instant(out, "created_at", identifiers[i].created_at);
        out_end(out);
    }
    out_end(out);
}

static void out_aliases(struct json_out *out, const struct rows *rows)
{
    const struct alias_view *aliases = rows->at;
    out_array(out, "aliases");
    for (size_t i = 0; i < rows->count; i++) {
        out_object(out, NULL);
        out_text(out, "name", aliases[i].name);
        out_bool(out, "confirmed", aliases[i].confirmed);
        out_actor(out, "taught_by", &aliases[i].taught_by);
        out_instant(out, "created_at", aliases[i].created_at);
        out_end(out);
    }
    out_end(out);
}

enum err api_counterparty_get(struct request *req)
{
    struct uuid id = request_uuid(req, "counterparty_id");
    struct counterparty_view counterparty;
    struct rows identifiers, aliases;
    TRY(counterparty_get(req->scope, id, &counterparty));
    TRY(counterparty_identifiers(req->scope, id, &identifiers));
    TRY(counterparty_aliases(req->scope, id, &aliases));
    struct json_out out = reply_begin(req);
    out_counterparty_fields(&out, &counterparty);
    out_identifiers(&out, &identifiers);
    out_aliases(&out, &aliases);
    return reply_end(req, 200, &out);
}
