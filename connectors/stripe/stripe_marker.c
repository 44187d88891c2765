#include "connectors/stripe/stripe_marker.h"

#include "base/text.h"

enum {
    VERSION = 1,
    SEEN_CAPACITY = 2 * STRIPE_SEEN_MAX,
    CHECK_S_MIN = 60,
    CHECK_S_MAX = 6 * 3600,
    CHECK_AGE_DIVISOR = 10, /* the older, the rarer */
};

static void feed_read(const json_t *object, struct stripe_feed *into)
{
    into->watermark = json_int(object, "watermark", 0);
    const json_t *scan = json_object_at(object, "scan");
    if (!scan)
        return;
    into->scan.active = true;
    into->scan.gte = json_int(scan, "gte", 0);
    into->scan.newest = json_int(scan, "newest", 0);
    into->scan.after = json_text(scan, "after");
}

static size_t seen_read(const json_t *list, struct stripe_seen *into)
{
    size_t count = 0;
    for (size_t i = 0; i < json_array_size(list) && count < STRIPE_SEEN_MAX; i++) {
        const json_t *row = json_array_get(list, i);
        const char *id = json_string_value(json_array_get(row, 0));
        const char *hash = json_string_value(json_array_get(row, 1));
        if (id)
            into[count++] = (struct stripe_seen){id, hash ? hash : "",
                                                 json_integer_value(json_array_get(row, 2))};
    }
    return count;
}

static void open_read(const json_t *list, struct stripe_marker *into)
{
    for (size_t i = 0; i < json_array_size(list) && into->open_count < STRIPE_OPEN_MAX; i++) {
        const json_t *row = json_array_get(list, i);
        const char *id = json_string_value(json_array_get(row, 0));
        if (id)
            into->open[into->open_count++] =
                (struct stripe_open){id, json_integer_value(json_array_get(row, 1)),
                                     json_integer_value(json_array_get(row, 2))};
    }
}

static void marker_new(struct arena *arena, struct stripe_marker *into)
{
    *into = (struct stripe_marker){
        .arena = arena,
        .seen = arena_array(arena, SEEN_CAPACITY, sizeof *into->seen),
        .booked = arena_array(arena, SEEN_CAPACITY, sizeof *into->booked),
        .open = arena_array(arena, STRIPE_OPEN_MAX, sizeof *into->open),
        .queue = arena_array(arena, STRIPE_QUEUE_MAX, sizeof *into->queue),
    };
}

enum err stripe_marker_read(struct arena *arena, const char *text, struct instant reach,
                            struct stripe_marker *into)
{
    json_t *value = NULL;
    marker_new(arena, into);
    if (!text) {
        into->reach = instant_unix_s(reach);
        into->objects.scan = (struct stripe_scan){.active = true, .gte = into->reach};
        return OK;
    }
    struct bytes bytes = {(const uint8_t *)text, strlen(text)};
    if (json_parse(arena, bytes, &value) != OK || json_int(value, "version", 0) != VERSION)
        return arena_fail(arena, ERR_INTERNAL, "marker", "The stored marker cannot be read.");
    into->reach = json_int(value, "reach", 0);
    feed_read(json_at(value, "objects"), &into->objects);
    feed_read(json_at(value, "transactions"), &into->transactions);
    into->seen_count = seen_read(json_list(value, "seen"), into->seen);
    into->booked_count = seen_read(json_list(value, "booked"), into->booked);
    open_read(json_list(value, "open"), into);
    const json_t *queue = json_list(value, "queue");
    for (size_t i = 0; i < json_array_size(queue); i++) {
        const char *id = json_string_value(json_array_get(queue, i));
        if (id)
            stripe_queue_add(into, id);
    }
    return OK;
}

static json_t *feed_write(const struct stripe_feed *feed)
{
    json_t *object = json_pack("{s:I}", "watermark", (json_int_t)feed->watermark);
    if (feed->scan.active)
        json_object_set_new(object, "scan",
                            json_pack("{s:I, s:I, s:s*}", "gte", (json_int_t)feed->scan.gte,
                                      "newest", (json_int_t)feed->scan.newest, "after",
                                      feed->scan.after));
    return object;
}

static json_t *seen_write(const struct stripe_seen *rows, size_t count)
{
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(
            list, json_pack("[s, s, I]", rows[i].id, rows[i].hash, (json_int_t)rows[i].created));
    return list;
}

const char *stripe_marker_write(const struct stripe_marker *marker)
{
    json_t *open = json_array();
    json_t *queue = json_array();
    for (size_t i = 0; i < marker->open_count; i++)
        json_array_append_new(open, json_pack("[s, I, I]", marker->open[i].id,
                                              (json_int_t)marker->open[i].created,
                                              (json_int_t)marker->open[i].check_at));
    for (size_t i = 0; i < marker->queue_count; i++)
        json_array_append_new(queue, json_string(marker->queue[i]));
    json_t *value = json_pack(
        "{s:i, s:I, s:o, s:o, s:o, s:o, s:o, s:o}", "version", VERSION, "reach",
        (json_int_t)marker->reach, "objects", feed_write(&marker->objects), "transactions",
        feed_write(&marker->transactions), "seen", seen_write(marker->seen, marker->seen_count),
        "booked", seen_write(marker->booked, marker->booked_count), "open", open, "queue", queue);
    return json_write(marker->arena, json_keep(marker->arena, value));
}

static bool before(struct stripe_seen *rows, size_t *count, struct stripe_seen row)
{
    for (size_t i = 0; i < *count; i++) {
        if (strcmp(rows[i].id, row.id) != 0)
            continue;
        bool same = strcmp(rows[i].hash, row.hash) == 0;
        rows[i] = row;
        return same;
    }
    if (*count < SEEN_CAPACITY)
        rows[(*count)++] = row;
    return false;
}

bool stripe_seen_before(struct stripe_marker *marker, struct stripe_seen row)
{
    return before(marker->seen, &marker->seen_count, row);
}

bool stripe_booked_before(struct stripe_marker *marker, struct stripe_seen row)
{
    return before(marker->booked, &marker->booked_count, row);
}

static int newest_first(const void *a, const void *b)
{
    const struct stripe_seen *left = a, *right = b;
    if (left->created != right->created)
        return left->created < right->created ? 1 : -1;
    return strcmp(left->id, right->id);
}

static void prune(struct stripe_seen *rows, size_t *count, const struct stripe_feed *feed)
{
    int64_t newest = feed->scan.newest > feed->watermark ? feed->scan.newest : feed->watermark;
    qsort(rows, *count, sizeof *rows, newest_first);
    if (*count > STRIPE_SEEN_MAX)
        *count = STRIPE_SEEN_MAX;
    while (*count > 0 && rows[*count - 1].created < newest - STRIPE_OVERLAP_S)
        (*count)--;
}

void stripe_seen_prune(struct stripe_marker *marker)
{
    prune(marker->seen, &marker->seen_count, &marker->objects);
    prune(marker->booked, &marker->booked_count, &marker->transactions);
}

static int64_t next_check(int64_t created, int64_t now)
{
    int64_t pause = (now - created) / CHECK_AGE_DIVISOR;
    return now + (pause < CHECK_S_MIN ? CHECK_S_MIN : pause > CHECK_S_MAX ? CHECK_S_MAX : pause);
}

static size_t open_find(const struct stripe_marker *marker, const char *id)
{
    size_t i = 0;
    while (i < marker->open_count && strcmp(marker->open[i].id, id) != 0)
        i++;
    return i;
}

bool stripe_open_watch(struct stripe_marker *marker, const char *id, int64_t created, int64_t now)
{
    size_t at = open_find(marker, id);
    bool full = at == STRIPE_OPEN_MAX;
    if (at < marker->open_count) {
        struct stripe_open *known = &marker->open[at];
        if (known->check_at <= now)
            known->check_at = next_check(known->created, now);
        return true;
    }
    if (full) {
        at = 0;
        for (size_t i = 1; i < marker->open_count; i++) {
            if (marker->open[i].created < marker->open[at].created)
                at = i;
        }
    } else {
        marker->open_count++;
    }
    marker->open[at] = (struct stripe_open){id, created, next_check(created, now)};
    return !full;
}

void stripe_open_drop(struct stripe_marker *marker, const char *id)
{
    size_t at = open_find(marker, id);
    if (at < marker->open_count)
        marker->open[at] = marker->open[--marker->open_count];
}

bool stripe_queue_add(struct stripe_marker *marker, const char *id)
{
    for (size_t i = 0; i < marker->queue_count; i++) {
        if (strcmp(marker->queue[i], id) == 0)
            return true;
    }
    if (marker->queue_count == STRIPE_QUEUE_MAX)
        return false;
    marker->queue[marker->queue_count++] = id;
    return true;
}
