/* The driver for object deltas: a scan of the objects by their time of creation, and behind it a
 * scan of the balance transactions, the one feed of Stripe's that says that an old object moved. */
#include "connectors/stripe/stripe_pull.h"

#include "base/text.h"
#include "connectors/stripe/stripe_call.h"
#include "connectors/stripe/stripe_list.h"
#include "connectors/stripe/stripe_map.h"
#include "connectors/stripe/stripe_marker.h"
#include "crypto/crypto.h"

enum { ROW_HASH_CHARACTERS = 16, TRANSACTION_PAGES_PER_PULL = 3 };

/* A row that this pull has read: how its object stands now. */
struct fresh {
    const char *id;
    const char *transaction;
    bool undone;
};

struct pull {
    struct provider_call *call;
    const struct stripe_stream *stream;
    struct stripe_marker marker;
    int64_t now;
    size_t rows_max;
    struct fresh *fresh;
    size_t fresh_count;
    size_t reads_left;
    struct pull_page *page;
};

static json_t *expansions(const struct stripe_stream *stream, const char *prefix,
                          struct arena *arena)
{
    json_t *list = json_array();
    for (const char *const *path = stream->expand; *path; path++)
        json_array_append_new(list, json_string(arena_format(arena, "%s%s", prefix, *path)));
    return list;
}

/* Reads with everything expanded, and without when Stripe will not have that: the mapping takes
 * both, it only knows less of the counterparty then. */
static enum err read_expanded(struct pull *pull, const char *operation, json_t *parameters,
                              const char **into)
{
    struct arena *arena = pull->call->arena;
    const char *prefix = operation == pull->stream->list_operation ? "data." : "";
    json_keep(arena, parameters);
    json_object_set_new(parameters, "expand", expansions(pull->stream, prefix, arena));
    enum err err = stripe_read(pull->call, operation, json_incref(parameters), into);
    if (err != ERR_VALIDATION || !text_equal(arena_failure(arena)->field, "expand"))
        return err;
    log_event(pull->call->log, LOG_WARN, "stripe.expand_refused", LOG_T("operation", operation));
    json_object_del(parameters, "expand");
    return stripe_read(pull->call, operation, json_incref(parameters), into);
}

/* A page names an object once: what was read later in the pull takes the place of the earlier. */
static void page_add(struct pull *pull, const struct source_record *record)
{
    struct pull_page *page = pull->page;
    for (size_t i = 0; i < page->count; i++) {
        if (strcmp(page->records[i].source_id, record->source_id) == 0) {
            page->records[i] = *record;
            return;
        }
    }
    assert(page->count < pull->rows_max);
    page->records[page->count++] = *record;
    page->rows_received++;
}

static void watch(struct pull *pull, const struct source_record *record)
{
    int64_t created = instant_unix_s(record->occurred_at);
    if (record->posting != POSTING_WAIT)
        stripe_open_drop(&pull->marker, record->source_id);
    else if (!stripe_open_watch(&pull->marker, record->source_id, created, pull->now))
        log_event(pull->call->log, LOG_WARN, "stripe.watch_full",
                  LOG_N("objects", STRIPE_OPEN_MAX));
}

/* Of what the row says: an object in a list may be laid out differently than on its own. */
static const char *row_hash(struct arena *arena, const char *raw)
{
    json_t *value = NULL;
    struct failure before = *arena_failure(arena);
    bool read = json_parse(arena, (struct bytes){(const uint8_t *)raw, strlen(raw)}, &value) == OK;
    if (!read && before.code == OK)
        arena_failure_clear(arena);
    char *hash = sha256_text_hex(arena, read ? json_write(arena, value) : raw);
    hash[ROW_HASH_CHARACTERS] = '\0';
    return hash;
}

/* Maps a row and adds it to the page, unless the page before brought the very same. */
static void row_take(struct pull *pull, struct bytes row, struct source_record *record)
{
    struct arena *arena = pull->call->arena;
    stripe_map(arena, pull->stream->info->kind, row, record);
    if (!record->quarantine) {
        watch(pull, record);
        pull->fresh[pull->fresh_count++] = (struct fresh){record->source_id, record->source_txn_id,
                                                          record->posting == POSTING_CORRECT};
    }
    const struct stripe_seen seen = {
        .id = record->source_id,
        .hash = row_hash(arena, record->raw),
        .created = record->quarantine ? pull->now : instant_unix_s(record->occurred_at)};
    if (!stripe_seen_before(&pull->marker, seen))
        page_add(pull, record);
}

/* A scan that is through: what it met lies behind us. A row from the future must not carry the
 * watermark there. */
static void scan_end(struct stripe_feed *feed, int64_t now)
{
    int64_t newest = feed->scan.newest < now ? feed->scan.newest : now;
    if (newest > feed->watermark)
        feed->watermark = newest;
    if (feed->watermark == 0)
        feed->watermark = feed->scan.gte;
    feed->scan = (struct stripe_scan){0};
}

static void scan_begin(struct stripe_feed *feed, int64_t reach)
{
    int64_t gte = feed->watermark - STRIPE_OVERLAP_S;
    if (!feed->scan.active)
        feed->scan = (struct stripe_scan){.active = true, .gte = gte > reach ? gte : reach};
}

static json_t *scan_parameters(const struct stripe_scan *scan, size_t limit)
{
    return json_pack("{s:i, s:{s:I}, s:s*}", "limit", (int)limit, "created", "gte",
                     (json_int_t)scan->gte, "starting_after", scan->after);
}

/* Where the scan goes on: behind the last row of the page. */
static enum err scan_advance(struct pull *pull, struct stripe_feed *feed, bool has_more,
                             const char *last)
{
    if (!has_more) {
        scan_end(feed, pull->now);
        return OK;
    }
    if (!last || text_equal(last, feed->scan.after))
        return arena_fail(pull->call->arena, ERR_PROTOCOL, "data",
                          "Stripe's list goes on, but its page has no row to go on from.");
    feed->scan.after = last;
    return OK;
}

/* The row that a page was to go on from is gone: the scan starts anew. */
static bool scan_restart(struct pull *pull, struct stripe_feed *feed, enum err err)
{
    if (err != ERR_ABSENT || !feed->scan.after)
        return false;
    log_event(pull->call->log, LOG_WARN, "stripe.scan_restarted",
              LOG_T("stream", pull->stream->info->name));
    feed->scan.after = NULL;
    return true;
}

static enum err objects_page(struct pull *pull)
{
    struct arena *arena = pull->call->arena;
    struct stripe_feed *feed = &pull->marker.objects;
    struct stripe_list *list = arena_alloc(arena, sizeof *list);
    const char *text = NULL;
    scan_begin(feed, pull->marker.reach);
    enum err err = read_expanded(pull, pull->stream->list_operation,
                                 scan_parameters(&feed->scan, pull->rows_max), &text);
    if (scan_restart(pull, feed, err))
        return OK;
    TRY(err);
    TRY(stripe_list_read(arena, text, list));
    if (list->count > pull->rows_max)
        return arena_fail(arena, ERR_PROTOCOL, "data", "Stripe answered more rows than asked for.");
    const char *last = NULL;
    for (size_t i = 0; i < list->count; i++) {
        struct source_record record;
        row_take(pull, list->rows[i], &record);
        if (record.quarantine)
            continue;
        last = record.source_id;
        if (instant_unix_s(record.occurred_at) > feed->scan.newest)
            feed->scan.newest = instant_unix_s(record.occurred_at);
    }
    return scan_advance(pull, feed, list->has_more, last);
}

static bool of_stream(const struct stripe_stream *stream, const char *id)
{
    for (const char *const *prefix = stream->id_prefixes; *prefix; prefix++) {
        if (text_starts(id, *prefix))
            return true;
    }
    return false;
}

/* Whether what this pull read of the object already knows of the transaction. */
static bool explained(const struct pull *pull, const char *source, const char *transaction)
{
    for (size_t i = 0; i < pull->fresh_count; i++) {
        const struct fresh *fresh = &pull->fresh[i];
        if (text_equal(fresh->id, source))
            return fresh->undone || text_equal(fresh->transaction, transaction);
    }
    return false;
}

static void transaction_take(struct pull *pull, const json_t *transaction)
{
    const char *id = json_text(transaction, "id");
    const char *source = json_text(transaction, "source");
    int64_t created = json_int(transaction, "created", 0);
    if (!source)
        source = json_text(transaction, "source.id");
    if (created > pull->marker.transactions.scan.newest)
        pull->marker.transactions.scan.newest = created;
    const struct stripe_seen seen = {.id = id, .hash = "", .created = created};
    if (stripe_booked_before(&pull->marker, seen) || !source || !of_stream(pull->stream, source) ||
        explained(pull, source, id))
        return;
    if (!stripe_queue_add(&pull->marker, source))
        log_event(pull->call->log, LOG_WARN, "stripe.queue_full", LOG_T("object", source));
}

static enum err transactions_page(struct pull *pull)
{
    struct arena *arena = pull->call->arena;
    struct stripe_feed *feed = &pull->marker.transactions;
    struct stripe_list *list = arena_alloc(arena, sizeof *list);
    const char *text = NULL, *last = NULL;
    scan_begin(feed, 0);
    enum err err = stripe_read(pull->call, "GetBalanceTransactions",
                               scan_parameters(&feed->scan, STRIPE_PAGE_ROWS), &text);
    if (scan_restart(pull, feed, err))
        return OK;
    TRY(err);
    TRY(stripe_list_read(arena, text, list));
    for (size_t i = 0; i < list->count; i++) {
        json_t *row = NULL;
        if (json_parse(arena, list->rows[i], &row) != OK || !json_text(row, "id"))
            continue; /* evidence that cannot be read; the objects themselves are listed apart */
        transaction_take(pull, row);
        last = json_text(row, "id");
    }
    return scan_advance(pull, feed, list->has_more, last);
}

/* Where the feed of transactions begins: at its newest, before the first object is listed. What the
 * objects become after they were listed is behind that. */
static enum err transactions_begin(struct pull *pull)
{
    struct arena *arena = pull->call->arena;
    struct stripe_feed *feed = &pull->marker.transactions;
    struct stripe_list *list = arena_alloc(arena, sizeof *list);
    const char *text = NULL;
    TRY(stripe_read(pull->call, "GetBalanceTransactions",
                    json_pack("{s:i}", "limit", STRIPE_PAGE_ROWS), &text));
    TRY(stripe_list_read(arena, text, list));
    feed->watermark = pull->marker.reach;
    for (size_t i = 0; i < list->count; i++) {
        json_t *row = NULL;
        if (json_parse(arena, list->rows[i], &row) != OK || !json_text(row, "id"))
            continue;
        int64_t created = json_int(row, "created", 0);
        if (created > feed->watermark)
            feed->watermark = created;
        stripe_booked_before(
            &pull->marker,
            (struct stripe_seen){.id = json_text(row, "id"), .hash = "", .created = created});
    }
    return OK;
}

/* Reads one object again. An object that is gone, or that Stripe answers in words that nobody
 * knows, does not hold up the others: the latter is looked at again later. */
static enum err object_read(struct pull *pull, const char *id)
{
    struct arena *arena = pull->call->arena;
    const char *text = NULL;
    struct source_record record;
    pull->reads_left--;
    enum err err =
        read_expanded(pull, pull->stream->read_operation, json_pack("{s:s}", "id", id), &text);
    bool odd = err == ERR_VALIDATION ||
               (err == ERR_TRANSIENT && text_equal(arena_failure(arena)->field, "stripe"));
    if (err == ERR_ABSENT) {
        stripe_open_drop(&pull->marker, id);
        return OK;
    }
    if (odd) {
        log_event(pull->call->log, LOG_WARN, "stripe.object_unread", LOG_T("object", id),
                  LOG_T("reason", arena_failure(arena)->detail));
        stripe_open_watch(&pull->marker, id, pull->now, pull->now);
        return OK;
    }
    TRY(err);
    row_take(pull, (struct bytes){(const uint8_t *)text, strlen(text)}, &record);
    return OK;
}

static bool room(const struct pull *pull)
{
    return pull->reads_left > 0 && pull->page->count < pull->rows_max;
}

static enum err queue_read(struct pull *pull)
{
    size_t done = 0;
    for (; done < pull->marker.queue_count && room(pull); done++)
        TRY(object_read(pull, pull->marker.queue[done]));
    pull->marker.queue_count -= done;
    memmove(pull->marker.queue, pull->marker.queue + done,
            pull->marker.queue_count * sizeof *pull->marker.queue);
    return OK;
}

static enum err open_read(struct pull *pull)
{
    struct arena *arena = pull->call->arena;
    size_t count = pull->marker.open_count;
    struct stripe_open *due = arena_copy(arena, pull->marker.open, count * sizeof *due);
    for (size_t i = 0; i < count && room(pull); i++) {
        if (due[i].check_at <= pull->now)
            TRY(object_read(pull, due[i].id));
    }
    return OK;
}

/* The steps of a pull, in an order in which each leaves a marker that is true. */
static enum err steps(struct pull *pull)
{
    struct stripe_marker *marker = &pull->marker;
    if (marker->queue_count > 0) {
        pull->page->more = true;
        return queue_read(pull);
    }
    TRY(objects_page(pull));
    if (marker->objects.scan.active) {
        pull->page->more = true;
        return OK;
    }
    for (int i = 0; i < TRANSACTION_PAGES_PER_PULL; i++) {
        TRY(transactions_page(pull));
        if (!marker->transactions.scan.active || marker->queue_count > STRIPE_QUEUE_MAX / 2)
            break;
    }
    TRY(queue_read(pull));
    pull->page->more = marker->queue_count > 0 || marker->transactions.scan.active;
    return open_read(pull);
}

enum err stripe_pull(struct provider_call *call, const struct pull_request *request,
                     struct pull_page *into)
{
    struct arena *arena = call->arena;
    struct pull pull = {
        .call = call,
        .stream = stripe_stream_find(request->stream),
        .now = instant_unix_s(clock_now(call->clock)),
        .reads_left = STRIPE_READS_PER_PULL,
        .page = into,
    };
    if (!pull.stream || !call->credential->account)
        return arena_fail(arena, ERR_INTERNAL, "stream", "Stripe has no such stream or account.");
    bool bounded = request->rows_max >= 1 && request->rows_max <= STRIPE_PAGE_ROWS;
    pull.rows_max = bounded ? (size_t)request->rows_max : STRIPE_PAGE_ROWS;
    pull.fresh = arena_array(arena, pull.rows_max + STRIPE_READS_PER_PULL, sizeof *pull.fresh);
    *into = (struct pull_page){.records = arena_array(arena, pull.rows_max, sizeof *into->records)};
    TRY(stripe_marker_read(arena, request->marker, request->reach, &pull.marker));
    if (!request->marker)
        TRY(transactions_begin(&pull));
    TRY(steps(&pull));
    stripe_seen_prune(&pull.marker);
    into->next_marker = stripe_marker_write(&pull.marker);
    return OK;
}
