/* Any bytes, in two pieces cut anywhere, are read within bounds, and the cut changes nothing. */
#include "base/base.h"

#include "net/sse.h"

enum { EVENT_BYTES_MAX = 256 };

struct sum {
    uint64_t hash;
    size_t events;
};

static bool add(void *context, const struct sse_event *event)
{
    struct sum *sum = context;
    assert(event->data.n > 0 && event->data.n <= EVENT_BYTES_MAX);
    for (size_t i = 0; i < event->data.n; i++)
        sum->hash = (sum->hash ^ event->data.at[i]) * 1099511628211u;
    sum->events++;
    return true;
}

static struct sum read_in_two(struct arena *arena, const uint8_t *data, size_t size, size_t cut)
{
    struct sum sum = {.hash = 14695981039346656037u};
    struct sse sse = sse_new(arena, EVENT_BYTES_MAX, add, &sum);
    bool whole = sse_feed(&sse, (struct bytes){data, cut}) &&
                 sse_feed(&sse, (struct bytes){data + cut, size - cut});
    if (!whole)
        sum.events = SIZE_MAX;
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    struct arena *arena = arena_open();
    size_t n = size - 1;
    struct sum whole = read_in_two(arena, data + 1, n, 0);
    struct sum cut = read_in_two(arena, data + 1, n, data[0] % n);
    assert(whole.events == cut.events && whole.hash == cut.hash);
    arena_close(arena);
    return 0;
}
