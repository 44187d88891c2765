/* Job "sync": reads a source stream, page by page, until its end, its budget or an error. */
#include "base/fault.h"
#include "base/text.h"
#include "crypto/crypto.h"
#include "jobs/kinds.h"
#include "jobs/stream_job.h"
#include "store/collect.h"

enum { PAGES_PER_JOB_MAX = 20, ROWS_PER_PAGE = 100, PARTY_BYTES_MAX = 16 * 1024 };

static const char *const posting_names[] = {
    [POSTING_POST] = "post",
    [POSTING_WAIT] = "wait",
    [POSTING_IGNORE] = "ignore",
    [POSTING_CORRECT] = "correct",
};

static void set_text(json_t *object, const char *key, const char *value)
{
    if (value)
        json_object_set_new(object, key, json_string(value));
}

static const char *party_json(struct arena *arena, const struct party *party)
{
    json_t *object = json_keep(arena, json_object());
    set_text(object, "name", party->name);
    set_text(object, "email", party->email);
    set_text(object, "country", party->country);
    set_text(object, "address", party->address);
    set_text(object, "postcode", party->postcode);
    set_text(object, "phone", party->phone);
    set_text(object, "vat_id", party->vat_id);
    set_text(object, "siren", party->siren);
    set_text(object, "iban", party->iban);
    set_text(object, "customer_id", party->customer_id);
    json_object_set_new(object, "company", json_boolean(party->company));
    return json_write(arena, object);
}

/* A correction is a material change of its own, whatever the map counts as material. */
static const char *material_hash(struct arena *arena, const struct source_record *record)
{
    if (record->posting != POSTING_CORRECT)
        return record->material_hash;
    return sha256_text_hex(arena, arena_format(arena, "%s correction", record->material_hash));
}

static struct collected_record collected_of(struct arena *arena, const char *stream,
                                            const struct source_record *record)
{
    struct collected_record row = {
        .stream = stream,
        .source_id = record->source_id,
        .kind = record_kind_name(record->kind),
        .posting = posting_names[record->posting],
        .posting_reason = record->posting_reason,
        .raw = record->raw,
        .source_event_id = record->source_event_id,
        .source_txn_id = record->source_txn_id,
        .parent_source_id = record->parent_source_id,
        .amount = record->amount,
        .fee = record->fee,
        .net = record->net,
        .date = record->date,
        .due_date = record->due_date,
        .occurred_at = record->occurred_at,
        .source_updated_at = record->updated_at,
        .description = record->description,
        .reference = record->reference,
        .reference_norm = reference_normalise(arena, record->reference),
        .party = party_json(arena, &record->counterparty),
        .party_name = record->counterparty.name,
        .party_core = name_core(arena, record->counterparty.name),
        .norm_version = NORM_VERSION,
        .quarantine = record->quarantine,
    };
    row.material_hash = record->quarantine ? record->source_id : material_hash(arena, record);
    return row;
}

/* One page, and the arena that it lives in. */
struct page_run {
    struct job_context *ctx;
    struct arena *arena;
    struct stream stream;
    struct pull_page pulled;
    struct collected_page page;
    struct collected collected;
};

static void page_of(struct page_run *run)
{
    const struct pull_page *pulled = &run->pulled;
    struct collected_record *records = arena_array(run->arena, pulled->count, sizeof *records);
    for (size_t i = 0; i < pulled->count; i++)
        records[i] = collected_of(run->arena, run->stream.name, &pulled->records[i]);
    run->page = (struct collected_page){
        .stream = run->stream.id,
        .pages = run->stream.pages,
        .records = records,
        .count = pulled->count,
        .rows_received = (int64_t)pulled->rows_received,
        .next_marker = pulled->next_marker,
        .complete = !pulled->more,
        .live_window_s = run->ctx->env->live_window_s,
    };
}

/* The page's own arena: a job reads many pages. */
static enum err load(const struct scope *scope, void *arg)
{
    struct page_run *run = arg;
    struct scope own = *scope;
    own.arena = run->arena;
    return stream_get(&own, run->ctx->job->subject, &run->stream);
}

static enum err store(const struct scope *scope, void *arg)
{
    struct page_run *run = arg;
    struct scope own = *scope;
    own.arena = run->arena;
    return collect_page(&own, &run->page, &run->collected);
}

static enum err pull_page(struct session *session, struct page_run *run)
{
    struct job_context *ctx = run->ctx;
    TRY(job_database(ctx, load, run));
    struct pull_request request = {
        .stream = run->stream.name,
        .marker = run->stream.marker,
        .reach = run->stream.reach,
        .rows_max = ROWS_PER_PAGE,
    };
    session->call.arena = run->arena;
    TRY(session->provider->source->pull(&session->call, &request, &run->pulled));
    page_of(run);
    if (fault_point(FAULT_PAGE_PULLED))
        return job_cut(ctx);
    enum err error = job_database(ctx, store, run);
    if (error == OK && fault_point(FAULT_PAGE_STORED))
        return job_cut(ctx);
    if (error == OK && run->page.rows_received > 0)
        log_event(ctx->env->log, LOG_INFO, "page.stored", LOG_U("workspace", ctx->job->workspace),
                  LOG_T("stream", run->stream.name), LOG_N("rows", run->page.rows_received),
                  LOG_N("items", run->collected.items),
                  LOG_N("unchanged", run->collected.unchanged),
                  LOG_N("quarantined", run->collected.quarantined));
    return error;
}

static enum err pull_pages(struct job_context *ctx, struct session *session, bool *more)
{
    *more = true;
    for (int page = 0; page < PAGES_PER_JOB_MAX && *more; page++) {
        struct page_run run = {.ctx = ctx, .arena = arena_open()};
        enum err error = pull_page(session, &run);
        *more = run.pulled.more;
        if (error != OK) /* said once more where the job looks for it */
            error = arena_failure_move(ctx->arena, run.arena, error);
        session->call.arena = ctx->arena;
        arena_close(run.arena);
        TRY(error);
    }
    return OK;
}

enum err job_sync(struct job_context *ctx)
{
    struct stream_job stream_job;
    TRY(stream_job_open(ctx, &stream_job));
    if (stream_job.idle)
        return job_finish(ctx, NULL, NULL);
    bool more = false;
    enum err error = stream_job.opened;
    if (error == OK)
        error = pull_pages(ctx, &stream_job.session, &more);
    return stream_job_end(&stream_job, error, more);
}
