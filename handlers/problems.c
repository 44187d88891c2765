/* What went wrong and needs a person. */
#include "base/text.h"
#include "handlers/handlers.h"
#include "handlers/listing.h"
#include "handlers/view.h"
#include "store/problem_work.h"

enum {
    REASON_CHARS_MAX = 2000,
    CORRECTIONS_MAX = 50,
    CORRECTION_NAME_CHARS_MAX = 100,
    CORRECTION_VALUE_CHARS_MAX = 2000,
    CORRECTIONS_BYTES_MAX = 256 * 1024,
};

struct problem_query {
    struct page page;
    struct uuid integration;
    int state;
    const char *code;
};

enum err api_problem_list(struct request *req)
{
    const struct input_field fields[] = {
        PAGE_FIELDS(struct problem_query, page),
        FIELD_UUID("integration_id", struct problem_query, integration, OPTIONAL),
        FIELD_WORD("state", struct problem_query, state, problem_machine.names, OPTIONAL),
        FIELD_TEXT("code", struct problem_query, code, 1, CODE_CHARS_MAX, OPTIONAL),
    };
    struct problem_query query = {.page = PAGE_DEFAULT, .state = WORD_ABSENT};
    struct rows rows;
    TRY(list_read(req, fields, COUNT(fields), &query, &query.page));
    const char *state = word_or_null(problem_machine.names, query.state);
    struct problem_filter filter = {
        .state = state ? state : "unresolved",
        .integration = query.integration,
        .code = query.code,
        .before = query.page.after.id,
        .limit = query.page.limit + 1,
    };
    TRY(problem_list(req->scope, &filter, &rows));
    const struct problem *problems = rows.at;
    size_t shown = page_shown(&query.page, rows.count);
    struct json_out out = list_begin(req);
    for (size_t i = 0; i < shown; i++) {
        out_object(&out, NULL);
        out_problem(&out, &problems[i]);
        out_end(&out);
    }
    struct cursor next = {.id = shown ? problems[shown - 1].id : (struct uuid){{0}}};
    return list_end(req, &out, shown < rows.count ? &next : NULL);
}

static enum err reply_problem(struct request *req, const struct problem *problem)
{
    struct json_out out = reply_begin(req);
    out_problem(&out, problem);
    return reply_end(req, 200, &out);
}

/* ---- retry ---- */

struct retry_input {
    const json_t *fields;
};
static const struct input_field retry_fields[] = {
    FIELD_JSON("fields", struct retry_input, fields, CORRECTIONS_BYTES_MAX, OPTIONAL),
};

struct corrections {
    struct corrected_field *at;
    size_t n;
};

static enum err refuse(struct request *req, const char *name, const char *sentence)
{
    return arena_fail(req->arena, ERR_FIELD_INVALID, arena_format(req->arena, "fields.%s", name),
                      "%s", sentence);
}

static enum err read_corrections(struct request *req, const json_t *object,
                                 struct corrections *into)
{
    size_t count = json_object_size(object);
    if (count > CORRECTIONS_MAX)
        return arena_fail(req->arena, ERR_FIELD_INVALID, "fields", "Expected at most %d fields.",
                          CORRECTIONS_MAX);
    *into = (struct corrections){.at = arena_array(req->arena, count, sizeof *into->at)};
    for (void *at = json_object_iter((json_t *)(uintptr_t)object); at;
         at = json_object_iter_next((json_t *)(uintptr_t)object, at)) {
        const char *name = json_object_iter_key(at);
        const char *value = json_string_value(json_object_iter_value(at));
        if (text_blank(name) || utf8_length(name) > CORRECTION_NAME_CHARS_MAX)
            return refuse(req, name, "Expected a name of 1 to 100 characters.");
        if (!value || utf8_length(value) > CORRECTION_VALUE_CHARS_MAX)
            return refuse(req, name, "Expected text of at most 2000 characters.");
        into->at[into->n++] =
            (struct corrected_field){arena_text(req->arena, name), arena_text(req->arena, value)};
    }
    return OK;
}

enum err api_problem_retry(struct request *req)
{
    struct retry_input in = {0};
    struct corrections corrections = {0};
    struct problem problem;
    TRY(json_read(req, retry_fields, COUNT(retry_fields), &in));
    if (in.fields)
        TRY(read_corrections(req, in.fields, &corrections));
    TRY(problem_work_retry(req->scope, request_uuid(req, "problem_id"), corrections.at,
                           corrections.n, &problem));
    return reply_problem(req, &problem);
}

struct dismiss_input {
    const char *reason;
};
static const struct input_field dismiss_fields[] = {
    FIELD_NOTE("reason", struct dismiss_input, reason, 1, REASON_CHARS_MAX, REQUIRED),
};

enum err api_problem_dismiss(struct request *req)
{
    struct dismiss_input in = {0};
    struct problem problem;
    TRY(json_read(req, dismiss_fields, COUNT(dismiss_fields), &in));
    TRY(problem_work_dismiss(req->scope, request_uuid(req, "problem_id"), in.reason, &problem));
    return reply_problem(req, &problem);
}

/* ---- reopen ---- */

enum err api_problem_reopen(struct request *req)
{
    struct problem problem;
    TRY(json_read_nothing(req));
    TRY(problem_work_reopen(req->scope, request_uuid(req, "problem_id"), &problem));
    return reply_problem(req, &problem);
}
