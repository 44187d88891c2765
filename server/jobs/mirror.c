/* Job "mirror": keeps the ledger entries of a target fresh. */
#include "base/text.h"
#include "jobs/stream_job.h"
#include "store/ledger.h"

enum { PAGES_PER_JOB_MAX = 20, ROWS_PER_PAGE = 100 };

struct mirror_run {
    struct job_context *ctx;
    struct arena *arena;
    struct stream stream;
    struct mirror_page mirrored;
    struct mirrored_page page;
};

static struct ledger_row row_of(struct arena *arena, const struct mirrored_entry *entry)
{
    return (struct ledger_row){
        .role = entry->role == ROLE_DOCUMENT ? "document" : "settlement",
        .external_id = entry->external_id,
        .amount = entry->amount,
        .date = entry->date,
        .due_date = entry->due_date,
        .counterparty_name = entry->counterparty_name,
        .core_name = name_core(arena, entry->counterparty_name),
        .norm_version = NORM_VERSION,
        .counterparty_iban = iban_normalise(arena, entry->counterparty_iban),
        .counterparty_vat_id = vat_normalise(arena, entry->counterparty_vat_id),
        .reference = entry->reference,
        .reference_norm = reference_normalise(arena, entry->reference),
        .description = entry->description,
        .file_name = entry->file_name,
        .state = entry->state,
        .removed = entry->removed,
        .analysed = entry->analysed,
        .target_updated_at = entry->updated_at,
        .raw = entry->raw,
    };
}

static void page_of(struct mirror_run *run)
{
    const struct mirror_page *mirrored = &run->mirrored;
    struct ledger_row *rows = arena_array(run->arena, mirrored->count, sizeof *rows);
    for (size_t i = 0; i < mirrored->count; i++)
        rows[i] = row_of(run->arena, &mirrored->entries[i]);
    run->page = (struct mirrored_page){
        .stream = run->stream.id,
        .connection = run->stream.connection,
        .pages = run->stream.pages,
        .rows = rows,
        .count = mirrored->count,
        .next_marker = mirrored->next_marker,
        .complete = !mirrored->more,
    };
}

static enum err load(const struct scope *scope, void *arg)
{
    struct mirror_run *run = arg;
    struct scope own = *scope;
    own.arena = run->arena;
    return stream_get(&own, run->ctx->job->subject, &run->stream);
}

static enum err store(const struct scope *scope, void *arg)
{
    struct mirror_run *run = arg;
    struct scope own = *scope;
    own.arena = run->arena;
    return ledger_mirror_page(&own, &run->page);
}

static enum err mirror_one(struct session *session, struct mirror_run *run)
{
    TRY(job_database(run->ctx, load, run));
    struct mirror_request request = {
        .stream = run->stream.name,
        .marker = run->stream.marker,
        .reach = run->stream.reach,
        .rows_max = ROWS_PER_PAGE,
    };
    session->call.arena = run->arena;
    TRY(session->provider->target->mirror(&session->call, &request, &run->mirrored));
    page_of(run);
    return job_database(run->ctx, store, run);
}

static enum err mirror_pages(struct job_context *ctx, struct session *session, bool *more)
{
    *more = true;
    for (int page = 0; page < PAGES_PER_JOB_MAX && *more; page++) {
        struct mirror_run run = {.ctx = ctx, .arena = arena_open()};
        enum err error = mirror_one(session, &run);
        *more = run.mirrored.more;
        if (error != OK)
            error = arena_failure_move(ctx->arena, run.arena, error);
        session->call.arena = ctx->arena;
        arena_close(run.arena);
        TRY(error);
    }
    return OK;
}

enum err job_mirror(struct job_context *ctx)
{
    struct stream_job stream_job;
    TRY(stream_job_open(ctx, &stream_job));
    if (stream_job.idle)
        return job_finish(ctx, NULL, NULL);
    bool more = false;
    enum err error = stream_job.opened;
    if (error == OK)
        error = mirror_pages(ctx, &stream_job.session, &more);
    return stream_job_end(&stream_job, error, more);
}
