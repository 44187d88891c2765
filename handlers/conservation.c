/* The proof that nothing was lost. */
#include "store/conservation.h"

#include "base/text.h"
#include "handlers/handlers.h"
#include "handlers/listing.h"

struct conservation_input {
    struct page page;
    struct uuid integration;
    struct date from;
    struct date to;
    int state;
};

static void out_terms(struct json_out *out, const struct conservation *proof)
{
    out_object(out, "terms");
    out_int(out, "seen", proof->seen);
    for (size_t term = 0; conservation_terms[term]; term++) {
        int64_t n = 0;
        for (unsigned state = 0; state < ITEM_STATES; state++) {
            if (text_equal(item_machine.terms[state], conservation_terms[term]))
                n += proof->states[state];
        }
        out_int(out, conservation_terms[term], n);
    }
    out_end(out);
}

static void out_checks(struct json_out *out, const struct conservation *proof)
{
    out_array(out, "checks");
    for (size_t i = 0; i < CONSERVATION_CHECKS; i++) {
        const struct conservation_check *check = &proof->checks[i];
        out_object(out, NULL);
        out_text(out, "code", check->code);
        out_int(out, "left", check->left);
        out_int(out, "right", check->right);
        out_int(out, "difference", llabs(check->left - check->right));
        out_end(out);
    }
    out_end(out);
}

static void out_pages(struct json_out *out, const struct conservation *proof)
{
    out_object(out, "pages");
    out_int(out, "pages", proof->pages);
    out_int(out, "rows_received", proof->rows_received);
    out_int(out, "items_inserted", proof->inserted);
    out_int(out, "unchanged", proof->unchanged);
    out_int(out, "quarantined", proof->quarantined);
    out_end(out);
}

static enum err out_ids(struct request *req, struct json_out *out,
                        const struct conservation_input *in,
                        const struct conservation_period *period)
{
    struct rows rows;
    if (in->state == WORD_ABSENT) {
        out_null(out, "ids");
        return OK;
    }
    TRY(conservation_ids(req->scope, period, (enum item_state)in->state, in->page.after.id,
                         in->page.limit + 1, &rows));
    const struct conservation_id *ids = rows.at;
    size_t shown = page_shown(&in->page, rows.count);
    out_object(out, "ids");
    out_text(out, "state", machine_name(&item_machine, (unsigned)in->state));
    out_array(out, "data");
    for (size_t i = 0; i < shown; i++)
        out_uuid(out, NULL, ids[i].id);
    out_end(out);
    struct cursor next = {.id = shown ? ids[shown - 1].id : (struct uuid){{0}}};
    out_text(out, "next_cursor", shown < rows.count ? list_cursor(req, &next) : NULL);
    out_end(out);
    return OK;
}

static enum err read_input(struct request *req, struct conservation_input *into)
{
    const struct input_field fields[] = {
        PAGE_FIELDS(struct conservation_input, page),
        FIELD_UUID("integration_id", struct conservation_input, integration, OPTIONAL),
        FIELD_DATE("from", struct conservation_input, from, OPTIONAL),
        FIELD_DATE("to", struct conservation_input, to, OPTIONAL),
        FIELD_WORD("state", struct conservation_input, state, item_machine.names, OPTIONAL),
    };
    TRY(list_read(req, fields, COUNT(fields), into, &into->page));
    if (into->from.days != DATE_NONE && into->to.days != DATE_NONE &&
        into->from.days > into->to.days)
        return arena_fail(req->arena, ERR_PARAMETER_INVALID, "to",
                          "The period ends before it begins.");
    return OK;
}

enum err api_conservation_get(struct request *req)
{
    struct conservation_input in = {
        .page = PAGE_DEFAULT, .from = {DATE_NONE}, .to = {DATE_NONE}, .state = WORD_ABSENT};
    struct conservation proof;
    TRY(read_input(req, &in));
    struct conservation_period period = {in.integration, in.from, in.to};
    TRY(conservation_get(req->scope, &period, &proof));
    struct json_out out = reply_begin(req);
    out_uuid_or_null(&out, "integration_id", in.integration);
    out_date(&out, "from", in.from);
    out_date(&out, "to", in.to);
    out_instant(&out, "as_of", req->now);
    out_terms(&out, &proof);
    out_int(&out, "unexplained", proof.unexplained);
    out_int(&out, "unconfirmed", proof.unconfirmed);
    out_checks(&out, &proof);
    out_pages(&out, &proof);
    TRY(out_ids(req, &out, &in, &period));
    return reply_end(req, 200, &out);
}
