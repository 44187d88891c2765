/* Any text is a list of Stripe's or is refused; each of its rows becomes a record that can be
 * stored: with an id, a hash and its bytes. */
#include "base/base.h"

#include "connectors/stripe/stripe_list.h"
#include "connectors/stripe/stripe_map.h"
#include "connectors/stripe/stripe_marker.h"

static void row_map(struct arena *arena, struct bytes row)
{
    for (enum record_kind kind = KIND_CHARGE; kind <= KIND_REFUND; kind++) {
        struct source_record record;
        stripe_map(arena, kind, row, &record);
        assert(record.source_id && record.source_id[0] && record.material_hash && record.raw);
        assert(strlen(record.source_id) <= STRIPE_ID_BYTES_MAX);
        assert(record.quarantine || (record.amount.minor >= 0 && record.amount.currency[0]));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_open();
    struct stripe_list *list = arena_alloc(arena, sizeof *list);
    struct stripe_marker marker;
    const char *text = arena_text_n(arena, (const char *)data, size);
    row_map(arena, (struct bytes){(const uint8_t *)text, strlen(text)});
    if (stripe_list_read(arena, text, list) == OK) {
        for (size_t i = 0; i < list->count; i++)
            row_map(arena, list->rows[i]);
    }
    if (stripe_marker_read(arena, text, instant_from_unix_s(1), &marker) == OK)
        assert(stripe_marker_write(&marker));
    arena_close(arena);
    return 0;
}
