/* How far a list that is sorted by updated_at has been read. Qonto pages by offset, which shifts
 * when rows change meanwhile; so that no row is skipped, each page starts at the newest time of the
 * page before (inclusive) instead of at an offset, and the offset only moves within rows that share
 * one time. Rows that come twice for that reason are recognised by id and time.
 *
 * A run reads up to `until`, the time at which it began. The next run begins QONTO_OVERLAP_S before
 * the newest row that was read, so that neither a clock that differs nor a row that was written
 * late leaves a hole. Pure: no I/O. */
#ifndef SLUICE_QONTO_CURSOR_H
#define SLUICE_QONTO_CURSOR_H

#include "connectors/qonto/qonto.h"

struct qonto_seen {
    const char *id;
    struct instant updated_at;
};

struct qonto_cursor {
    struct instant from;   /* 0: from the beginning of time */
    struct instant until;  /* 0: no run is under way */
    struct instant newest; /* of all rows so far; 0: none */
    int page;              /* of the rows at `from`; 1 but within a long tie */
    struct qonto_seen seen[QONTO_SEEN_MAX];
    size_t seen_count;
};

/* One answer of a list. */
struct qonto_rows {
    const struct mirrored_entry *entries;
    size_t count;
    size_t received;    /* also those that could not be mapped */
    const json_t *meta; /* may be NULL */
    int per_page;
};

/* Reads a cursor from its JSON; NULL starts at `reach`. ERR_VALIDATION (field "marker") for
 * anything that qonto_cursor_write did not make. */
enum err qonto_cursor_read(struct arena *arena, const json_t *from, struct instant reach,
                           struct qonto_cursor *into) MUST_USE;
json_t *qonto_cursor_write(struct arena *arena, const struct qonto_cursor *cursor);

/* Begins a run unless one is under way. */
void qonto_cursor_begin(struct qonto_cursor *cursor, struct instant now);

/* Whether this very row was handed out before. */
bool qonto_cursor_saw(const struct qonto_cursor *cursor, const struct mirrored_entry *entry);

/* Moves past a page. *more tells whether the run goes on; at its end the cursor is ready for the
 * next run. ERR_PROTOCOL when the answer is not what was asked for: another page, rows outside the
 * window, rows out of order, an empty page amid others, or a tie without end. */
enum err qonto_cursor_advance(struct arena *arena, struct qonto_cursor *cursor,
                              const struct qonto_rows *rows, bool *more) MUST_USE;

#endif
