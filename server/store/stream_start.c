#include "store/stream_start.h"

#include "base/text.h"
#include "store/queue.h"

STATEMENT(stream_unpause_sql, "UPDATE region.stream SET paused = false"
                              " WHERE workspace_id = $1 AND id = $2 AND paused");

/* One unfinished job per stream: a waiting one is pulled forward. */
static enum err read_now(const struct scope *scope, const struct stream *stream,
                         const char *purpose)
{
    bool mirror = text_equal(purpose, PURPOSE_MIRROR);
    const struct job_order job = {
        .kind = mirror ? JOB_MIRROR : JOB_SYNC,
        .connection = stream->connection,
        .subject = stream->id,
        .dedupe = arena_format(scope->arena, "%s:%s", mirror ? "mirror" : "sync",
                               uuid_format(scope->arena, stream->id)),
    };
    return queue_enqueue(scope, &job);
}

enum err stream_start(const struct scope *scope, const struct stream *wanted, const char *purpose)
{
    struct stream stream = *wanted;
    TRY(stream_ensure(scope, wanted, purpose, &stream.id));
    TRY(db_exec(scope, &stream_unpause_sql, PARAMS(P(scope->workspace), P(stream.id)), NULL));
    return read_now(scope, &stream, purpose);
}

enum err streams_read_now(const struct scope *scope, const struct stream *account,
                          const char *purpose, int64_t *count)
{
    struct rows rows;
    TRY(streams_of_account(scope, account, purpose, &rows));
    const struct stream *streams = rows.at;
    for (size_t i = 0; i < rows.count; i++)
        TRY(read_now(scope, &streams[i], purpose));
    *count = (int64_t)rows.count;
    return OK;
}
