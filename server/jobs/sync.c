/* Job "sync": reads a source stream, page by page, until its end, its budget or an error. */
#include "base/fault.h"
#include "base/text.h"
#include "crypto/crypto.h"
#include "jobs/kinds.h"
#include "jobs/stream_job.h"
#include "store/collect.h"

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

struct storing {
    struct collected_page page;
    struct collected collected;
};

static struct collected_page page_of(const struct stream_page *page, const struct pull_page *pulled)
{
    struct collected_record *records = arena_array(page->arena, pulled->count, sizeof *records);
    for (size_t i = 0; i < pulled->count; i++)
        records[i] = collected_of(page->arena, page->stream.name, &pulled->records[i]);
    return (struct collected_page){
        .stream = page->stream.id,
        .pages = page->stream.pages,
        .records = records,
        .count = pulled->count,
        .rows_received = (int64_t)pulled->rows_received,
        .next_marker = pulled->next_marker,
        .complete = !pulled->more,
        .live_window_s = page->ctx->env->live_window_s,
    };
}

static enum err store(const struct scope *scope, void *arg)
{
    struct storing *storing = arg;
    return collect_page(scope, &storing->page, &storing->collected);
}

static void log_page(const struct stream_page *page, const struct storing *storing)
{
    if (storing->page.rows_received == 0) /* a quiet source is not worth a line */
        return;
    log_event(page->ctx->env->log, LOG_INFO, "page.stored",
              LOG_U("workspace", page->ctx->job->workspace), LOG_T("stream", page->stream.name),
              LOG_N("rows", storing->page.rows_received), LOG_N("items", storing->collected.items),
              LOG_N("unchanged", storing->collected.unchanged),
              LOG_N("quarantined", storing->collected.quarantined));
}

static enum err pull_page(struct stream_page *page)
{
    struct pull_request request = {
        .stream = page->stream.name,
        .marker = page->stream.marker,
        .reach = page->stream.reach,
        .rows_max = STREAM_ROWS_PER_PAGE,
    };
    struct pull_page pulled = {0};
    TRY(page->session->provider->source->pull(&page->session->call, &request, &pulled));
    struct storing storing = {.page = page_of(page, &pulled)};
    page->more = pulled.more;
    if (fault_point(FAULT_PAGE_PULLED))
        return job_cut(page->ctx);
    TRY(stream_page_database(page, store, &storing));
    log_page(page, &storing);
    return fault_point(FAULT_PAGE_STORED) ? job_cut(page->ctx) : OK;
}

enum err job_sync(struct job_context *ctx)
{
    return stream_job_run(ctx, pull_page);
}
