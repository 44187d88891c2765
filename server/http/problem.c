#include "http/problem.h"

#include "http/json_out.h"

enum { PROBLEM_BYTES_MAX = 16 * 1024, RETRY_AFTER_DEFAULT_S = 1 };

/* What failed inside is for the log; whoever called learns that it was not them. */
static bool detail_is_public(enum err err)
{
    return err_status(err) != 500;
}

static void write_problem(struct json_out *out, enum err err, const struct failure *failure,
                          struct uuid request_id, int64_t limit)
{
    bool public = failure->code == err && detail_is_public(err);
    out_object(out, NULL);
    out_text(out, "type", arena_format(out->buf.arena, "urn:sluice:problem:%s", err_slug(err)));
    out_text(out, "title", err_sentence(err));
    out_int(out, "status", err_status(err));
    out_text(out, "code", err_slug(err));
    out_text(out, "detail", public && failure->detail ? failure->detail : err_sentence(err));
    out_uuid(out, "request_id", request_id);
    if (public && failure->field)
        out_text(out, "field", failure->field);
    if (limit > 0)
        out_int(out, "limit", limit);
    out_end(out);
}

void problem_reply(struct arena *arena, enum err err, struct uuid request_id,
                   struct http_reply *reply)
{
    problem_reply_limit(arena, err, request_id, 0, reply);
}

void problem_reply_limit(struct arena *arena, enum err err, struct uuid request_id, int64_t limit,
                         struct http_reply *reply)
{
    assert(err != OK);
    const struct failure *failure = arena_failure(arena);
    struct json_out out = json_out_new(arena, PROBLEM_BYTES_MAX);
    write_problem(&out, err, failure, request_id, limit);
    if (!json_out_complete(&out)) { /* a detail beyond all measure: leave it out */
        out = json_out_new(arena, PROBLEM_BYTES_MAX);
        write_problem(&out, err, &(struct failure){0}, request_id, limit);
    }
    *reply = (struct http_reply){
        .status = err_status(err),
        .content_type = "application/problem+json",
        .body = buf_bytes(&out.buf),
    };
    int64_t retry_after_s = failure->code == err ? failure->retry_after_s : 0;
    if (reply->status == 401)
        http_reply_field(reply, "WWW-Authenticate", "Bearer realm=\"sluice\"");
    if (reply->status == 429 || reply->status == 503)
        http_reply_field(reply, "Retry-After",
                         arena_format(arena, "%" PRId64,
                                      retry_after_s > 0 ? retry_after_s : RETRY_AFTER_DEFAULT_S));
}
