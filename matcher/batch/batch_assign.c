/* Every entry goes to one record at most.
 *
 * The model looks at one record alone. That an entry is used once says more: where another record
 * claims an entry, it is less likely to be ours, and our other candidates are more likely. The
 * probabilities under that constraint are found by passing messages between records and entries
 * (sum-product on the bipartite graph of candidates; Huang and Jebara 2009, Vontobel 2013 for why
 * it converges), in whole numbers of 2^-32, for a fixed number of rounds. Then entries are given
 * away, the surest claim first. */
#include "base/base.h"

#include "matcher/batch/batch_types.h"
#include "matcher/fixed.h"

enum { ROUNDS = 16, CLAIM_BITS_MAX = 44 };
/* No claim counts for more than 4095 to 1: the sum of all fits, and nobody is certain. */
#define CLAIM_MAX (UINT64_C(1) << CLAIM_BITS_MAX)

static_assert(TABLE_ROWS_MAX < 1 << (63 - CLAIM_BITS_MAX), "the claims on an entry can be added");

struct edge {
    uint64_t odds;  /* of the candidate, as a part of the best of its record */
    uint64_t claim; /* of the record on the entry */
    uint32_t entry;
};

struct graph {
    struct batch *batch;
    struct edge *edges;
    size_t *start;    /* by record; one more at the end */
    uint64_t *none;   /* by record: the part of "none of them" */
    uint64_t *null;   /* by record: the part of "no entry exists" */
    uint64_t *claims; /* by entry: the sum of all */
};

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* exp(−micro / 10^6) of at most 2^31, so that it can be shifted by 32. */
static uint64_t part_of(int64_t micro)
{
    return fixed_exp_neg(micro) / 2;
}

static void record_edges(struct graph *graph, size_t record)
{
    const struct verdict *verdict = &graph->batch->verdicts[record];
    int64_t unseen = graph->batch->model->unseen_micro[VIEW_FRESH];
    int64_t best = larger(verdict->null_log_odds_micro, unseen);
    for (uint32_t i = 0; i < verdict->count; i++)
        best = larger(best, verdict->candidates[i].log_odds_micro);
    graph->null[record] = part_of(best - verdict->null_log_odds_micro);
    graph->none[record] = graph->null[record] + part_of(best - unseen);
    for (uint32_t i = 0; i < verdict->count; i++)
        graph->edges[graph->start[record] + i] = (struct edge){
            .odds = part_of(best - verdict->candidates[i].log_odds_micro),
            .entry = verdict->candidates[i].entry,
        };
}

static struct graph *graph_new(struct arena *arena, struct batch *batch)
{
    struct graph *graph = arena_alloc(arena, sizeof *graph);
    size_t count = batch->records->count, edges = 0;
    graph->batch = batch;
    graph->start = arena_array(arena, count + 1, sizeof *graph->start);
    for (size_t i = 0; i < count; i++) {
        graph->start[i] = edges;
        edges += batch->verdicts[i].count;
    }
    graph->start[count] = edges;
    graph->edges = arena_array(arena, edges, sizeof *graph->edges);
    graph->none = arena_array(arena, count, sizeof *graph->none);
    graph->null = arena_array(arena, count, sizeof *graph->null);
    graph->claims = arena_array(arena, batch->ledger->count, sizeof *graph->claims);
    for (size_t i = 0; i < count; i++)
        record_edges(graph, i);
    return graph;
}

/* The odds that are left when the other records' claims on the entry are heard. */
static uint64_t odds_left(const struct graph *graph, const struct edge *edge)
{
    uint64_t others = graph->claims[edge->entry] - edge->claim;
    return (edge->odds << 32) / (FIXED_ONE + others);
}

static uint64_t claim_of(uint64_t odds, uint64_t against)
{
    uint64_t claim = (odds << 32) / (against ? against : 1);
    return claim < CLAIM_MAX ? claim : CLAIM_MAX;
}

/* One round: all claims anew, from the sums of the round before. */
static void round_pass(struct graph *graph)
{
    size_t count = graph->batch->records->count;
    for (size_t r = 0; r < count; r++) {
        uint64_t left[BLOCK_CANDIDATES_MAX] = {0}, sum = graph->none[r];
        size_t from = graph->start[r], to = graph->start[r + 1];
        for (size_t i = from; i < to; i++)
            sum += left[i - from] = odds_left(graph, &graph->edges[i]);
        for (size_t i = from; i < to; i++)
            graph->edges[i].claim = claim_of(graph->edges[i].odds, sum - left[i - from]);
    }
    memset(graph->claims, 0, graph->batch->ledger->count * sizeof *graph->claims);
    for (size_t i = 0; i < graph->start[count]; i++)
        graph->claims[graph->edges[i].entry] += graph->edges[i].claim;
}

static int32_t share(uint64_t part, uint64_t whole)
{
    return (int32_t)((part * MICRO + whole / 2) / whole);
}

static void probabilities_take(struct graph *graph, size_t record)
{
    struct verdict *verdict = &graph->batch->verdicts[record];
    uint64_t left[BLOCK_CANDIDATES_MAX] = {0}, sum = graph->none[record];
    for (uint32_t i = 0; i < verdict->count; i++)
        sum += left[i] = odds_left(graph, &graph->edges[graph->start[record] + i]);
    if (sum == 0)
        return;
    for (uint32_t i = 0; i < verdict->count; i++)
        verdict->candidates[i].p_micro = share(left[i], sum);
    verdict->null_p_micro = share(graph->null[record], sum);
    verdict_order(graph->batch, verdict);
}

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
static struct claim *claims_make(struct arena *arena, const struct graph *graph, size_t *count)
{
    const struct batch *batch = graph->batch;
    size_t records = batch->records->count;
    struct claim *claims = arena_array(arena, graph->start[records], sizeof *claims);
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
    struct graph *graph = graph_new(arena, batch);
    for (int round = 0; round < ROUNDS; round++)
        round_pass(graph);
    for (size_t r = 0; r < records; r++) {
        probabilities_take(graph, r);
        batch->verdicts[r].chosen = VERDICT_CREATE;
    }
    const struct claim *claims = claims_make(arena, graph, &count);
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
