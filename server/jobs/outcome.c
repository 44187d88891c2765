#include "jobs/outcome.h"

#include "base/text.h"
#include "crypto/crypto.h"

enum {
    CONTRIBUTIONS_BYTES_MAX = 32 * 1024,
    CANDIDATES_KEPT_MAX = 20, /* rows of one role; the replay text has all of them */
};

/* ---- documents and keys ---- */

static enum record_kind kind_of(const char *name)
{
    enum record_kind kind;
    return record_kind_parse(name, &kind) ? kind : KIND_CHARGE;
}

static struct source_record record_of(const struct scoring_item *item)
{
    return (struct source_record){
        .source_id = item->source_id,
        .kind = kind_of(item->kind),
        .source_event_id = item->source_event_id,
        .source_txn_id = item->source_txn_id,
        .parent_source_id = item->parent_source_id,
        .amount = item->amount,
        .fee = item->fee,
        .net = item->net,
        .date = item->date,
        .due_date = item->due_date,
        .occurred_at = item->occurred_at,
        .description = item->description,
        .reference = item->reference,
        .counterparty =
            {
                .name = item->party_name,
                .email = item->party_email,
                .country = item->party_country,
                .address = item->party_address,
                .postcode = item->party_postcode,
                .phone = item->party_phone,
                .vat_id = item->party_vat_id,
                .siren = item->party_siren,
                .iban = item->party_iban,
                .customer_id = item->party_customer_id,
                .company = item->party_company,
            },
    };
}

static struct document_input input_of(struct arena *arena, const struct document_order *order)
{
    const struct scoring_item *item = order->item;
    struct source_record record = record_of(item);
    struct document_input input = document_input_from(arena, &record);
    input.language = order->language;
    input.provider = item->provider;
    input.company = order->company;
    input.reference = uuid_format(arena, item->record);
    input.account = item->account;
    input.testmode = !item->livemode;
    input.version = item->version;
    input.reverses = order->reverses;
    input.fonts = order->fonts;
    return input;
}

static enum err render_in(struct arena *draft, struct arena *arena,
                          const struct document_order *order, struct stored_document *into)
{
    struct document_input input = input_of(draft, order);
    struct bytes pdf;
    const char *file_name;
    TRY(document_render(draft, &input, &pdf));
    TRY(document_file_name(draft, &input, &file_name));
    into->bytes = (struct bytes){arena_copy(arena, pdf.at, pdf.n), pdf.n};
    into->file_name = arena_text(arena, file_name);
    into->sha256 = sha256_hex(arena, into->bytes);
    into->content_type = "application/pdf";
    into->recipe = arena_format(arena, "rendered-%d", DOCUMENT_RECIPE_VERSION);
    return OK;
}

/* Drawing takes a hundred times what the page is in the end: its drafts end with an arena of their
 * own, or a window of a thousand items would not fit into memory. */
enum err document_of(const struct scope *scope, const struct document_order *order,
                     struct stored_document *into)
{
    struct arena *draft = arena_open();
    enum err error = render_in(draft, scope->arena, order, into);
    if (error != OK)
        error = arena_failure_move(scope->arena, draft, error);
    arena_close(draft);
    return error;
}

static struct bytes text_bytes(const char *text)
{
    return (struct bytes){(const uint8_t *)text, strlen(text)};
}

struct uuid delivery_key(const struct scope *scope, const struct delivery_identity *identity)
{
    struct arena *arena = scope->arena;
    const struct bytes parts[] = {
        {scope->workspace.b, sizeof scope->workspace.b},
        {identity->integration.b, sizeof identity->integration.b},
        text_bytes(identity->target_account),
        {identity->record.b, sizeof identity->record.b},
        text_bytes(arena_format(arena, "%d", identity->version)),
        text_bytes(identity->operation),
        text_bytes(arena_format(arena, "%d", identity->generation)),
    };
    return uuid_from_parts(arena, parts, COUNT(parts));
}

/* ---- explanations as JSON ---- */

static void add_contribution(struct buf *json, const char *feature, const char *reason,
                             int64_t log_odds_micro)
{
    buf_add_text(json, json->n > 1 ? "," : "");
    buf_add_text(json, "{\"feature\":");
    buf_add_json(json, feature);
    buf_add_text(json, ",\"reason\":");
    buf_add_json(json, reason);
    buf_format(json, ",\"log_odds_micro\":%" PRId64 "}", log_odds_micro);
}

/* Where texts end up, and where they grow: a draft is several times as large as what comes of it.
 */
struct writing {
    struct arena *arena;
    struct arena *draft;
};

static const char *match_contributions(const struct writing *writing,
                                       const struct candidate *candidate)
{
    struct buf json = buf_new(writing->draft, CONTRIBUTIONS_BYTES_MAX);
    buf_add_char(&json, '[');
    for (size_t i = 0; i < candidate->contribution_count; i++) {
        const struct contribution *contribution = &candidate->contributions[i];
        add_contribution(&json, contribution->feature, contribution->value,
                         contribution->log_odds_micro);
    }
    buf_add_char(&json, ']');
    return arena_text(writing->arena, json.data);
}

static const char *gate_contributions(const struct writing *writing, const struct gate_result *gate)
{
    struct buf json = buf_new(writing->draft, CONTRIBUTIONS_BYTES_MAX);
    buf_add_char(&json, '[');
    for (size_t i = 0; i < GATE_PART_COUNT; i++) {
        const struct gate_part_result *part = &gate->parts[i];
        add_contribution(&json, gate_part_info(part->part)->name,
                         gate_reason(part->part, part->level), part->log_odds_micro);
    }
    buf_add_char(&json, ']');
    return arena_text(writing->arena, json.data);
}

static const char *features_text(const struct writing *writing, const struct feature_vector *vector)
{
    struct buf text = buf_new(writing->draft, CONTRIBUTIONS_BYTES_MAX);
    features_write(&text, vector);
    return arena_text(writing->arena, text.data);
}

static void add_candidates(const struct writing *writing, const struct role_result *role,
                           struct decided_candidate *into, size_t *count)
{
    for (size_t i = 0; i < role->candidate_count && i < CANDIDATES_KEPT_MAX; i++) {
        const struct candidate *candidate = &role->candidates[i];
        into[(*count)++] = (struct decided_candidate){
            .role = match_role_name(candidate->role),
            .rank = candidate->rank,
            .entry = candidate->entry,
            .p_micro = candidate->p_micro,
            .log_odds_micro = candidate->log_odds_micro,
            .features = features_text(writing, &candidate->features),
            .contributions = match_contributions(writing, candidate),
        };
    }
}

static void add_policies(struct arena *arena, const struct policy_hits *hits,
                         struct decided_item *into)
{
    struct decided_policy *policies = arena_array(arena, hits->count, sizeof *policies);
    for (size_t i = 0; i < hits->count; i++) {
        policies[i] = (struct decided_policy){
            .code = policy_code(hits->codes[i]),
            .severity = policy_severity(hits->codes[i]) == POLICY_STOP ? "stop" : "hold",
            .sentence = policy_sentence(hits->codes[i]),
        };
    }
    into->policies = policies;
    into->policy_count = hits->count;
}

/* ---- one item ---- */

static const char *next_state(const struct scored *scored)
{
    if (scored->correction_of_nothing)
        return "ignored";
    switch (scored->decision.band) {
    case BAND_FLOW:
        return scored->decision.action == ACTION_LINK ? "linked" : "queued";
    case BAND_HOLD:
        return "held";
    case BAND_STOP:
        return "stopped";
    }
    return "held";
}

static enum err explain(const struct writing *writing, const struct scored *scored,
                        struct decided_item *into)
{
    struct arena *arena = writing->arena;
    const struct decision *decision = &scored->decision;
    const char *text;
    size_t room = decision->document.candidate_count + decision->settlement.candidate_count;
    struct decided_candidate *candidates = arena_array(arena, room, sizeof *candidates);
    add_candidates(writing, &decision->document, candidates, &into->candidate_count);
    add_candidates(writing, &decision->settlement, candidates, &into->candidate_count);
    into->candidates = candidates;
    add_policies(arena, &decision->policies, into);
    into->gate_contributions = gate_contributions(writing, &decision->gate);
    enum err error = decision_text(writing->draft, decision, &text);
    if (error != OK)
        return arena_failure_move(arena, writing->draft, error);
    into->text = arena_text(arena, text);
    return OK;
}

static void copy_figures(const struct scored *scored, struct decided_item *into)
{
    const struct decision *decision = &scored->decision;
    const struct gate_axis_result *axes = decision->gate.axes;
    into->item = scored->item->item;
    into->band = match_band_name(decision->band);
    into->action = match_action_name(decision->action);
    into->entry = decision->entry;
    into->settlement_entry = decision->settles && !decision->settlement_contested
                                 ? decision->settlement_entry
                                 : (struct uuid){{0}};
    into->p_micro = decision->p_micro;
    into->match_p_micro = decision->match_p_micro;
    into->gate_p_micro = decision->gate_p_micro;
    into->settlement_p_micro = decision->settlement_p_micro;
    into->no_entry_p_micro = decision->document.null_p_micro;
    into->unseen_p_micro = decision->document.unseen_p_micro;
    into->counterparty = scored->party ? scored->party->counterparty : (struct uuid){{0}};
    into->gate_calibrated = !decision->gate.uncalibrated;
    into->completeness_e4 = axes[AXIS_COMPLETENESS].value_e4;
    into->strength_e4 = axes[AXIS_STRENGTH].value_e4;
    into->fit_e4 = axes[AXIS_FIT].value_e4;
    into->model_version = decision->document.model->id;
    into->policy_version = POLICY_VERSION;
    into->norm_version = NORM_VERSION;
    into->state = next_state(scored);
}

static const struct planned_delivery *plan_delivery(const struct environment *env,
                                                    const struct scope *scope,
                                                    const struct scoring_window *window,
                                                    const struct scored *scored)
{
    struct planned_delivery *planned = arena_alloc(scope->arena, sizeof *planned);
    *planned = (struct planned_delivery){
        .id = uuid_v7(env->rand, clock_now(env->clock)),
        .operation = "create",
        .generation = 1,
    };
    planned->idempotency_key = delivery_key(scope, &(struct delivery_identity){
                                                       .integration = window->integration,
                                                       .target_account = window->target_account,
                                                       .record = scored->item->record,
                                                       .version = scored->item->version,
                                                       .operation = planned->operation,
                                                       .generation = planned->generation,
                                                   });
    return planned;
}

/* What the items of one window share while their outcomes are made. */
struct outcomes {
    const struct environment *env;
    const struct scope *scope;
    const struct scoring_window *window;
    struct document_fonts *fonts; /* NULL until the first document */
};

static enum err render(struct outcomes *outcomes, const struct scored *scored,
                       struct decided_item *into)
{
    const struct scope *scope = outcomes->scope;
    bool reversal = text_equal(scored->item->posting, "correct");
    bool wanted = !text_equal(into->state, "linked") && !text_equal(into->state, "ignored");
    if (!wanted || reversal) /* a reversal names the first document: made when it is approved */
        return OK;
    if (!outcomes->fonts)
        TRY(document_fonts_open(scope->arena, &outcomes->fonts));
    struct stored_document *document = arena_alloc(scope->arena, sizeof *document);
    struct document_order order = {.item = scored->item,
                                   .language = outcomes->window->language,
                                   .company = outcomes->window->workspace_name,
                                   .fonts = outcomes->fonts};
    TRY(document_of(scope, &order, document));
    into->document = document;
    return OK;
}

bool document_refused(const struct scope *scope, enum err error, struct item_refusal *into)
{
    const struct failure *failure = arena_failure(scope->arena);
    if (error != ERR_VALIDATION && error != ERR_LIMIT)
        return false;
    *into = (struct item_refusal){
        .code = "document_not_made",
        .text = arena_text(scope->arena, failure->detail ? failure->detail : err_sentence(error)),
        .field = arena_text(scope->arena, failure->field),
    };
    arena_failure_clear(scope->arena);
    return true;
}

/* One poisonous record keeps no other from being decided. What waits for a person goes on waiting:
 * the problem shows when it is approved. */
static enum err render_or_refuse(struct outcomes *outcomes, const struct scored *scored,
                                 struct decided_item *into)
{
    struct item_refusal refusal;
    enum err error = render(outcomes, scored, into);
    if (error == OK || !document_refused(outcomes->scope, error, &refusal))
        return error;
    into->document = NULL;
    if (text_equal(into->state, "queued")) {
        into->state = "problem";
        into->refusal = refusal;
    }
    return OK;
}

static enum err outcome_item(struct outcomes *outcomes, const struct scored *scored,
                             struct decided_item *into)
{
    const struct scope *scope = outcomes->scope;
    struct writing writing = {scope->arena, arena_open()};
    copy_figures(scored, into);
    enum err error = explain(&writing, scored, into);
    arena_close(writing.draft);
    TRY(error);
    TRY(render_or_refuse(outcomes, scored, into));
    if (text_equal(into->state, "queued"))
        into->delivery = plan_delivery(outcomes->env, scope, outcomes->window, scored);
    return OK;
}

/* ---- the window ---- */

static void number_by_confidence(struct arena *arena, const struct score_result *scores,
                                 struct decided_item *items)
{
    struct decision **ranked = arena_array(arena, scores->count, sizeof(struct decision *));
    for (size_t i = 0; i < scores->count; i++)
        ranked[i] = &scores->items[i].decision;
    match_batch_rank(ranked, scores->count);
    for (size_t rank = 0; rank < scores->count; rank++) {
        /* the decision is a member of its scored item, and these run parallel to `items` */
        const uint8_t *at = (const uint8_t *)ranked[rank] - offsetof(struct scored, decision);
        size_t index = (size_t)(at - (const uint8_t *)scores->items) / sizeof(struct scored);
        items[index].position = (int)rank;
    }
}

enum err outcome_of(const struct environment *env, const struct scope *scope,
                    const struct scoring_window *window, const struct score_result *scores,
                    struct scoring_outcome *into)
{
    struct outcomes outcomes = {.env = env, .scope = scope, .window = window};
    struct decided_item *items = arena_array(scope->arena, scores->count, sizeof *items);
    for (size_t i = 0; i < scores->count; i++)
        TRY(outcome_item(&outcomes, &scores->items[i], &items[i]));
    number_by_confidence(scope->arena, scores, items);
    *into = (struct scoring_outcome){
        .window = window->window,
        .integration = window->integration,
        .target_connection = window->target_connection,
        .settings_version = window->settings_version,
        .ledger_kind = window->ledger_kind,
        .ledger_as_of = window->ledger_fresh_at,
        .ledger_stale = scores->ledger_stale,
        .retry_s_max = env->retry_s_max,
        .parties = scores->parties,
        .party_count = scores->party_count,
        .items = items,
        .item_count = scores->count,
    };
    return OK;
}
