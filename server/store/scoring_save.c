/* The outcome of a window, written in one transaction. */
#include "base/text.h"
#include "store/audit.h"
#include "store/delivery_block.h"
#include "store/document.h"
#include "store/json_rows.h"
#include "store/queue.h"
#include "store/scoring.h"

enum { IDENTIFIER_BYTES_MAX = 200 };

struct saving {
    const struct scoring_outcome *outcome;
    struct uuid *decisions; /* parallel to the items; nil where there was nothing to decide */
};

static enum err write_rows(const struct scope *scope, const struct statement *statement,
                           const json_t *rows)
{
    const char *text = rows_text(scope->arena, rows);
    if (!text)
        return OK;
    return db_exec(scope, statement, PARAMS(P(scope->workspace), P_JSON(text), P(db_now(scope))),
                   NULL);
}

/* ---- parties ---- */

STATEMENT(parties_insert_sql,
          "INSERT INTO region.counterparty (workspace_id, id, name, core_name, norm_version,"
          " country, company, email, created_at)"
          " SELECT $1, id, name, core_name, norm_version, country, company, email, $3"
          " FROM jsonb_to_recordset($2) AS x(id uuid, name text, core_name text,"
          " norm_version text, country text, company boolean, email text)");
STATEMENT(identifiers_insert_sql,
          "INSERT INTO region.counterparty_identifier (workspace_id, scheme, value,"
          " counterparty_id, record_id, created_at)"
          " SELECT $1, scheme, value, counterparty, record, $3"
          " FROM jsonb_to_recordset($2)"
          " AS x(scheme text, value text, counterparty uuid, record uuid)"
          " ON CONFLICT (workspace_id, scheme, value, counterparty_id) DO NOTHING");
STATEMENT(aliases_insert_sql,
          "INSERT INTO region.counterparty_alias (workspace_id, name_norm, counterparty_id, name,"
          " core_name, norm_version, created_at)"
          " SELECT $1, core_name, id, name, core_name, norm_version, $3"
          " FROM jsonb_to_recordset($2) AS x(id uuid, name text, core_name text,"
          " norm_version text)"
          " ON CONFLICT (workspace_id, name_norm, counterparty_id) DO NOTHING");
STATEMENT(records_resolve_sql,
          "UPDATE region.record r SET counterparty_id = x.counterparty, counterparty_how = x.how"
          " FROM jsonb_to_recordset($2) AS x(record uuid, counterparty uuid, how text)"
          " WHERE r.workspace_id = $1 AND r.id = x.record"
          " AND r.counterparty_id IS DISTINCT FROM x.counterparty AND $3::timestamptz IS NOT NULL");

static void add_identifier(struct arena *arena, json_t *rows, const struct resolved_party *party,
                           const char *scheme, const char *value)
{
    if (text_blank(value) || strlen(value) > IDENTIFIER_BYTES_MAX) /* identifies nobody */
        return;
    json_t *row = rows_add(rows);
    row_text(row, "scheme", scheme);
    row_text(row, "value", value);
    row_uuid(arena, row, "counterparty", party->counterparty);
    row_uuid(arena, row, "record", party->record);
}

static void add_identifiers(struct arena *arena, json_t *rows, const struct resolved_party *party)
{
    if (!party->created && !party->strong)
        return;
    add_identifier(arena, rows, party, "vat_id", party->vat_id);
    add_identifier(arena, rows, party, "siren", party->siren);
    add_identifier(arena, rows, party, "iban", party->iban);
    add_identifier(arena, rows, party, "email", party->email);
    add_identifier(arena, rows, party, party->customer_scheme, party->customer_id);
}

static bool country_code(const char *text)
{
    return text && strlen(text) == 2 && text[0] >= 'A' && text[0] <= 'Z' && text[1] >= 'A' &&
           text[1] <= 'Z';
}

static void add_party(struct arena *arena, json_t *rows, const struct resolved_party *party)
{
    json_t *row = rows_add(rows);
    row_uuid(arena, row, "id", party->counterparty);
    row_text(row, "name", party->name);
    row_text(row, "core_name", party->name_norm ? party->name_norm : "");
    row_text(row, "norm_version", party->norm_version);
    row_text(row, "country", country_code(party->country) ? party->country : NULL);
    row_bool(row, "company", party->company);
    row_text(row, "email", party->email);
}

/* Two windows of a workspace may be scored at once. Who makes counterparties waits for the other,
 * and one that came in meanwhile is to be found by scoring again. */
STATEMENT(parties_lock_sql, "SELECT 1::bigint FROM (SELECT pg_advisory_xact_lock("
                            "hashtextextended('sluice.counterparty.' || $1, 0))) AS held");
/* Of very many that bear one name only the nearest were looked at: those say nothing. */
STATEMENT(parties_came_sql,
          "SELECT count(*) FROM jsonb_to_recordset($2)"
          " AS x(scheme text, value text, name text, known uuid[])"
          " WHERE EXISTS (SELECT FROM region.counterparty_identifier i WHERE i.workspace_id = $1"
          " AND i.scheme = x.scheme AND i.value = x.value AND i.counterparty_id <> ALL (x.known))"
          " OR (EXISTS (SELECT FROM region.counterparty_alias a WHERE a.workspace_id = $1"
          " AND a.name_norm = x.name AND a.counterparty_id <> ALL (x.known))"
          " AND (SELECT count(*) FROM region.counterparty_alias a WHERE a.workspace_id = $1"
          " AND a.name_norm = x.name) < $3)");

static void add_known(struct arena *arena, json_t *rows, size_t from,
                      const struct resolved_party *party)
{
    for (size_t row = from; row < json_array_size(rows); row++) {
        json_t *known = json_array();
        for (size_t i = 0; i < party->known_count; i++)
            json_array_append_new(known, json_string(uuid_format(arena, party->known[i])));
        json_object_set_new(json_array_get(rows, row), "known", known);
    }
}

enum err scoring_parties_new(const struct scope *scope, const struct resolved_party *parties,
                             size_t count)
{
    struct arena *arena = scope->arena;
    json_t *rows = rows_new(arena);
    for (size_t i = 0; i < count; i++) {
        size_t from = json_array_size(rows);
        if (!parties[i].created)
            continue;
        add_identifiers(arena, rows, &parties[i]);
        if (!text_blank(parties[i].name_norm))
            row_text(rows_add(rows), "name", parties[i].name_norm);
        add_known(arena, rows, from, &parties[i]);
    }
    const char *text = rows_text(arena, rows);
    int64_t came;
    if (!text)
        return OK;
    TRY(db_int(scope, &parties_came_sql,
               PARAMS(P(scope->workspace), P_JSON(text), P((int)KNOWN_COUNTERPARTIES_MAX)), &came));
    return came == 0 ? OK
                     : arena_fail(scope->arena, ERR_CONFLICT, NULL,
                                  "A counterparty was made meanwhile; the window is scored again.");
}

static enum err refuse_doubles(const struct scope *scope, const struct scoring_outcome *outcome)
{
    int64_t held;
    bool makes = false;
    for (size_t i = 0; i < outcome->party_count; i++)
        makes = makes || outcome->parties[i].created;
    if (!makes)
        return OK;
    TRY(db_int(scope, &parties_lock_sql,
               PARAMS(P((const char *)uuid_format(scope->arena, scope->workspace))), &held));
    return scoring_parties_new(scope, outcome->parties, outcome->party_count);
}

static enum err save_parties(const struct scope *scope, const struct scoring_outcome *outcome)
{
    struct arena *arena = scope->arena;
    json_t *created = rows_new(arena), *identifiers = rows_new(arena), *aliases = rows_new(arena),
           *records = rows_new(arena);
    for (size_t i = 0; i < outcome->party_count; i++) {
        const struct resolved_party *party = &outcome->parties[i];
        if (party->created)
            add_party(arena, created, party);
        if (party->name_norm && (party->created || party->strong))
            add_party(arena, aliases, party);
        add_identifiers(arena, identifiers, party);
        json_t *row = rows_add(records);
        row_uuid(arena, row, "record", party->record);
        row_uuid(arena, row, "counterparty", party->counterparty);
        row_text(row, "how", party->how);
    }
    TRY(refuse_doubles(scope, outcome));
    TRY(write_rows(scope, &parties_insert_sql, created));
    TRY(write_rows(scope, &identifiers_insert_sql, identifiers));
    TRY(write_rows(scope, &aliases_insert_sql, aliases));
    return write_rows(scope, &records_resolve_sql, records);
}

/* ---- decisions ---- */

STATEMENT(decisions_insert_sql,
          "INSERT INTO region.decision (workspace_id, id, item_id, seq, outcome, action, entry_id,"
          " settlement_entry_id, p_micro, match_p_micro, match_calibrated, gate_p_micro,"
          " gate_calibrated, settlement_p_micro, no_entry_p_micro, unseen_p_micro, axes,"
          " contributions, features, model_version, norm_version, policy_version,"
          " settings_version, counterparty_id, ledger_kind, ledger_as_of, ledger_stale,"
          " window_id, taken_by, created_at)"
          " SELECT $1, x.id, x.item, 1 + coalesce((SELECT max(d.seq) FROM region.decision d"
          " WHERE d.workspace_id = $1 AND d.item_id = x.item), 0), x.band, x.action, x.entry,"
          " x.settlement, x.p, x.match_p, x.match_calibrated, x.gate_p, x.gate_calibrated,"
          " x.settlement_p, x.no_entry_p, x.unseen_p, x.axes, x.contributions::jsonb, x.features,"
          " x.model, x.norm, x.policy, x.settings, x.counterparty, x.ledger_kind,"
          " x.ledger_as_of, x.ledger_stale, x.window_id, 'machine', $3"
          " FROM jsonb_to_recordset($2) AS x(id uuid, item uuid, band text, action text,"
          " entry uuid, settlement uuid, p bigint, match_p bigint, match_calibrated boolean,"
          " gate_p bigint, gate_calibrated boolean, settlement_p bigint, no_entry_p bigint,"
          " unseen_p bigint, axes jsonb, contributions text, features text, model text,"
          " norm text, policy text, settings int, counterparty uuid, ledger_kind text,"
          " ledger_as_of timestamptz, ledger_stale boolean, window_id uuid)");
STATEMENT(candidates_insert_sql,
          "INSERT INTO region.candidate (workspace_id, decision_id, role, rank, entry_id, p_micro,"
          " score_micro, features, contributions)"
          " SELECT $1, decision, role, rank, entry, p, score, features, contributions::jsonb"
          " FROM jsonb_to_recordset($2) AS x(decision uuid, role text, rank int, entry uuid,"
          " p bigint, score bigint, features text, contributions text)"
          " WHERE $3::timestamptz IS NOT NULL");
STATEMENT(policies_insert_sql,
          "INSERT INTO region.decision_policy (workspace_id, decision_id, code, effect, detail)"
          " SELECT $1, decision, code, effect, to_jsonb(detail)"
          " FROM jsonb_to_recordset($2)"
          " AS x(decision uuid, code text, effect text, detail text)"
          " WHERE $3::timestamptz IS NOT NULL");

static void add_figures(json_t *row, const struct decided_item *item)
{
    row_int(row, "p", item->p_micro);
    row_int(row, "match_p", item->match_p_micro);
    row_bool(row, "match_calibrated", item->match_calibrated);
    row_int(row, "gate_p", item->gate_p_micro);
    row_bool(row, "gate_calibrated", item->gate_calibrated);
    row_int(row, "settlement_p", item->settlement_p_micro);
    row_int(row, "no_entry_p", item->no_entry_p_micro);
    row_int(row, "unseen_p", item->unseen_p_micro);
    json_t *axes = json_object();
    row_int(axes, "field_completeness", item->completeness_e4);
    row_int(axes, "counterparty_strength", item->strength_e4);
    row_int(axes, "policy_fit", item->fit_e4);
    json_object_set_new(row, "axes", axes);
}

static void add_decision(struct arena *arena, json_t *rows, const struct saving *saving, size_t i)
{
    const struct scoring_outcome *outcome = saving->outcome;
    const struct decided_item *item = &outcome->items[i];
    json_t *row = rows_add(rows);
    row_uuid(arena, row, "id", saving->decisions[i]);
    row_uuid(arena, row, "item", item->item);
    row_text(row, "band", item->band);
    row_text(row, "action", item->action);
    row_uuid(arena, row, "entry", item->entry);
    row_uuid(arena, row, "settlement", item->settlement_entry);
    add_figures(row, item);
    row_text(row, "contributions", item->gate_contributions);
    row_text(row, "features", item->text);
    row_text(row, "model", item->model_version);
    row_text(row, "norm", item->norm_version);
    row_text(row, "policy", item->policy_version);
    row_int(row, "settings", outcome->settings_version);
    row_uuid(arena, row, "counterparty", item->counterparty);
    row_text(row, "ledger_kind", outcome->ledger_kind);
    row_time(arena, row, "ledger_as_of", outcome->ledger_as_of);
    row_bool(row, "ledger_stale", outcome->ledger_stale);
    row_uuid(arena, row, "window_id", outcome->window);
}

static void add_candidates(struct arena *arena, json_t *rows, const struct saving *saving, size_t i)
{
    const struct decided_item *item = &saving->outcome->items[i];
    for (size_t c = 0; c < item->candidate_count; c++) {
        const struct decided_candidate *candidate = &item->candidates[c];
        json_t *row = rows_add(rows);
        row_uuid(arena, row, "decision", saving->decisions[i]);
        row_text(row, "role", candidate->role);
        row_int(row, "rank", candidate->rank);
        row_uuid(arena, row, "entry", candidate->entry);
        row_int(row, "p", candidate->p_micro);
        row_int(row, "score", candidate->log_odds_micro);
        row_text(row, "features", candidate->features);
        row_text(row, "contributions", candidate->contributions);
    }
}

static void add_policies(struct arena *arena, json_t *rows, const struct saving *saving, size_t i)
{
    const struct decided_item *item = &saving->outcome->items[i];
    for (size_t p = 0; p < item->policy_count; p++) {
        json_t *row = rows_add(rows);
        row_uuid(arena, row, "decision", saving->decisions[i]);
        row_text(row, "code", item->policies[p].code);
        row_text(row, "effect", item->policies[p].severity);
        row_text(row, "detail", item->policies[p].sentence);
    }
}

static enum err save_some(const struct scope *scope, const struct saving *saving, size_t from,
                          size_t to)
{
    struct arena *arena = scope->arena;
    json_t *decisions = rows_new(arena), *candidates = rows_new(arena), *policies = rows_new(arena);
    for (size_t i = from; i < to; i++) {
        if (uuid_is_nil(saving->decisions[i]))
            continue;
        add_decision(arena, decisions, saving, i);
        add_candidates(arena, candidates, saving, i);
        add_policies(arena, policies, saving, i);
    }
    TRY(write_rows(scope, &decisions_insert_sql, decisions));
    TRY(write_rows(scope, &candidates_insert_sql, candidates));
    return write_rows(scope, &policies_insert_sql, policies);
}

enum { DECISIONS_PER_STATEMENT = 100 };

/* In slices, each with an arena of its own: what goes to the database is large. */
static enum err save_decisions(const struct scope *scope, const struct saving *saving)
{
    size_t count = saving->outcome->item_count;
    enum err error = OK;
    for (size_t from = 0; from < count && error == OK; from += DECISIONS_PER_STATEMENT) {
        size_t left = count - from;
        struct scope own = *scope;
        own.arena = arena_open();
        error = save_some(&own, saving, from,
                          from + (left < DECISIONS_PER_STATEMENT ? left : DECISIONS_PER_STATEMENT));
        if (error != OK)
            error = arena_failure_move(scope->arena, own.arena, error);
        arena_close(own.arena);
    }
    return error;
}

/* ---- items, links, deliveries ---- */

STATEMENT(items_decide_sql,
          "UPDATE region.item i SET state = x.state, state_changed_at = $3,"
          " decision_id = x.decision, p_micro = x.p, flags = x.flags,"
          " row_version = i.row_version + 1"
          " FROM jsonb_to_recordset($2) AS x(item uuid, state text, decision uuid, p bigint,"
          " flags text[])"
          " WHERE i.workspace_id = $1 AND i.id = x.item AND i.state = 'scoring'");
STATEMENT(links_insert_sql,
          "INSERT INTO region.link (workspace_id, item_id, entry_id, role, origin, decision_id,"
          " created_at)"
          " SELECT $1, item, entry, role, 'matched', decision, $3"
          " FROM jsonb_to_recordset($2) AS x(item uuid, entry uuid, role text, decision uuid)");

static json_t *flags_of(const struct decided_item *item)
{
    json_t *flags = json_array();
    for (size_t p = 0; p < item->policy_count; p++)
        json_array_append_new(flags, json_string(item->policies[p].code));
    return flags;
}

static enum err move_items(const struct scope *scope, const struct saving *saving)
{
    const struct scoring_outcome *outcome = saving->outcome;
    json_t *rows = rows_new(scope->arena);
    int64_t moved = 0;
    for (size_t i = 0; i < outcome->item_count; i++) {
        json_t *row = rows_add(rows);
        row_uuid(scope->arena, row, "item", outcome->items[i].item);
        row_text(row, "state", outcome->items[i].state);
        row_uuid(scope->arena, row, "decision", saving->decisions[i]);
        row_int(row, "p", outcome->items[i].p_micro);
        json_object_set_new(row, "flags", flags_of(&outcome->items[i]));
    }
    const char *text = rows_text(scope->arena, rows);
    if (!text)
        return OK;
    TRY(db_exec(scope, &items_decide_sql,
                PARAMS(P(scope->workspace), P_JSON(text), P(db_now(scope))), &moved));
    if (moved != (int64_t)outcome->item_count)
        return arena_fail(scope->arena, ERR_CONFLICT, NULL, "An item moved while it was scored.");
    return OK;
}

static void add_link(struct arena *arena, json_t *rows, struct uuid item, struct uuid entry,
                     const char *role, struct uuid decision)
{
    if (uuid_is_nil(entry))
        return;
    json_t *row = rows_add(rows);
    row_uuid(arena, row, "item", item);
    row_uuid(arena, row, "entry", entry);
    row_text(row, "role", role);
    row_uuid(arena, row, "decision", decision);
}

/* What is held or stopped consumes nothing. */
static enum err save_links(const struct scope *scope, const struct saving *saving)
{
    json_t *rows = rows_new(scope->arena);
    for (size_t i = 0; i < saving->outcome->item_count; i++) {
        const struct decided_item *item = &saving->outcome->items[i];
        struct uuid decision = saving->decisions[i];
        if (text_equal(item->state, "linked"))
            add_link(scope->arena, rows, item->item, item->entry, "document", decision);
        if (text_equal(item->state, "linked") || text_equal(item->state, "queued"))
            add_link(scope->arena, rows, item->item, item->settlement_entry, "settlement",
                     decision);
    }
    return write_rows(scope, &links_insert_sql, rows);
}

static enum err save_documents(const struct scope *scope, const struct scoring_outcome *outcome)
{
    for (size_t i = 0; i < outcome->item_count; i++) {
        const struct decided_item *item = &outcome->items[i];
        if (item->document)
            TRY(document_store(scope, item->item, outcome->integration, item->document));
    }
    return OK;
}

static enum err save_refusals(const struct scope *scope, const struct scoring_outcome *outcome)
{
    for (size_t i = 0; i < outcome->item_count; i++) {
        const struct decided_item *item = &outcome->items[i];
        if (item->refusal.code)
            TRY(item_refused(scope, item->item, outcome->integration, &item->refusal));
    }
    return OK;
}

STATEMENT(deliveries_insert_sql,
          "INSERT INTO region.delivery (workspace_id, id, item_id, integration_id, connection_id,"
          " window_id, operation, generation, idempotency_key, content_hash, document_sha256,"
          " file_name, content_type, state, state_changed_at, rank, retry_until, created_at)"
          " SELECT $1, x.id, x.item, x.integration, x.connection, x.window_id, x.operation,"
          " x.generation, x.idempotency_key, decode(x.sha256, 'hex'), decode(x.sha256, 'hex'),"
          " x.file_name, x.content_type, 'queued', $3, x.rank, x.retry_until, $3"
          " FROM jsonb_to_recordset($2) AS x(id uuid, item uuid, integration uuid,"
          " connection uuid, window_id uuid, operation text, generation int,"
          " idempotency_key uuid, sha256 text, file_name text, content_type text, rank int,"
          " retry_until timestamptz)");

void delivery_row(const struct scope *scope, json_t *rows, const struct delivery_insert *insert)
{
    struct arena *arena = scope->arena;
    json_t *row = rows_add(rows);
    row_uuid(arena, row, "id", insert->planned->id);
    row_uuid(arena, row, "item", insert->item);
    row_uuid(arena, row, "integration", insert->integration);
    row_uuid(arena, row, "connection", insert->connection);
    row_uuid(arena, row, "window_id", insert->window);
    row_text(row, "operation", insert->planned->operation);
    row_int(row, "generation", insert->planned->generation);
    row_uuid(arena, row, "idempotency_key", insert->planned->idempotency_key);
    row_text(row, "sha256", insert->document->sha256);
    row_text(row, "file_name", insert->document->file_name);
    row_text(row, "content_type", insert->document->content_type);
    row_int(row, "rank", insert->rank);
    row_time(arena, row, "retry_until", instant_add_s(db_now(scope), insert->retry_s_max));
}

enum err deliveries_insert(const struct scope *scope, const json_t *rows)
{
    return write_rows(scope, &deliveries_insert_sql, rows);
}

/* Best first: the order of the jobs is that of their ids. */
static const struct decided_item **by_position(const struct scope *scope,
                                               const struct scoring_outcome *outcome)
{
    const struct decided_item **ordered =
        arena_array(scope->arena, outcome->item_count, sizeof(const struct decided_item *));
    for (size_t i = 0; i < outcome->item_count; i++)
        ordered[outcome->items[i].position] = &outcome->items[i];
    return ordered;
}

static enum err save_deliveries(const struct scope *scope, const struct scoring_outcome *outcome,
                                size_t *count)
{
    const struct decided_item **ordered = by_position(scope, outcome);
    json_t *rows = rows_new(scope->arena);
    for (size_t i = 0; i < outcome->item_count; i++) {
        if (!ordered[i]->delivery)
            continue;
        delivery_row(scope, rows,
                     &(struct delivery_insert){
                         .planned = ordered[i]->delivery,
                         .document = ordered[i]->document,
                         .item = ordered[i]->item,
                         .integration = outcome->integration,
                         .connection = outcome->target_connection,
                         .window = outcome->window,
                         .rank = ordered[i]->position,
                         .retry_s_max = outcome->retry_s_max,
                     });
    }
    TRY(deliveries_insert(scope, rows));
    for (size_t i = 0; i < outcome->item_count; i++) {
        if (!ordered[i]->delivery)
            continue;
        TRY(delivery_enqueue(scope, ordered[i]->delivery->id, outcome->target_connection));
        (*count)++;
    }
    return OK;
}

/* ---- the window ---- */

STATEMENT(window_decided_sql, "UPDATE region.window SET state = 'delivering', items = $3,"
                              " row_version = row_version + 1"
                              " WHERE workspace_id = $1 AND id = $2 AND state = 'scoring'");
STATEMENT(window_done_sql,
          "UPDATE region.window SET state = 'done', done_at = $3, row_version = row_version + 1"
          " WHERE workspace_id = $1 AND id = $2 AND state = 'delivering'");

static enum err save_window(const struct scope *scope, const struct scoring_outcome *outcome,
                            bool done)
{
    int64_t moved = 0;
    TRY(db_exec(scope, &window_decided_sql,
                PARAMS(P(scope->workspace), P(outcome->window), P(outcome->item_count)), &moved));
    if (moved == 0)
        return arena_fail(scope->arena, ERR_CONFLICT, NULL, "The window was decided meanwhile.");
    if (done)
        TRY(db_exec(scope, &window_done_sql,
                    PARAMS(P(scope->workspace), P(outcome->window), P(db_now(scope))), NULL));
    json_t *detail = json_keep(scope->arena, json_object());
    row_int(detail, "items", (int64_t)outcome->item_count);
    return audit_append(scope, &(struct audit_entry){
                                   .action = "window.decided",
                                   .subject_kind = "window",
                                   .subject = outcome->window,
                                   .detail = json_write(scope->arena, detail),
                               });
}

static enum err save(const struct scope *scope, void *arg)
{
    struct saving *saving = arg;
    const struct scoring_outcome *outcome = saving->outcome;
    size_t deliveries = 0;
    struct delivery_way way;
    TRY(delivery_way_lock(scope, outcome->integration, &way));
    TRY(save_parties(scope, outcome));
    TRY(save_documents(scope, outcome));
    TRY(save_decisions(scope, saving));
    TRY(move_items(scope, saving));
    TRY(save_refusals(scope, outcome));
    TRY(save_links(scope, saving));
    TRY(save_deliveries(scope, outcome, &deliveries));
    TRY(save_window(scope, outcome, deliveries == 0));
    return deliveries_stop(scope, &way);
}

enum err scoring_save(const struct scope *scope, const struct scoring_outcome *outcome)
{
    struct saving saving = {
        .outcome = outcome,
        .decisions = arena_array(scope->arena, outcome->item_count, sizeof(struct uuid)),
    };
    for (size_t i = 0; i < outcome->item_count; i++) {
        if (!text_equal(outcome->items[i].state, "ignored"))
            saving.decisions[i] = db_new_id(scope);
    }
    return db_transaction(scope, save, &saving);
}
