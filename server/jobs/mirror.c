/* Job "mirror": keeps the ledger entries of a target fresh. */
#include "base/text.h"
#include "jobs/stream_job.h"
#include "store/ledger.h"

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

static struct mirrored_page page_of(const struct stream_page *page,
                                    const struct mirror_page *mirrored)
{
    struct ledger_row *rows = arena_array(page->arena, mirrored->count, sizeof *rows);
    for (size_t i = 0; i < mirrored->count; i++)
        rows[i] = row_of(page->arena, &mirrored->entries[i]);
    return (struct mirrored_page){
        .stream = page->stream.id,
        .connection = page->stream.connection,
        .pages = page->stream.pages,
        .rows = rows,
        .count = mirrored->count,
        .next_marker = mirrored->next_marker,
        .complete = !mirrored->more,
    };
}

static enum err store(const struct scope *scope, void *arg)
{
    return ledger_mirror_page(scope, arg);
}

static enum err mirror_page(struct stream_page *page)
{
    struct mirror_request request = {
        .stream = page->stream.name,
        .marker = page->stream.marker,
        .reach = page->stream.reach,
        .rows_max = STREAM_ROWS_PER_PAGE,
    };
    struct mirror_page mirrored = {0};
    TRY(page->session->provider->target->mirror(&page->session->call, &request, &mirrored));
    struct mirrored_page stored = page_of(page, &mirrored);
    page->more = mirrored.more;
    return stream_page_database(page, store, &stored);
}

enum err job_mirror(struct job_context *ctx)
{
    return stream_job_run(ctx, mirror_page);
}
