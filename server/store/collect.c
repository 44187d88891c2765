#include "store/collect.h"

#include "base/text.h"
#include "store/audit.h"
#include "store/collect_rows.h"

/* A page while it is stored. Arrays run parallel to the page's records. */
struct collecting {
    const struct collected_page *page;
    struct rows streams; /* of the account, locked */
    struct row_plan *plans;
    struct rows integrations; /* of struct collecting_integration */
    struct instant now;
    struct collected *result;
};

static const struct stream *stream_named(const struct collecting *collecting, const char *name)
{
    const struct stream *streams = collecting->streams.at;
    for (size_t i = 0; i < collecting->streams.count; i++) {
        if (text_equal(streams[i].name, name))
            return &streams[i];
    }
    return NULL;
}

static enum err lock_streams(const struct scope *scope, struct collecting *collecting)
{
    TRY(streams_lock(scope, collecting->page->stream, &collecting->streams));
    const struct stream *streams = collecting->streams.at;
    for (size_t i = 0; i < collecting->streams.count; i++) {
        if (uuid_equal(streams[i].id, collecting->page->stream) &&
            streams[i].pages == collecting->page->pages)
            return OK;
    }
    return arena_fail(scope->arena, ERR_CONFLICT, NULL, "The stream moved on meanwhile.");
}

/* The last of several rows about one source object counts; the earlier ones are as if unchanged. */
static bool repeated_later(const struct collected_page *page, size_t at)
{
    for (size_t i = at + 1; i < page->count; i++) {
        if (text_equal(page->records[i].source_id, page->records[at].source_id) &&
            text_equal(page->records[i].stream, page->records[at].stream))
            return true;
    }
    return false;
}

static enum err plan_rows(const struct scope *scope, struct collecting *collecting)
{
    const struct collected_page *page = collecting->page;
    collecting->plans = arena_array(scope->arena, page->count, sizeof *collecting->plans);
    for (size_t i = 0; i < page->count; i++) {
        struct row_plan *plan = &collecting->plans[i];
        const struct stream *stream = stream_named(collecting, page->records[i].stream);
        if (!stream)
            return arena_fail(scope->arena, ERR_INTERNAL, NULL, "There is no stream %s.",
                              page->records[i].stream);
        plan->record = &page->records[i];
        plan->stream = stream->id;
        plan->repeated = repeated_later(page, i);
    }
    return rows_compare(scope, collecting->plans, page->count);
}

static enum err store_rows(const struct scope *scope, struct collecting *collecting)
{
    size_t n = collecting->page->count;
    TRY(rows_insert_records(scope, collecting->plans, n));
    TRY(rows_insert_versions(scope, collecting->plans, n));
    TRY(rows_touch_versions(scope, collecting->plans, n));
    return rows_insert_history(scope, collecting->plans, n);
}

static enum err store_items(const struct scope *scope, struct collecting *collecting)
{
    const struct collected_page *page = collecting->page;
    TRY(integrations_of_stream(scope, page->stream, &collecting->integrations));
    struct collecting_integration *integrations = collecting->integrations.at;
    for (size_t i = 0; i < collecting->integrations.count; i++) {
        struct item_order order = {
            .integration = &integrations[i],
            .plans = collecting->plans,
            .count = page->count,
            .live_window_s = page->live_window_s,
            .now = collecting->now,
        };
        TRY(items_insert(scope, &order));
        collecting->result->items += order.inserted;
    }
    return OK;
}

/* A source that is polled says again and again what is stored already: such a page leaves no rows,
 * its stream has the time and the number. */
static bool brings_news(const struct collecting *collecting)
{
    for (size_t i = 0; i < collecting->page->count; i++) {
        if (collecting->plans[i].change != ROW_SAME)
            return true;
    }
    return false;
}

static void note_counts(struct collecting *collecting, struct page_counts *counts)
{
    /* Rows that the map folded away (the provider sent one object twice) changed nothing. */
    counts->unchanged = counts->rows_received - (int64_t)collecting->page->count;
    for (size_t i = 0; i < collecting->page->count; i++) {
        enum row_change change = collecting->plans[i].change;
        counts->inserted += change == ROW_NEW || change == ROW_CHANGED;
        counts->quarantined += change == ROW_QUARANTINED;
        counts->unchanged += change == ROW_SAME || change == ROW_TOUCHED;
    }
    collecting->result->unchanged = counts->unchanged;
    collecting->result->quarantined = counts->quarantined;
}

static enum err count_page(const struct scope *scope, struct collecting *collecting)
{
    struct page_counts counts = {
        .page = db_new_id(scope),
        .stream = collecting->page->stream,
        .rows_received = collecting->page->rows_received,
        .more = !collecting->page->complete,
        .now = collecting->now,
    };
    note_counts(collecting, &counts);
    if (!brings_news(collecting))
        return OK;
    TRY(audit_append(scope, &(struct audit_entry){.action = "page.stored",
                                                  .subject_kind = "stream",
                                                  .subject = collecting->page->stream}));
    return page_counts_insert(scope, &counts, collecting->integrations.at,
                              collecting->integrations.count);
}

static enum err store_page(const struct scope *scope, struct collecting *collecting)
{
    TRY(plan_rows(scope, collecting));
    if (brings_news(collecting)) {
        TRY(store_rows(scope, collecting));
        TRY(store_items(scope, collecting));
    }
    return count_page(scope, collecting);
}

static enum err collect(const struct scope *scope, void *arg)
{
    struct collecting *collecting = arg;
    const struct collected_page *page = collecting->page;
    *collecting->result = (struct collected){0};
    collecting->now = db_now(scope);
    TRY(lock_streams(scope, collecting));
    if (page->rows_received > 0)
        TRY(store_page(scope, collecting));
    struct stream_step step = {page->stream, page->pages, page->next_marker, page->complete,
                               page->rows_received};
    return stream_advance(scope, &step);
}

enum err collect_page(const struct scope *scope, const struct collected_page *page,
                      struct collected *into)
{
    struct collecting collecting = {.page = page, .result = into};
    return db_transaction(scope, collect, &collecting);
}
