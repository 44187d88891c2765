#include "base/base.h"

#include "base/text.h"
#include "matcher/batch/batch_types.h"
#include "matcher/batch/sketch.h"
#include "matcher/joint.h"

/* Candidates of a line and those that a lost entry makes room for. */
enum { KEPT_MAX = 12 };

struct profile_row {
    const char *name;
    enum match_role role;
    bool used_once; /* an entry belongs to one record */
};

static const struct profile_row profiles[PROFILE_COUNT] = {
    [PROFILE_BANK_TRANSACTION] = {"bank_transaction", MATCH_SETTLEMENT, true},
    [PROFILE_INVOICE] = {"invoice", MATCH_DOCUMENT, true},
    [PROFILE_COMPANY] = {"company", MATCH_COUNTERPARTY, false},
};

bool batch_profile_parse(const char *name, enum batch_profile *into)
{
    for (int i = 0; i < PROFILE_COUNT; i++) {
        if (text_equal(name, profiles[i].name)) {
            *into = (enum batch_profile)i;
            return true;
        }
    }
    return false;
}

/* ---- workers ---- */

struct batch_worker {
    struct batch *batch;
    struct block_search *search;
    struct arena *kept;    /* verdicts, until the worker closes */
    struct arena *scratch; /* one record */
};

struct batch_worker *batch_worker_open(struct batch *batch)
{
    struct arena *kept = arena_open();
    struct batch_worker *worker = arena_alloc(kept, sizeof *worker);
    worker->batch = batch;
    worker->kept = kept;
    worker->scratch = arena_open();
    worker->search = block_search_new(kept, batch->index);
    return worker;
}

void batch_worker_close(struct batch_worker *worker)
{
    arena_close(worker->scratch);
    arena_close(worker->kept);
}

/* ---- rows as the matcher's values ---- */

/* The matcher breaks ties by id: an id of sixteen bytes that sorts as the ids of the file do. */
static struct uuid id_of(const struct table_row *row)
{
    struct uuid id = {0};
    for (size_t i = 0; i < sizeof row->rank; i++)
        id.b[i] = (uint8_t)(row->rank >> (8 * (sizeof row->rank - 1 - i)));
    return id;
}

/* An amount without a currency is compared with any (record.h). */
static struct money amount_of(const struct table_row *row)
{
    struct money money = {0};
    if (row->has_amount)
        money = row->has_currency ? row->amount : (struct money){row->amount.minor, "XXX"};
    return money;
}

static struct match_record record_of(const struct table_row *row)
{
    const char *const *text = row->text;
    return (struct match_record){
        .id = id_of(row),
        .amount = amount_of(row),
        .date = row->date,
        .name = text[TABLE_COUNTERPARTY],
        .email = text[TABLE_EMAIL],
        .vat_id = text[TABLE_VAT_ID],
        .siren = text[TABLE_VAT_ID],
        .iban = text[TABLE_IBAN],
        .reference = text[TABLE_REFERENCE],
        .description = text[TABLE_DESCRIPTION],
        .address = text[TABLE_ADDRESS],
        .postcode = text[TABLE_POSTCODE],
        .phone = text[TABLE_PHONE],
    };
}

static struct match_entry entry_of(const struct table_row *row)
{
    const char *const *text = row->text;
    return (struct match_entry){
        .id = id_of(row),
        .amount = amount_of(row),
        .date = row->date,
        .due_date = {DATE_NONE},
        .name = text[TABLE_COUNTERPARTY],
        .email = text[TABLE_EMAIL],
        .vat_id = text[TABLE_VAT_ID],
        .siren = text[TABLE_VAT_ID],
        .iban = text[TABLE_IBAN],
        .reference = text[TABLE_REFERENCE],
        .description = text[TABLE_DESCRIPTION],
        .address = text[TABLE_ADDRESS],
        .postcode = text[TABLE_POSTCODE],
        .phone = text[TABLE_PHONE],
        .analysed = true,
    };
}

/* ---- the batch ---- */

/* Every entry is compared with many records: it is normalised once. */
static void sides_make(struct batch *batch)
{
    size_t count = batch->ledger->count;
    struct match_entry *entries = arena_array(batch->arena, count, sizeof *entries);
    struct arena *scratch = arena_open();
    batch->sides = arena_array(batch->arena, count, sizeof(const struct match_side *));
    for (size_t i = 0; i < count; i++) {
        entries[i] = entry_of(&batch->ledger->rows[i]);
        batch->sides[i] = side_copy(
            batch->arena, side_of_entry(scratch, &entries[i], block_index_counts(batch->index)));
        arena_reset(scratch);
    }
    arena_close(scratch);
}

enum err batch_new(struct arena *arena, const struct model_set *models, enum batch_profile profile,
                   const struct table *records, const struct table *ledger, struct batch **into)
{
    struct batch *batch = arena_alloc(arena, sizeof *batch);
    batch->profile = profile;
    batch->model = model_current(models, profiles[profile].role);
    batch->records = records;
    batch->ledger = ledger;
    batch->index = block_index_new(arena, ledger);
    batch->verdicts = arena_array(arena, records->count, sizeof *batch->verdicts);
    batch->arena = arena;
    sides_make(batch);
    *into = batch;
    return OK;
}

/* ---- scoring ---- */

int64_t verdict_p(const struct verdict *verdict)
{
    return verdict->chosen == VERDICT_CREATE ? verdict->null_p_micro
                                             : verdict->candidates[verdict->chosen].p_micro;
}

enum match_band verdict_band(const struct verdict *verdict)
{
    struct policy_settings settings = policy_defaults();
    int64_t p_micro = verdict_p(verdict);
    if (p_micro >= settings.flow_min_micro)
        return BAND_FLOW;
    return p_micro >= settings.hold_min_micro ? BAND_HOLD : BAND_STOP;
}

static bool better(const struct table *ledger, const struct scored *a, const struct scored *b)
{
    if (a->p_micro != b->p_micro)
        return a->p_micro > b->p_micro;
    if (a->log_odds_micro != b->log_odds_micro)
        return a->log_odds_micro > b->log_odds_micro;
    return ledger->rows[a->entry].rank < ledger->rows[b->entry].rank;
}

void verdict_order(const struct batch *batch, struct verdict *verdict)
{
    for (uint32_t i = 1; i < verdict->count; i++) {
        struct scored moving = verdict->candidates[i];
        uint32_t at = i;
        for (; at > 0 && better(batch->ledger, &moving, &verdict->candidates[at - 1]); at--)
            verdict->candidates[at] = verdict->candidates[at - 1];
        verdict->candidates[at] = moving;
    }
}

/* Amounts without a currency have two decimals. Against one in a currency that has not, the entry's
 * is said in the decimals of the record. */
static const struct match_side *side_against(const struct batch_worker *worker, uint32_t entry,
                                             const struct table_row *record)
{
    const struct batch *batch = worker->batch;
    const struct table_row *row = &batch->ledger->rows[entry];
    const char *known = record->has_currency ? record->amount.currency : row->amount.currency;
    if (!row->has_amount || !record->has_amount || record->has_currency == row->has_currency ||
        currency_exponent(known) == currency_exponent(""))
        return batch->sides[entry];
    struct match_entry *said = arena_alloc(worker->scratch, sizeof *said);
    *said = entry_of(row);
    said->amount.minor =
        sketch_minor(sketch_amount(row), record->has_currency ? record->amount.currency : "");
    memcpy(said->amount.currency, "XXX", sizeof said->amount.currency);
    return side_of_entry(worker->scratch, said, block_index_counts(batch->index));
}

static enum err score_one(struct batch_worker *worker, size_t at)
{
    struct batch *batch = worker->batch;
    const struct table_row *row = &batch->records->rows[at];
    struct match_record record = record_of(row);
    const struct match_side *sides[BLOCK_CANDIDATES_MAX];
    struct feature_vector vectors[BLOCK_CANDIDATES_MAX];
    struct block_found found;
    block_find(worker->search, worker->scratch, row, &found);
    for (size_t i = 0; i < found.count; i++)
        sides[i] = side_against(worker, found.row[i], row);
    const struct match_side *side =
        side_of_record(worker->scratch, &record, block_index_counts(batch->index));
    TRY(features_of_sides(worker->scratch, side, sides, found.count, profiles[batch->profile].role,
                          vectors));
    struct verdict *verdict = &batch->verdicts[at];
    verdict->offered = (uint32_t)found.count;
    verdict->entries = arena_copy(worker->kept, found.row, found.count * sizeof found.row[0]);
    verdict->vectors = arena_copy(worker->kept, vectors, found.count * sizeof vectors[0]);
    verdict->fields_missing = record_fields_missing(&record, profiles[batch->profile].role);
    return OK;
}

enum err batch_score(struct batch_worker *worker, size_t from, size_t to)
{
    assert(from <= to && to <= worker->batch->records->count);
    for (size_t i = from; i < to; i++) {
        TRY(score_one(worker, i));
        arena_reset(worker->scratch);
    }
    return OK;
}

/* ---- all together ---- */

static struct joint *batch_joint(struct arena *arena, const struct batch *batch)
{
    size_t count = batch->records->count;
    struct joint_item *items = arena_array(arena, count, sizeof *items);
    for (size_t i = 0; i < count; i++) {
        const struct verdict *verdict = &batch->verdicts[i];
        items[i] = (struct joint_item){verdict->vectors, verdict->entries, verdict->offered,
                                       verdict->fields_missing};
    }
    struct joint_plan plan = {batch->model, profiles[batch->profile].used_once, VIEW_FRESH,
                              batch->ledger->count};
    return joint_solve(arena, &plan, items, count);
}

static void verdict_take(struct batch *batch, const struct joint *joint, size_t at)
{
    struct verdict *verdict = &batch->verdicts[at];
    struct scored scored[BLOCK_CANDIDATES_MAX];
    int64_t claimed[BLOCK_CANDIDATES_MAX];
    struct model_output output;
    joint_answer(joint, at, &output, claimed);
    for (uint32_t i = 0; i < verdict->offered; i++)
        scored[i] = (struct scored){verdict->entries[i], (int32_t)output.p_micro[i],
                                    output.log_odds_micro[i], claimed[i], verdict->vectors[i]};
    verdict->candidates = scored;
    verdict->count = verdict->offered;
    verdict->null_p_micro = (int32_t)output.null_p_micro;
    verdict_order(batch, verdict);
    if (verdict->count > KEPT_MAX)
        verdict->count = KEPT_MAX;
    verdict->candidates = arena_copy(batch->arena, scored, verdict->count * sizeof scored[0]);
    bool links = verdict->count > 0 && scored[0].p_micro > verdict->null_p_micro;
    verdict->chosen = links ? 0 : VERDICT_CREATE;
}

void batch_settle(struct batch *batch)
{
    struct arena *arena = arena_open();
    const struct joint *joint = batch_joint(arena, batch);
    for (size_t i = 0; i < batch->records->count; i++)
        verdict_take(batch, joint, i);
    batch_words_make(batch, joint);
    arena_close(arena);
    if (profiles[batch->profile].used_once)
        batch_assign(batch);
}

struct batch_summary batch_summarise(const struct batch *batch)
{
    struct batch_summary summary = {0};
    for (size_t i = 0; i < batch->records->count; i++) {
        const struct verdict *verdict = &batch->verdicts[i];
        summary.links += verdict->chosen != VERDICT_CREATE;
        summary.creates += verdict->chosen == VERDICT_CREATE;
        summary.bands[verdict_band(verdict)]++;
    }
    return summary;
}
