/* Every entry goes to one record at most. The probabilities know that already (joint.h); here the
 * entries are given away, the surest claim first. */
#include "base/base.h"

#include "matcher/batch/batch_types.h"

/* ---- giving away ---- */

struct claim {
    int32_t p_micro;
    uint32_t rank; /* of the record's id */
    uint32_t record;
    uint32_t place; /* of the candidate */
};

static int claim_order(const void *left, const void *right)
{
    const struct claim *a = left, *b = right;
    if (a->p_micro != b->p_micro)
        return a->p_micro > b->p_micro ? -1 : 1;
    if (a->rank != b->rank)
        return a->rank < b->rank ? -1 : 1;
    return a->place < b->place ? -1 : a->place > b->place;
}

/* What is surer than that no entry exists. */
static struct claim *claims_make(struct arena *arena, const struct batch *batch, size_t *count)
{
    size_t records = batch->records->count, room = 0;
    for (size_t r = 0; r < records; r++)
        room += batch->verdicts[r].count;
    struct claim *claims = arena_array(arena, room, sizeof *claims);
    *count = 0;
    for (size_t r = 0; r < records; r++) {
        const struct verdict *verdict = &batch->verdicts[r];
        for (uint32_t i = 0; i < verdict->count; i++) {
            if (verdict->candidates[i].p_micro > verdict->null_p_micro)
                claims[(*count)++] = (struct claim){verdict->candidates[i].p_micro,
                                                    batch->records->rows[r].rank, (uint32_t)r, i};
        }
    }
    if (*count > 1)
        qsort(claims, *count, sizeof *claims, claim_order);
    return claims;
}

/* What went to another record comes last, with no probability left. */
static void lost_go_last(struct batch *batch, uint32_t record, const uint32_t *owner)
{
    struct verdict *verdict = &batch->verdicts[record];
    uint32_t chosen = UINT32_MAX;
    if (verdict->chosen != VERDICT_CREATE)
        chosen = verdict->candidates[verdict->chosen].entry;
    for (uint32_t i = 0; i < verdict->count; i++) {
        uint32_t owned_by = owner[verdict->candidates[i].entry];
        if (owned_by != 0 && owned_by != record + 1)
            verdict->candidates[i].p_micro = 0;
    }
    verdict_order(batch, verdict);
    for (uint32_t i = 0; i < verdict->count; i++) {
        if (verdict->candidates[i].entry == chosen)
            verdict->chosen = (int32_t)i;
    }
}

void batch_assign(struct batch *batch)
{
    struct arena *arena = arena_open();
    size_t records = batch->records->count, count;
    for (size_t r = 0; r < records; r++)
        batch->verdicts[r].chosen = VERDICT_CREATE;
    const struct claim *claims = claims_make(arena, batch, &count);
    uint32_t *owner = arena_array(arena, batch->ledger->count, sizeof *owner); /* record + 1 */
    for (size_t i = 0; i < count; i++) {
        struct verdict *verdict = &batch->verdicts[claims[i].record];
        uint32_t entry = verdict->candidates[claims[i].place].entry;
        if (verdict->chosen != VERDICT_CREATE || owner[entry] != 0)
            continue;
        owner[entry] = claims[i].record + 1;
        verdict->chosen = (int32_t)claims[i].place;
    }
    for (size_t r = 0; r < records; r++)
        lost_go_last(batch, (uint32_t)r, owner);
    arena_close(arena);
}
