#include "base/base.h"

#include "matcher/batch/window.h"

/* Entries of one currency on one day. */
struct bucket {
    uint32_t currency;
    int32_t day;
    uint32_t start, end;
};

/* The buckets of one currency. */
struct book {
    uint32_t currency;
    size_t start, end;
};

struct window_index {
    const struct sketch *sketches;
    size_t count;
    struct bucket *buckets;
    size_t bucket_count;
    struct book *books;
    size_t book_count;
};

static int sketch_order(const void *left, const void *right)
{
    const struct sketch *a = left, *b = right;
    if (a->currency != b->currency)
        return a->currency < b->currency ? -1 : 1;
    if (a->day != b->day)
        return a->day < b->day ? -1 : 1;
    if (a->amount != b->amount)
        return a->amount < b->amount ? -1 : 1;
    return a->rank < b->rank ? -1 : a->rank > b->rank;
}

struct window_index *window_index_new(struct arena *arena, struct sketch *sketches, size_t count)
{
    struct window_index *index = arena_alloc(arena, sizeof *index);
    if (count > 1)
        qsort(sketches, count, sizeof *sketches, sketch_order);
    index->sketches = sketches;
    index->count = count;
    index->buckets = arena_array(arena, count, sizeof *index->buckets);
    index->books = arena_array(arena, count, sizeof *index->books);
    for (size_t i = 0; i < count; i++) {
        const struct sketch *at = &sketches[i], *last = i ? at - 1 : NULL;
        bool new_book = !last || last->currency != at->currency;
        if (new_book)
            index->books[index->book_count++] = (struct book){
                .currency = at->currency, .start = index->bucket_count, .end = index->bucket_count};
        if (new_book || last->day != at->day) {
            index->buckets[index->bucket_count++] =
                (struct bucket){at->currency, at->day, (uint32_t)i, (uint32_t)i};
            index->books[index->book_count - 1].end++;
        }
        index->buckets[index->bucket_count - 1].end = (uint32_t)i + 1;
    }
    return index;
}

/* ---- one search ---- */

struct window_search {
    const struct window_index *index;
    const struct sketch *record;
    int64_t close_low, close_high, wide_low, wide_high;
    size_t scanned;
    struct shortlist *close, *wide;
};

static int64_t magnitude(int64_t value)
{
    return value < 0 ? -value : value;
}

static void take(struct window_search *search, uint32_t at)
{
    const struct sketch *entry = &search->index->sketches[at], *record = search->record;
    bool dated = record->day != DATE_NONE && entry->day != DATE_NONE;
    int64_t apart = dated ? magnitude((int64_t)entry->day - record->day) : WINDOW_DAYS;
    search->scanned++;
    if (entry->amount >= search->close_low && entry->amount <= search->close_high)
        shortlist_offer(search->close,
                        (struct hit){.first = magnitude(entry->amount - record->amount),
                                     .second = apart,
                                     .rank = entry->rank,
                                     .at = at});
    shortlist_offer(
        search->wide,
        (struct hit){.first = -sketch_nearness(record, entry), .rank = entry->rank, .at = at});
}

/* The place in the bucket from which amounts are at least `amount`. */
static uint32_t amount_bound(const struct window_index *index, const struct bucket *bucket,
                             int64_t amount)
{
    uint32_t low = bucket->start, high = bucket->end;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (index->sketches[middle].amount < amount)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Once the wide list is full, amounts that cannot get onto it any more are not looked at. */
static void bounds_of(const struct window_search *search, int32_t day, int64_t *low, int64_t *high)
{
    const struct shortlist *wide = search->wide;
    *low = search->wide_low;
    *high = search->wide_high;
    if (wide->count < wide->limit)
        return;
    int64_t amount = search->record->amount;
    int64_t reach = sketch_reach(search->record, day, -wide->hit[wide->count - 1].first);
    int64_t near_low = amount - reach, near_high = amount + reach;
    near_low = near_low < search->close_low ? near_low : search->close_low;
    near_high = near_high > search->close_high ? near_high : search->close_high;
    *low = near_low > *low ? near_low : *low;
    *high = near_high < *high ? near_high : *high;
}

static void scan_bucket(struct window_search *search, const struct bucket *bucket)
{
    const struct sketch *sketches = search->index->sketches;
    int64_t low, high;
    bounds_of(search, bucket->day, &low, &high);
    uint32_t at = amount_bound(search->index, bucket, low);
    for (; at < bucket->end && search->scanned < WINDOW_SCAN_MAX; at++) {
        if (sketches[at].amount > high)
            return;
        take(search, at);
    }
}

static size_t bucket_bound(const struct window_index *index, const struct book *book, int32_t day)
{
    size_t low = book->start, high = book->end;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (index->buckets[middle].day < day)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Outwards from the day of the record; without one, all days. What has no date comes last. */
static void scan_book(struct window_search *search, const struct book *book)
{
    const struct bucket *buckets = search->index->buckets;
    int32_t day = search->record->day;
    if (day == DATE_NONE) {
        for (size_t i = book->start; i < book->end; i++)
            scan_bucket(search, &buckets[i]);
        return;
    }
    size_t after = bucket_bound(search->index, book, day), before = after;
    for (int32_t apart = 0; apart <= WINDOW_DAYS; apart++) {
        if (after < book->end && buckets[after].day == day + apart)
            scan_bucket(search, &buckets[after++]);
        if (before > book->start && buckets[before - 1].day == day - apart)
            scan_bucket(search, &buckets[--before]);
    }
    if (buckets[book->start].day == DATE_NONE)
        scan_bucket(search, &buckets[book->start]);
}

static bool comparable(uint32_t a, uint32_t b)
{
    return a != SKETCH_NO_AMOUNT && b != SKETCH_NO_AMOUNT && (a == b || a == 0 || b == 0);
}

void window_index_find(const struct window_index *index, const struct sketch *record,
                       struct shortlist *close, struct shortlist *wide)
{
    int64_t amount = record->amount, size = magnitude(amount);
    int64_t near = size / 100 * WINDOW_CLOSE_PERCENT + size % 100 * WINDOW_CLOSE_PERCENT / 100;
    int64_t far = size / 100 * WINDOW_WIDE_PERCENT + size % 100 * WINDOW_WIDE_PERCENT / 100;
    struct window_search search = {
        .index = index,
        .record = record,
        .close_low = amount - near,
        .close_high = amount + near,
        .wide_low = amount - far,
        .wide_high = amount + far,
        .close = close,
        .wide = wide,
    };
    close->count = wide->count = 0;
    close->limit = WINDOW_CLOSE_ENTRIES_MAX;
    wide->limit = WINDOW_WIDE_ENTRIES_MAX;
    for (size_t i = 0; i < index->book_count; i++) {
        if (comparable(index->books[i].currency, record->currency))
            scan_book(&search, &index->books[i]);
    }
}

size_t window_index_place(const struct window_index *index, const struct sketch *record)
{
    for (size_t i = 0; i < index->book_count; i++) {
        const struct book *book = &index->books[i];
        if (book->currency < record->currency)
            continue;
        size_t bucket = bucket_bound(index, book, record->day);
        return bucket < index->bucket_count ? index->buckets[bucket].start : index->count;
    }
    return index->count;
}
