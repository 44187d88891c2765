#include "base/base.h"

#include "connectors/qonto/mirror.h"

#include "base/text.h"
#include "connectors/qonto/call.h"
#include "connectors/qonto/cursor.h"
#include "connectors/qonto/map.h"

enum { MARKER_VERSION = 1, MARKER_BYTES_MAX = 4 * 1024 * 1024, KEY_BYTES_MAX = 120 };

static const char invoices_stream[] = "qonto.supplier_invoices";
static const char transactions_stream[] = "qonto.transactions";
const char *const qonto_streams[] = {invoices_stream, transactions_stream, NULL};

/* One list: what to ask for and how its rows are read. */
struct listing {
    const char *path;
    const char *rows; /* the key of the array */
    const char *from_filter;
    const char *until_filter;
    bool (*map)(struct arena *arena, const json_t *row, struct mirrored_entry *into);
    const char *bank_account_id; /* NULL: of the organisation */
    const char *status;          /* NULL: all */
};

static const struct listing invoices = {
    .path = "/v2/supplier_invoices",
    .rows = "supplier_invoices",
    .from_filter = "filter[updated_at_from]",
    .until_filter = "filter[updated_at_to]",
    .map = qonto_invoice_map,
};

static const struct listing transactions = {
    .path = "/v2/transactions",
    .rows = "transactions",
    .from_filter = "updated_at_from",
    .until_filter = "updated_at_to",
    .map = qonto_transaction_map,
};

/* Qonto honours one status of a query only, so that each is read on its own. */
static const char *const statuses[] = {"completed", "pending", "declined"};

static int per_page(const struct mirror_request *request)
{
    return request->rows_max > 0 && request->rows_max < QONTO_PAGE_ROWS_MAX ? request->rows_max
                                                                            : QONTO_PAGE_ROWS_MAX;
}

static const char *listing_path(struct arena *arena, const struct listing *listing,
                                const struct qonto_cursor *cursor, int rows)
{
    struct qonto_path path = qonto_path_new(arena, listing->path);
    if (listing->bank_account_id)
        qonto_path_add(&path, "bank_account_id", listing->bank_account_id);
    if (listing->status)
        qonto_path_add(&path, "status[]", listing->status);
    if (cursor->from.us > 0) /* Qonto refuses years that are too early */
        qonto_path_add(&path, listing->from_filter, instant_format(arena, cursor->from));
    qonto_path_add(&path, listing->until_filter, instant_format(arena, cursor->until));
    qonto_path_add(&path, "sort_by", "updated_at:asc");
    qonto_path_add(&path, "page", arena_format(arena, "%d", cursor->page));
    qonto_path_add(&path, "per_page", arena_format(arena, "%d", rows));
    return path.text.data;
}

/* Maps the rows of an answer; a row that is no entry is counted and logged, and the stream goes on.
 */
static enum err map_rows(struct provider_call *call, const struct listing *listing,
                         const json_t *body, struct qonto_rows *into)
{
    const json_t *rows = json_list(body, listing->rows);
    if (!rows)
        return arena_fail(call->arena, ERR_PROTOCOL, listing->rows,
                          "Qonto's answer has no list \"%s\".", listing->rows);
    into->received = json_array_size(rows);
    if (into->received > (size_t)into->per_page)
        return arena_fail(call->arena, ERR_PROTOCOL, "per_page",
                          "Qonto answered %zu rows where %d were asked for.", into->received,
                          into->per_page);
    struct mirrored_entry *entries =
        arena_array(call->arena, into->received, sizeof(struct mirrored_entry));
    for (size_t i = 0; i < into->received; i++) {
        if (listing->map(call->arena, json_array_get(rows, i), &entries[into->count]))
            into->count++;
        else
            log_event(call->log, LOG_WARN, "qonto.row_unreadable", LOG_T("list", listing->rows),
                      LOG_N("row", i));
    }
    into->entries = entries;
    into->meta = json_object_at(body, "meta");
    return OK;
}

/* Hands out the rows that were not handed out before. */
static void take_new(struct arena *arena, const struct qonto_cursor *cursor,
                     const struct qonto_rows *rows, struct mirror_page *into)
{
    into->rows_received = rows->received;
    into->entries = arena_array(arena, rows->count, sizeof *into->entries);
    for (size_t i = 0; i < rows->count; i++) {
        if (!qonto_cursor_saw(cursor, &rows->entries[i]))
            into->entries[into->count++] = rows->entries[i];
    }
}

/* One page of one list; moves the cursor. */
static enum err read_page(struct provider_call *call, const struct listing *listing,
                          const struct mirror_request *request, struct qonto_cursor *cursor,
                          struct mirror_page *into)
{
    struct qonto_rows rows = {.per_page = per_page(request)};
    json_t *body;
    qonto_cursor_begin(cursor, clock_now(call->clock));
    const char *path = listing_path(call->arena, listing, cursor, rows.per_page);
    TRY(qonto_get(call, path, QONTO_LIST_BYTES_MAX, &body));
    TRY(map_rows(call, listing, body, &rows));
    take_new(call->arena, cursor, &rows, into);
    return qonto_cursor_advance(call->arena, cursor, &rows, &into->more);
}

/* The object of a marker of that stream; NULL when there is none yet. */
static enum err marker_read(struct arena *arena, const struct mirror_request *request,
                            json_t **into)
{
    *into = NULL;
    if (!request->marker)
        return OK;
    struct bytes text = {(const uint8_t *)request->marker, strlen(request->marker)};
    bool read = text.n <= MARKER_BYTES_MAX && json_parse(arena, text, into) == OK;
    if (!read || json_int(*into, "v", 0) != MARKER_VERSION ||
        !text_equal(json_text(*into, "stream"), request->stream))
        return arena_fail(arena, ERR_VALIDATION, "marker",
                          "The marker is not one of the stream %s.", request->stream);
    return OK;
}

static json_t *marker_new(struct arena *arena, const char *stream)
{
    json_t *marker = json_keep(arena, json_object());
    json_object_set_new(marker, "v", json_integer(MARKER_VERSION));
    json_object_set_new(marker, "stream", json_string(stream));
    return marker;
}

static enum err mirror_invoices(struct provider_call *call, const struct mirror_request *request,
                                struct mirror_page *into)
{
    json_t *marker;
    struct qonto_cursor cursor;
    TRY(marker_read(call->arena, request, &marker));
    const json_t *stored = json_object_at(marker, "cursor");
    TRY(qonto_cursor_read(call->arena, stored, request->reach, &cursor));
    TRY(read_page(call, &invoices, request, &cursor, into));
    json_t *next = marker_new(call->arena, request->stream);
    json_object_set(next, "cursor", qonto_cursor_write(call->arena, &cursor));
    into->next_marker = json_write(call->arena, next);
    return OK;
}

/* Every pair of bank account and status, in a fixed order. */
static enum err plan_run(struct provider_call *call, json_t **remaining)
{
    json_t *body;
    TRY(qonto_get(call, "/v2/organization", QONTO_ANSWER_BYTES_MAX, &body));
    const json_t *accounts = json_list(body, "organization.bank_accounts");
    if (!accounts)
        return arena_fail(call->arena, ERR_PROTOCOL, "bank_accounts",
                          "Qonto's organisation lists no bank accounts.");
    if (json_array_size(accounts) > QONTO_BANK_ACCOUNTS_MAX)
        return arena_fail(call->arena, ERR_LIMIT, "bank_accounts",
                          "The organisation has more than %d bank accounts.",
                          QONTO_BANK_ACCOUNTS_MAX);
    *remaining = json_keep(call->arena, json_array());
    for (size_t i = 0; i < json_array_size(accounts); i++) {
        const char *id = json_text(json_array_get(accounts, i), "id");
        if (text_blank(id) || strlen(id) > KEY_BYTES_MAX)
            continue;
        for (size_t n = 0; n < COUNT(statuses); n++)
            json_array_append_new(*remaining,
                                  json_string(arena_format(call->arena, "%s %s", statuses[n], id)));
    }
    return OK;
}

/* "completed 0197…" as a list. */
static enum err listing_of(struct arena *arena, const char *key, struct listing *into)
{
    const char *blank = key ? strchr(key, ' ') : NULL;
    *into = transactions;
    if (!blank || blank == key || !blank[1])
        return arena_fail(arena, ERR_VALIDATION, "marker", "The marker names no bank account.");
    into->status = arena_text_n(arena, key, (size_t)(blank - key));
    into->bank_account_id = arena_text(arena, blank + 1);
    return OK;
}

/* A page of the first list of `remaining`, which leaves it when it was read to its end, or when the
 * account is gone: one account must not stop the others. */
static enum err read_next(struct provider_call *call, const struct mirror_request *request,
                          json_t *remaining, json_t *cursors, struct mirror_page *into)
{
    struct listing listing;
    struct qonto_cursor cursor;
    const char *key = json_string_value(json_array_get(remaining, 0));
    TRY(listing_of(call->arena, key, &listing));
    TRY(qonto_cursor_read(call->arena, json_object_get(cursors, key), request->reach, &cursor));
    enum err err = read_page(call, &listing, request, &cursor, into);
    if (err == ERR_ABSENT) {
        arena_failure_clear(call->arena);
        log_event(call->log, LOG_WARN, "qonto.account_absent", LOG_T("list", key));
    } else {
        TRY(err);
        json_object_set(cursors, key, qonto_cursor_write(call->arena, &cursor));
    }
    if (!into->more)
        json_array_remove(remaining, 0);
    into->more = json_array_size(remaining) > 0;
    return OK;
}

/* `cursors` keeps one cursor per account and status between runs; `remaining` what a run still
 * reads. */
static enum err mirror_transactions(struct provider_call *call,
                                    const struct mirror_request *request, struct mirror_page *into)
{
    struct arena *arena = call->arena;
    json_t *marker;
    TRY(marker_read(arena, request, &marker));
    json_t *remaining = json_incref(json_object_get(marker, "remaining"));
    json_keep(arena, remaining);
    if (json_array_size(remaining) == 0)
        TRY(plan_run(call, &remaining));
    json_t *next = marker_new(arena, request->stream);
    const json_t *stored = json_object_at(marker, "cursors");
    json_t *cursors = json_keep(arena, stored ? json_deep_copy(stored) : json_object());
    if (json_array_size(remaining) > 0)
        TRY(read_next(call, request, remaining, cursors, into));
    json_object_set(next, "remaining", remaining);
    json_object_set(next, "cursors", cursors);
    into->next_marker = json_write(arena, next);
    return OK;
}

enum err qonto_mirror(struct provider_call *call, const struct mirror_request *request,
                      struct mirror_page *into)
{
    *into = (struct mirror_page){0};
    if (text_equal(request->stream, invoices_stream))
        return mirror_invoices(call, request, into);
    if (text_equal(request->stream, transactions_stream))
        return mirror_transactions(call, request, into);
    return arena_fail(call->arena, ERR_VALIDATION, "stream", "Qonto has no stream named %s.",
                      request->stream ? request->stream : "nothing");
}
