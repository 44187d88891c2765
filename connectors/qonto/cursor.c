#include "base/base.h"

#include "connectors/qonto/cursor.h"

#include "base/text.h"

/* Shown times may be cut to whole seconds, so that order and bounds hold to a second only. */
enum { SLACK_US = 1000000, US_PER_S = 1000000, ID_BYTES_MAX = 100 };

static enum err bad_marker(struct arena *arena)
{
    return arena_fail(arena, ERR_VALIDATION, "marker", "The marker is not one of this stream.");
}

enum err qonto_cursor_read(struct arena *arena, const json_t *from, struct instant reach,
                           struct qonto_cursor *into)
{
    *into = (struct qonto_cursor){.from = reach, .page = 1};
    if (!from)
        return OK;
    into->from.us = json_int(from, "from_us", -1);
    into->until.us = json_int(from, "until_us", -1);
    into->newest.us = json_int(from, "newest_us", -1);
    int64_t page = json_int(from, "page", 0);
    const json_t *seen = json_object_at(from, "seen");
    if (into->from.us < 0 || into->until.us < 0 || into->newest.us < 0 || page < 1 ||
        page > QONTO_TIE_PAGES_MAX || !seen || json_object_size(seen) > QONTO_SEEN_MAX)
        return bad_marker(arena);
    into->page = (int)page;
    const char *id;
    json_t *at;
    json_object_foreach((json_t *)(uintptr_t)seen, id, at)
    {
        if (!json_is_integer(at))
            return bad_marker(arena);
        into->seen[into->seen_count++] =
            (struct qonto_seen){arena_text(arena, id), {json_integer_value(at)}};
    }
    return OK;
}

json_t *qonto_cursor_write(struct arena *arena, const struct qonto_cursor *cursor)
{
    json_t *seen = json_object();
    for (size_t i = 0; i < cursor->seen_count; i++)
        json_object_set_new(seen, cursor->seen[i].id, json_integer(cursor->seen[i].updated_at.us));
    json_t *made = json_keep(arena, json_object());
    json_object_set_new(made, "from_us", json_integer(cursor->from.us));
    json_object_set_new(made, "until_us", json_integer(cursor->until.us));
    json_object_set_new(made, "newest_us", json_integer(cursor->newest.us));
    json_object_set_new(made, "page", json_integer(cursor->page));
    json_object_set_new(made, "seen", seen);
    return made;
}

void qonto_cursor_begin(struct qonto_cursor *cursor, struct instant now)
{
    if (cursor->until.us != 0)
        return;
    cursor->until = now.us > cursor->from.us ? now : instant_add_s(cursor->from, 1);
    cursor->page = 1;
}

bool qonto_cursor_saw(const struct qonto_cursor *cursor, const struct mirrored_entry *entry)
{
    for (size_t i = 0; i < cursor->seen_count; i++) {
        if (cursor->seen[i].updated_at.us == entry->updated_at.us &&
            text_equal(cursor->seen[i].id, entry->external_id))
            return true;
    }
    return false;
}

static enum err check_order(struct arena *arena, const struct qonto_cursor *cursor,
                            const struct qonto_rows *rows)
{
    int64_t newest = cursor->from.us;
    for (size_t i = 0; i < rows->count; i++) {
        int64_t at = rows->entries[i].updated_at.us;
        if (at == 0)
            continue;
        if (at < cursor->from.us - SLACK_US || at > cursor->until.us + SLACK_US)
            return arena_fail(arena, ERR_PROTOCOL, "updated_at",
                              "Qonto's list holds rows outside the window that was asked for.");
        if (at < newest - SLACK_US)
            return arena_fail(arena, ERR_PROTOCOL, "sort_by",
                              "Qonto's list is not in the order that was asked for.");
        newest = at > newest ? at : newest;
    }
    return OK;
}

/* Whether rows follow this page. Counts are missing, zero or named otherwise in some answers. */
static enum err read_meta(struct arena *arena, const struct qonto_cursor *cursor,
                          const struct qonto_rows *rows, bool *follow)
{
    int64_t current = json_int(rows->meta, "current_page", cursor->page);
    if (current != cursor->page)
        return arena_fail(arena, ERR_PROTOCOL, "page",
                          "Qonto answered page %" PRId64 " where page %d was asked for.", current,
                          cursor->page);
    int64_t total = json_int(rows->meta, "total_pages", -1);
    int64_t next = json_int(rows->meta, "next_page", 0);
    if (total >= 0)
        *follow = current < total;
    else
        *follow = next > current || rows->received >= (size_t)rows->per_page;
    if (*follow && rows->received == 0)
        return arena_fail(arena, ERR_PROTOCOL, "page",
                          "Qonto answered an empty page where more rows should follow.");
    return OK;
}

/* The newest time on the page, never later than the window; 0 when no row tells one. */
static struct instant newest_of(const struct qonto_cursor *cursor, const struct qonto_rows *rows)
{
    struct instant newest = {0};
    for (size_t i = 0; i < rows->count; i++) {
        struct instant at = rows->entries[i].updated_at;
        newest = at.us > newest.us ? at : newest;
    }
    return newest.us < cursor->until.us ? newest : cursor->until;
}

/* Keeps the rows from `from` on; when there are too many, the latest, because a row that comes
 * twice only costs a write. */
static void remember(struct arena *arena, struct qonto_cursor *cursor,
                     const struct qonto_rows *rows, struct instant from)
{
    size_t kept = 0;
    for (size_t i = 0; i < cursor->seen_count; i++) {
        if (cursor->seen[i].updated_at.us >= from.us)
            cursor->seen[kept++] = cursor->seen[i];
    }
    cursor->seen_count = kept;
    for (size_t i = 0; i < rows->count; i++) {
        const struct mirrored_entry *entry = &rows->entries[i];
        bool fits = strlen(entry->external_id) <= ID_BYTES_MAX;
        if (!fits || entry->updated_at.us < from.us || qonto_cursor_saw(cursor, entry))
            continue;
        if (cursor->seen_count == QONTO_SEEN_MAX)
            memmove(cursor->seen, cursor->seen + 1, --cursor->seen_count * sizeof cursor->seen[0]);
        cursor->seen[cursor->seen_count++] =
            (struct qonto_seen){arena_text(arena, entry->external_id), entry->updated_at};
    }
}

static struct instant next_start(const struct qonto_cursor *cursor)
{
    if (cursor->newest.us == 0)
        return cursor->from;
    struct instant start = instant_add_s(cursor->newest, -QONTO_OVERLAP_S);
    return start.us > 0 ? start : (struct instant){0};
}

enum err qonto_cursor_advance(struct arena *arena, struct qonto_cursor *cursor,
                              const struct qonto_rows *rows, bool *more)
{
    TRY(check_order(arena, cursor, rows));
    TRY(read_meta(arena, cursor, rows, more));
    struct instant newest = newest_of(cursor, rows);
    if (newest.us > cursor->newest.us)
        cursor->newest = newest;
    struct instant from = *more ? newest : next_start(cursor);
    if (*more && from.us <= cursor->from.us) {
        if (cursor->page == QONTO_TIE_PAGES_MAX)
            return arena_fail(arena, ERR_PROTOCOL, "page",
                              "More than %d pages of Qonto's list share one time.",
                              QONTO_TIE_PAGES_MAX);
        from = cursor->from;
        cursor->page++;
    } else {
        cursor->page = 1;
    }
    remember(arena, cursor, rows, from);
    cursor->from = from;
    if (!*more)
        cursor->until = (struct instant){0};
    return OK;
}
