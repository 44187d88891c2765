#include "jobs/score.h"

#include "base/text.h"

/* Rows that come ordered by the index of their query: `from[i]` is the first one of query i. */
struct by_query {
    const void *at;
    size_t *from; /* one more than there are queries */
};

/* Everything that is known while one window is scored. Arrays run parallel to the items. */
struct scoring {
    const struct environment *env;
    const struct scope *scope;
    const struct scoring_window *window;
    struct arena *arena;
    struct match_context context;
    struct policy_settings policy;
    struct date closed_until;
    struct score_result *result;
    struct by_query known;      /* of struct counterparty_known */
    struct by_query candidates; /* of struct blocking_entry */
    struct by_query usage;      /* of struct usage */
    struct by_query duplicates; /* of struct duplicate_found */
};

/* `query_of` reads the index out of one row; rows are `size` bytes each. */
static struct by_query index_rows(const struct scoring *scoring, const struct rows *rows,
                                  size_t size, int (*query_of)(const void *row))
{
    size_t queries = scoring->result->count;
    struct by_query index = {rows->at, arena_array(scoring->arena, queries + 1, sizeof(size_t))};
    size_t row = 0;
    for (size_t query = 0; query <= queries; query++) {
        while (row < rows->count &&
               (size_t)query_of((const uint8_t *)rows->at + row * size) < query)
            row++;
        index.from[query] = row;
    }
    return index;
}

static int query_of_known(const void *row)
{
    return ((const struct counterparty_known *)row)->query;
}

static int query_of_entry(const void *row)
{
    return ((const struct blocking_entry *)row)->query;
}

static int query_of_usage(const void *row)
{
    return ((const struct usage *)row)->query;
}

static int query_of_duplicate(const void *row)
{
    return ((const struct duplicate_found *)row)->query;
}

static struct money signed_amount(const struct scoring_item *item, struct money amount)
{
    bool went_back = text_equal(item->kind, "refund") || text_equal(item->kind, "credit_note");
    if (went_back)
        amount.minor = -amount.minor;
    return amount;
}

static struct match_record record_of(const struct scoring_item *item)
{
    return (struct match_record){
        .id = item->item,
        .amount = signed_amount(item, item->amount),
        .fee = item->fee,
        .date = item->date,
        .name = item->party_name,
        .email = item->party_email,
        .vat_id = item->party_vat_id,
        .siren = item->party_siren,
        .iban = item->party_iban,
        .customer_id = item->party_customer_id,
        .reference = item->reference,
        .description = item->description,
    };
}

static enum match_ledger ledger_of(const char *kind)
{
    enum match_ledger ledger;
    return match_ledger_parse(kind, &ledger) ? ledger : LEDGER_NONE;
}

static void open_context(struct scoring *scoring)
{
    const struct scoring_window *window = scoring->window;
    int64_t age_us = clock_now(scoring->env->clock).us - window->ledger_fresh_at.us;
    scoring->context = (struct match_context){
        .models = scoring->env->models,
        .ledger = ledger_of(window->ledger_kind),
        .ledger_age_s = window->ledger_fresh_at.us ? age_us / 1000000 : INT32_MAX,
        .ledger_age_max_s = scoring->env->ledger_age_max_s,
        .reviews = window->reviews,
    };
    scoring->result->ledger_stale =
        scoring->context.ledger_age_s > scoring->context.ledger_age_max_s;
}

static enum err read_settings(struct scoring *scoring)
{
    json_t *settings;
    const char *text = scoring->window->settings;
    TRY(json_parse(scoring->arena, (struct bytes){(const uint8_t *)text, strlen(text)}, &settings));
    scoring->policy = settings_policy(settings);
    struct date closed_before;
    scoring->closed_until.days = DATE_NONE;
    if (date_parse(json_text(settings, "policies.closed_before"), &closed_before))
        scoring->closed_until.days = closed_before.days - 1;
    return OK;
}

/* ---- who it is about ---- */

static const char *customer_scheme(struct arena *arena, const struct scoring_item *item)
{
    return arena_format(arena, "%s_customer", item->provider);
}

static enum err find_known(struct scoring *scoring)
{
    size_t n = scoring->window->count;
    struct counterparty_query *queries = arena_array(scoring->arena, n, sizeof *queries);
    for (size_t i = 0; i < n; i++) {
        const struct scoring_item *item = &scoring->window->items[i];
        queries[i] = (struct counterparty_query){
            .vat_id = vat_normalise(scoring->arena, item->party_vat_id),
            .siren = siren_normalise(scoring->arena, item->party_siren),
            .iban = iban_normalise(scoring->arena, item->party_iban),
            .email = item->party_email,
            .customer_id = item->party_customer_id,
            .customer_scheme = customer_scheme(scoring->arena, item),
            .core_name = name_core(scoring->arena, item->party_name),
        };
    }
    struct rows rows;
    TRY(counterparties_find(scoring->scope, queries, n, &rows));
    scoring->known = index_rows(scoring, &rows, sizeof(struct counterparty_known), query_of_known);
    return OK;
}

/* A party that this window made earlier is offered to its later items as well. */
static void offer_new_parties(const struct scoring *scoring, struct known_counterparty *known,
                              size_t *count, size_t room)
{
    const struct score_result *result = scoring->result;
    for (size_t i = 0; i < result->party_count && *count < room; i++) {
        const struct resolved_party *party = &result->parties[i];
        if (!party->created)
            continue;
        known[(*count)++] = (struct known_counterparty){
            .id = party->counterparty,
            .name = party->name,
            .email = party->email,
            .vat_id = party->vat_id,
            .siren = party->siren,
            .iban = party->iban,
            .customer_id = party->customer_id,
        };
    }
}

static size_t known_of(const struct scoring *scoring, size_t item, struct known_counterparty *known)
{
    const struct counterparty_known *rows = scoring->known.at;
    size_t count = 0, end = scoring->known.from[item + 1];
    for (size_t i = scoring->known.from[item]; i < end && count < MATCH_CANDIDATES_MAX; i++) {
        known[count++] = (struct known_counterparty){
            .id = rows[i].id,
            .name = rows[i].name,
            .email = rows[i].email,
            .vat_id = rows[i].vat_id,
            .siren = rows[i].siren,
            .iban = rows[i].iban,
            .customer_id = rows[i].customer_id,
            .alias_confirmed = rows[i].alias_confirmed,
        };
    }
    return count;
}

static bool confirmed(const struct scoring *scoring, size_t item, struct uuid counterparty)
{
    const struct counterparty_known *rows = scoring->known.at;
    for (size_t i = scoring->known.from[item]; i < scoring->known.from[item + 1]; i++) {
        if (uuid_equal(rows[i].id, counterparty))
            return rows[i].confirmed || rows[i].alias_confirmed;
    }
    return false;
}

/* What the store offered for the item, however it was resolved. */
static void note_known(const struct scoring *scoring, size_t item, struct resolved_party *party)
{
    const struct counterparty_known *rows = scoring->known.at;
    size_t from = scoring->known.from[item], count = scoring->known.from[item + 1] - from;
    struct uuid *known = arena_array(scoring->arena, count, sizeof *known);
    for (size_t i = 0; i < count; i++)
        known[i] = rows[from + i].id;
    party->known = known;
    party->known_count = count;
}

/* Accounts that the store knows of a counterparty, or that an earlier item of the window named. */
static bool other_account(const struct scoring *scoring, size_t item, struct uuid counterparty)
{
    const struct score_result *result = scoring->result;
    const char *iban = iban_normalise(scoring->arena, result->items[item].item->party_iban);
    const struct counterparty_known *rows = scoring->known.at;
    bool has_others = false;
    for (size_t i = scoring->known.from[item]; iban && i < scoring->known.from[item + 1]; i++) {
        if (!uuid_equal(rows[i].id, counterparty))
            continue;
        if (rows[i].iban_listed)
            return false;
        has_others = has_others || rows[i].iban;
    }
    for (size_t i = 0; iban && i < result->party_count; i++) {
        const struct resolved_party *party = &result->parties[i];
        if (!uuid_equal(party->counterparty, counterparty) || !party->iban)
            continue;
        if (text_equal(party->iban, iban))
            return false;
        has_others = true;
    }
    return has_others;
}

static void note_party(struct scoring *scoring, size_t at)
{
    struct scored *scored = &scoring->result->items[at];
    const struct scoring_item *item = scored->item;
    if (scored->resolution.basis == BASIS_NONE)
        return;
    struct resolved_party *party = &scoring->result->parties[scoring->result->party_count++];
    *party = (struct resolved_party){
        .record = item->record,
        .counterparty =
            scored->resolution.found ? scored->resolution.id : db_new_id(scoring->scope),
        .created = !scored->resolution.found,
        .strong = scored->resolution.basis == BASIS_STRONG,
        .company = item->party_company,
        .how = scored->resolution.found ? counterparty_basis_name(scored->resolution.basis) : "new",
        .norm_version = NORM_VERSION,
        .name = item->party_name ? item->party_name : item->party_email,
        .name_norm = name_core(scoring->arena, item->party_name),
        .country = item->party_country,
        .vat_id = vat_normalise(scoring->arena, item->party_vat_id),
        .siren = siren_normalise(scoring->arena, item->party_siren),
        .iban = iban_normalise(scoring->arena, item->party_iban),
        .email = item->party_email,
        .customer_id = item->party_customer_id,
        .customer_scheme = customer_scheme(scoring->arena, item),
    };
    if (!party->name)
        party->name = item->party_customer_id ? item->party_customer_id : item->source_id;
    if (party->created)
        note_known(scoring, at, party);
    scored->party = party;
}

/* One after the other, in the order of source ids: what an item teaches, the next one knows. */
static enum err resolve_parties(struct scoring *scoring)
{
    TRY(find_known(scoring));
    struct known_counterparty *known =
        arena_array(scoring->arena, MATCH_CANDIDATES_MAX, sizeof *known);
    for (size_t i = 0; i < scoring->result->count; i++) {
        struct scored *scored = &scoring->result->items[i];
        size_t count = known_of(scoring, i, known);
        offer_new_parties(scoring, known, &count, MATCH_CANDIDATES_MAX);
        TRY(match_resolve(scoring->arena, &scoring->context, &scored->record, known, count,
                          &scored->resolution));
        scored->iban_changed =
            scored->resolution.found && other_account(scoring, i, scored->resolution.id);
        note_party(scoring, i);
        scored->party_confirmed =
            scored->resolution.found && confirmed(scoring, i, scored->resolution.id);
    }
    return OK;
}

/* ---- what the store knows ---- */

static struct uuid counterparty_of(const struct scored *scored)
{
    return scored->party ? scored->party->counterparty : (struct uuid){{0}};
}

static enum err find_candidates(struct scoring *scoring)
{
    size_t n = scoring->result->count;
    struct blocking_query *queries = arena_array(scoring->arena, n, sizeof *queries);
    for (size_t i = 0; i < n; i++) {
        const struct scored *scored = &scoring->result->items[i];
        queries[i] = (struct blocking_query){
            .record = scored->item->record,
            .core_name = name_core(scoring->arena, scored->item->party_name),
            .reference = reference_normalise(scoring->arena, scored->item->reference),
            .amount = scored->record.amount,
            .net = scored->item->net, /* as it was booked: it has its own sign */
            .date = scored->item->date,
            .counterparty = counterparty_of(scored),
        };
    }
    struct rows rows;
    TRY(blocking_find(scoring->scope, scoring->window->target_connection, queries, n, &rows));
    scoring->candidates = index_rows(scoring, &rows, sizeof(struct blocking_entry), query_of_entry);
    return OK;
}

static enum err find_usage(struct scoring *scoring)
{
    size_t n = scoring->result->count;
    struct usage_query *queries = arena_array(scoring->arena, n, sizeof *queries);
    for (size_t i = 0; i < n; i++) {
        const struct scored *scored = &scoring->result->items[i];
        queries[i] = (struct usage_query){counterparty_of(scored), scored->item->amount.currency,
                                          scored->item->kind};
    }
    struct rows rows;
    TRY(usage_find(scoring->scope, queries, n, &rows));
    scoring->usage = index_rows(scoring, &rows, sizeof(struct usage), query_of_usage);
    return OK;
}

static enum err find_duplicates(struct scoring *scoring)
{
    size_t n = scoring->result->count;
    struct duplicate_query *queries = arena_array(scoring->arena, n, sizeof *queries);
    for (size_t i = 0; i < n; i++) {
        const struct scored *scored = &scoring->result->items[i];
        queries[i] = (struct duplicate_query){
            .record = scored->item->record,
            .kind = scored->item->kind,
            .counterparty = counterparty_of(scored),
            .core = name_core(scoring->arena, scored->item->party_name),
            .amount = scored->item->amount,
            .date = scored->item->date,
            .reference = reference_normalise(scoring->arena, scored->item->reference),
        };
    }
    struct rows rows;
    TRY(duplicates_find(scoring->scope, queries, n, &rows));
    scoring->duplicates =
        index_rows(scoring, &rows, sizeof(struct duplicate_found), query_of_duplicate);
    return OK;
}

static bool has_duplicate(const struct scoring *scoring, size_t item)
{
    return scoring->duplicates.from[item] < scoring->duplicates.from[item + 1];
}

static struct usage usage_of(const struct scoring *scoring, size_t item)
{
    const struct usage *rows = scoring->usage.at;
    size_t at = scoring->usage.from[item];
    return at < scoring->usage.from[item + 1] ? rows[at] : (struct usage){.query = (int)item};
}

/* ---- the decision ---- */

static size_t entries_of(const struct scoring *scoring, size_t item, const char *role,
                         struct match_entry *entries)
{
    const struct blocking_entry *rows = scoring->candidates.at;
    size_t count = 0, end = scoring->candidates.from[item + 1];
    for (size_t i = scoring->candidates.from[item]; i < end && count < MATCH_CANDIDATES_MAX; i++) {
        if (!text_equal(rows[i].role, role))
            continue;
        entries[count++] = (struct match_entry){
            .id = rows[i].id,
            .amount = rows[i].amount,
            .date = rows[i].date,
            .due_date = rows[i].due_date,
            .name = rows[i].counterparty_name,
            .vat_id = rows[i].counterparty_vat_id,
            .iban = rows[i].counterparty_iban,
            .reference = rows[i].reference,
            .description = rows[i].description,
            .file_name = rows[i].file_name,
            .analysed = rows[i].analysed,
            .consumed = rows[i].consumed,
            .same_counterparty = rows[i].same_counterparty,
            .alias_confirmed = rows[i].alias_confirmed,
        };
    }
    return count;
}

static enum usual usual_of(int64_t posts, int64_t of_this)
{
    if (posts == 0)
        return USUAL_UNKNOWN;
    return of_this > 0 ? USUAL_YES : USUAL_NO;
}

static struct gate_facts gate_of(const struct scored *scored, const struct usage *usage)
{
    struct gate_facts facts = {
        .document = true, /* one is always rendered from the record */
        .basis = scored->resolution.basis,
        .resolution_p_micro = scored->resolution.p_micro,
        .posts = usage->posts,
        .overturned = usage->overturned,
        .currency_usual = usual_of(usage->posts, usage->posts_in_currency),
        .kind_usual = usual_of(usage->posts, usage->posts_of_kind),
    };
    if (usage->posts_in_currency > 0) {
        facts.usual_low = scored->record.amount;
        facts.usual_high = scored->record.amount;
        facts.usual_low.minor = usage->low_minor;
        facts.usual_high.minor = usage->high_minor;
    }
    return facts;
}

static struct policy_facts facts_of(const struct scoring *scoring, size_t item,
                                    const struct usage *usage)
{
    const struct scored *scored = &scoring->result->items[item];
    return (struct policy_facts){
        .closed_until = scoring->closed_until,
        .changed_after_delivery =
            scored->item->delivered_before && text_equal(scored->item->posting, "post"),
        .correction = text_equal(scored->item->posting, "correct"),
        .provenance_ours = scored->item->ours,
        .suspected_duplicate = has_duplicate(scoring, item),
        .iban_changed = scored->iban_changed,
        .look_alike_name = scored->resolution.look_alike,
        .iban_under_two_names = scored->resolution.conflict,
        .counterparty_known = scored->party_confirmed,
        .counterparty_posts = usage->posts,
    };
}

static enum err decide_item(struct scoring *scoring, size_t item, struct match_entry *documents,
                            struct match_entry *settlements)
{
    struct scored *scored = &scoring->result->items[item];
    struct usage usage = usage_of(scoring, item);
    struct gate_facts gate = gate_of(scored, &usage);
    struct policy_facts facts = facts_of(scoring, item, &usage);
    struct match_request request = {
        .record = &scored->record,
        .documents = documents,
        .document_count = entries_of(scoring, item, "document", documents),
        .settlements = settlements,
        .settlement_count = entries_of(scoring, item, "settlement", settlements),
        .gate = &gate,
        .facts = &facts,
        .settings = &scoring->policy,
    };
    scored->correction_of_nothing = facts.correction && !scored->item->delivered_before;
    return match_decide(scoring->arena, &scoring->context, &request, &scored->decision);
}

static enum err decide_all(struct scoring *scoring)
{
    struct score_result *result = scoring->result;
    struct match_entry *documents =
        arena_array(scoring->arena, MATCH_CANDIDATES_MAX, sizeof *documents);
    struct match_entry *settlements =
        arena_array(scoring->arena, MATCH_CANDIDATES_MAX, sizeof *settlements);
    struct decision **decisions =
        arena_array(scoring->arena, result->count, sizeof(struct decision *));
    size_t count = 0;
    for (size_t i = 0; i < result->count; i++) {
        TRY(decide_item(scoring, i, documents, settlements));
        if (!result->items[i].correction_of_nothing)
            decisions[count++] = &result->items[i].decision;
    }
    match_batch_assign(scoring->arena, decisions, count);
    return OK;
}

enum err score_window(const struct environment *env, const struct scope *scope,
                      const struct scoring_window *window, struct score_result *into)
{
    *into = (struct score_result){
        .items = arena_array(scope->arena, window->count, sizeof(struct scored)),
        .count = window->count,
        .parties = arena_array(scope->arena, window->count, sizeof(struct resolved_party)),
    };
    for (size_t i = 0; i < window->count; i++) {
        into->items[i].item = &window->items[i];
        into->items[i].record = record_of(&window->items[i]);
    }
    struct scoring scoring = {
        .env = env, .scope = scope, .window = window, .arena = scope->arena, .result = into};
    open_context(&scoring);
    TRY(read_settings(&scoring));
    TRY(resolve_parties(&scoring));
    TRY(find_candidates(&scoring));
    TRY(find_usage(&scoring));
    TRY(find_duplicates(&scoring));
    return decide_all(&scoring);
}
