#include "store/delivery.h"

#include "base/text.h"
#include "store/audit.h"
#include "store/delivery_block.h"
#include "store/document.h"
#include "store/entry_free.h"
#include "store/overrides.h"
#include "store/problem.h"
#include "store/queue.h"

static const struct column delivery_columns[] = {
    COLUMN(struct delivery, id),
    COLUMN_AS("item_id", struct delivery, item),
    COLUMN_AS("integration_id", struct delivery, integration),
    COLUMN_AS("connection_id", struct delivery, connection),
    COLUMN_AS("window_id", struct delivery, window),
    COLUMN(struct delivery, operation),
    COLUMN(struct delivery, state),
    COLUMN(struct delivery, idempotency_key),
    COLUMN(struct delivery, generation),
    COLUMN(struct delivery, content_sha256),
    COLUMN(struct delivery, content_type),
    COLUMN(struct delivery, file_name),
    COLUMN(struct delivery, external_id),
    COLUMN(struct delivery, attempts),
    COLUMN(struct delivery, created_at),
    COLUMN(struct delivery, retry_until),
    COLUMN(struct delivery, resend),
};
static const struct shape delivery_shape = SHAPE(struct delivery, delivery_columns);

#define DELIVERY_SQL                                                                               \
    " id, item_id, integration_id, connection_id, window_id, operation, state, idempotency_key,"   \
    " generation, encode(document_sha256, 'hex') AS content_sha256, content_type, file_name,"      \
    " external_id, attempts, created_at, retry_until,"                                             \
    " coalesce(state_reason = 'resend', false) AS resend"

STATEMENT(delivery_get_sql,
          "SELECT" DELIVERY_SQL " FROM region.delivery WHERE workspace_id = $1 AND id = $2");

enum err delivery_get(const struct scope *scope, struct uuid id, struct delivery *into)
{
    return db_one(scope, &delivery_get_sql, PARAMS(P(scope->workspace), P(id)), &delivery_shape,
                  into);
}

enum err delivery_content(const struct scope *scope, const struct delivery *delivery,
                          struct bytes *into)
{
    return document_load(scope, delivery->content_sha256, into);
}

/* ---- an attempt, before it is made ---- */

STATEMENT(delivery_send_sql,
          "UPDATE region.delivery SET state = 'sending', attempts = attempts + 1,"
          " state_reason = NULL, state_changed_at = $3,"
          " first_sent_at = coalesce(first_sent_at, $3), next_at = NULL,"
          " look_after = clock_timestamp() + make_interval(secs => $4),"
          " row_version = row_version + 1"
          " WHERE workspace_id = $1 AND id = $2 AND state IN ('queued', 'retrying', 'uncertain')"
          " RETURNING attempts");
STATEMENT(attempt_insert_sql,
          "INSERT INTO region.attempt (workspace_id, delivery_id, n, kind, started_at, look_after)"
          " VALUES ($1, $2, $3, 'send', clock_timestamp(),"
          " clock_timestamp() + make_interval(secs => $4))");

struct starting {
    const struct delivery *delivery;
    int attempt_s;
    int *n;
};

static enum err start_attempt(const struct scope *scope, void *arg)
{
    const struct starting *starting = arg;
    double longest_s = starting->attempt_s;
    int64_t n = 0;
    enum err error = db_int(
        scope, &delivery_send_sql,
        PARAMS(P(scope->workspace), P(starting->delivery->id), P(db_now(scope)), P(longest_s)), &n);
    if (error == ERR_NOT_FOUND)
        return arena_fail(scope->arena, ERR_CONFLICT, NULL,
                          "The delivery is no longer to be sent.");
    TRY(error);
    *starting->n = (int)n;
    return db_exec(scope, &attempt_insert_sql,
                   PARAMS(P(scope->workspace), P(starting->delivery->id), P(n), P(longest_s)),
                   NULL);
}

enum err delivery_attempt_start(const struct scope *scope, const struct delivery *delivery,
                                int attempt_s, int *n)
{
    struct starting starting = {delivery, attempt_s, n};
    return db_transaction(scope, start_attempt, &starting);
}

STATEMENT(delivery_fence_sql,
          "UPDATE region.delivery SET look_after = clock_timestamp() + make_interval(secs => $4)"
          " WHERE workspace_id = $1 AND id = $2 AND state = 'sending' AND attempts = $3");

enum err delivery_attempt_fence(const struct scope *scope, struct uuid id, int n, int attempt_s)
{
    double longest_s = attempt_s;
    int64_t mine;
    TRY(db_exec(scope, &delivery_fence_sql, PARAMS(P(scope->workspace), P(id), P(n), P(longest_s)),
                &mine));
    if (mine == 1)
        return OK;
    return arena_fail(scope->arena, ERR_LEASE_LOST, NULL, "Another worker has the delivery.");
}

STATEMENT(delivery_look_due_sql,
          "SELECT ceil(greatest(0, extract(epoch FROM look_after - clock_timestamp())))::bigint"
          " FROM region.delivery WHERE workspace_id = $1 AND id = $2");

enum err delivery_look_due(const struct scope *scope, struct uuid id, int64_t *wait_s)
{
    return db_int(scope, &delivery_look_due_sql, PARAMS(P(scope->workspace), P(id)), wait_s);
}

/* ---- how it ended ---- */

static const char *const end_states[] = {
    [END_DONE] = "done",         [END_RETRY] = "retrying",  [END_UNCERTAIN] = "uncertain",
    [END_REJECTED] = "rejected", [END_BLOCKED] = "blocked", [END_ABSENT] = "uncertain",
};

STATEMENT(attempt_end_sql,
          "UPDATE region.attempt SET ended_at = clock_timestamp(), outcome = $4, status = $5,"
          " failure_code = $6, failure_detail = $7, excerpt = left($8, 2048)"
          " WHERE workspace_id = $1 AND delivery_id = $2 AND n = $3 AND ended_at IS NULL");
STATEMENT(delivery_end_sql,
          "UPDATE region.delivery SET state = $3, state_changed_at = $4,"
          " external_id = coalesce($5, external_id), verified = $3 = 'done',"
          " done_at = CASE WHEN $3 = 'done' THEN $4 END, failure_code = $6, failure_field = $7,"
          " failure_detail = $8, next_at = $9, entry_id = coalesce($10, entry_id),"
          " row_version = row_version + 1"
          " WHERE workspace_id = $1 AND id = $2");
STATEMENT(item_move_sql, "UPDATE region.item SET state = $3, state_changed_at = $4,"
                         " row_version = row_version + 1"
                         " WHERE workspace_id = $1 AND id = $2 AND state = ANY($5)");

static enum err move_item(const struct scope *scope, struct uuid item, const char *from,
                          const char *to)
{
    struct text_list states = {&from, 1};
    return db_exec(scope, &item_move_sql,
                   PARAMS(P(scope->workspace), P(item), P(to), P(db_now(scope)), P(states)), NULL);
}

static enum err end_attempt(const struct scope *scope, const struct delivery *delivery,
                            const struct delivery_outcome *outcome)
{
    if (outcome->attempt == 0)
        return OK;
    return db_exec(scope, &attempt_end_sql,
                   PARAMS(P(scope->workspace), P(delivery->id), P(outcome->attempt),
                          P(outcome->status), P_INT_IF(outcome->http_status, outcome->http_status),
                          P(outcome->problem_code), P(outcome->problem_text), P(outcome->excerpt)),
                   NULL);
}

/* ---- what we delivered is in the ledger at once, consumed by its item ---- */

struct made_entry {
    struct uuid id;
};
static const struct column made_columns[] = {COLUMN(struct made_entry, id)};
static const struct shape made_shape = SHAPE(struct made_entry, made_columns);

STATEMENT(entry_made_sql,
          "INSERT INTO region.ledger_entry AS e (workspace_id, id, connection_id, role,"
          " external_id, origin, delivery_id, amount_minor, currency, date, due_date,"
          " counterparty_id, counterparty_name, core_name, norm_version, vat_id, reference,"
          " reference_norm, description, file_name, analysed, mirrored_at, created_at)"
          " SELECT $1, $3, $4, 'document', $5, 'delivered', $6,"
          " CASE WHEN i.kind IN ('refund', 'credit_note') THEN -v.amount_minor"
          " ELSE v.amount_minor END, v.currency, v.date, v.due_date, r.counterparty_id,"
          " v.party_name, v.core_name, v.norm_version, v.party->>'vat_id', v.reference,"
          " v.reference_norm, v.description, $7, false, $8, $8"
          " FROM region.item i"
          " JOIN region.record r ON r.workspace_id = $1 AND r.id = i.record_id"
          " JOIN region.record_version v ON v.workspace_id = $1 AND v.record_id = i.record_id"
          " AND v.version = i.version"
          " WHERE i.workspace_id = $1 AND i.id = $2"
          " ON CONFLICT (workspace_id, connection_id, role, external_id) DO UPDATE"
          " SET origin = 'delivered', delivery_id = excluded.delivery_id,"
          " counterparty_id = excluded.counterparty_id,"
          " counterparty_name = coalesce(e.counterparty_name, excluded.counterparty_name),"
          " core_name = coalesce(e.core_name, excluded.core_name),"
          " norm_version = coalesce(e.norm_version, excluded.norm_version),"
          " reference = coalesce(e.reference, excluded.reference),"
          " reference_norm = coalesce(e.reference_norm, excluded.reference_norm),"
          " amount_minor = coalesce(e.amount_minor, excluded.amount_minor),"
          " currency = CASE WHEN e.amount_minor IS NULL THEN excluded.currency"
          " ELSE e.currency END, date = coalesce(e.date, excluded.date)"
          " RETURNING e.id");
STATEMENT(made_link_sql,
          "INSERT INTO region.link (workspace_id, item_id, entry_id, role, origin, decision_id,"
          " created_at)"
          " SELECT $1, i.id, $3, 'document', 'delivered', i.decision_id, $4 FROM region.item i"
          " WHERE i.workspace_id = $1 AND i.id = $2"
          " ON CONFLICT DO NOTHING");

static enum err make_entry(const struct scope *scope, const struct delivery *delivery,
                           const char *external_id, struct uuid *entry)
{
    struct made_entry made;
    bool document =
        text_equal(delivery->operation, "create") || text_equal(delivery->operation, "reverse");
    if (!external_id || !document)
        return OK;
    TRY(entry_own(scope,
                  &(struct own_document){delivery->connection, external_id, delivery->item}));
    if (!text_equal(delivery->operation, "create"))
        return OK;
    TRY(db_one(scope, &entry_made_sql,
               PARAMS(P(scope->workspace), P(delivery->item), P(db_new_id(scope)),
                      P(delivery->connection), P(external_id), P(delivery->id),
                      P(delivery->file_name), P(db_now(scope))),
               &made_shape, &made));
    *entry = made.id;
    return db_exec(scope, &made_link_sql,
                   PARAMS(P(scope->workspace), P(delivery->item), P(made.id), P(db_now(scope))),
                   NULL);
}

/* ---- the item and its problem ---- */

static const char *problem_action(enum delivery_end end)
{
    if (end == END_BLOCKED)
        return "reconnect";
    return end == END_UNCERTAIN ? "resolve_delivery" : "retry";
}

/* Lost credentials are told once by the connection, and lost answers mostly clear up by themselves.
 */
static enum err tell_of(const struct scope *scope, const struct problem_order *problem)
{
    struct notification notification = {
        .event = "problem_opened",
        .text = problem->text,
        .integration_id = problem->integration,
        .connection_id = problem->connection,
        .item_id = problem->item,
        .problem_id = problem->id,
    };
    return notification_add(scope, &notification);
}

static enum err raise_problem(const struct scope *scope, const struct delivery *delivery,
                              const struct delivery_outcome *outcome)
{
    struct problem_order order = {
        .code = outcome->problem_code,
        .text = outcome->problem_text,
        .delivery = delivery->id,
        .item = delivery->item,
        .integration = delivery->integration,
        .connection = delivery->connection,
        .detail = outcome->excerpt,
        .fields = problem_field(scope, outcome->problem_field, outcome->problem_text),
        .action = problem_action(outcome->end),
        .warning = outcome->end != END_REJECTED,
    };
    int64_t resolved; /* what an earlier generation was about is now about this one */
    TRY(problem_resolve(scope, &(struct problem_subject){.item = delivery->item}, &resolved));
    TRY(move_item(scope, delivery->item, "queued", "problem"));
    TRY(problem_open(scope, &order));
    return order.made && outcome->end == END_REJECTED ? tell_of(scope, &order) : OK;
}

/* What waited for a look, for credentials or for a person's fix goes on. */
static enum err lift_problem(const struct scope *scope, const struct delivery *delivery)
{
    int64_t resolved;
    TRY(move_item(scope, delivery->item, "problem", "queued"));
    return problem_resolve(scope, &(struct problem_subject){.item = delivery->item}, &resolved);
}

static enum err settle_item(const struct scope *scope, const struct delivery *delivery,
                            const struct delivery_outcome *outcome)
{
    switch (outcome->end) {
    case END_DONE:
        TRY(lift_problem(scope, delivery));
        return move_item(scope, delivery->item, "queued", "delivered");
    case END_ABSENT:
        return lift_problem(scope, delivery);
    case END_RETRY:
        return OK;
    case END_UNCERTAIN:
    case END_REJECTED:
    case END_BLOCKED:
        break;
    }
    return raise_problem(scope, delivery, outcome);
}

static enum err finish_window(const struct scope *scope, struct uuid window)
{
    return uuid_is_nil(window) ? OK : windows_finish(scope, (struct uuid_list){&window, 1});
}

static enum err note_audit(const struct scope *scope, const struct delivery *delivery,
                           const struct delivery_outcome *outcome)
{
    json_t *detail = json_keep(scope->arena, json_object());
    row_text(detail, "state", end_states[outcome->end]);
    row_text(detail, "status", outcome->status);
    row_int(detail, "attempt", outcome->attempt);
    row_text(detail, "external_id", outcome->external_id);
    return audit_append(scope, &(struct audit_entry){
                                   .action = "delivery.settled",
                                   .subject_kind = "delivery",
                                   .subject = delivery->id,
                                   .detail = json_write(scope->arena, detail),
                               });
}

struct settling {
    const struct delivery *delivery;
    const struct delivery_outcome *outcome;
};

static enum err settle_row(const struct scope *scope, const struct settling *settling)
{
    const struct delivery *delivery = settling->delivery;
    const struct delivery_outcome *outcome = settling->outcome;
    struct uuid entry = {{0}};
    TRY(end_attempt(scope, delivery, outcome));
    if (outcome->end == END_DONE)
        TRY(make_entry(scope, delivery, outcome->external_id, &entry));
    TRY(db_exec(scope, &delivery_end_sql,
                PARAMS(P(scope->workspace), P(delivery->id), P(end_states[outcome->end]),
                       P(db_now(scope)), P(outcome->external_id), P(outcome->problem_code),
                       P(outcome->problem_field), P(outcome->problem_text), P(outcome->next_at),
                       P(entry)),
                NULL));
    TRY(settle_item(scope, delivery, outcome));
    TRY(finish_window(scope, delivery->window));
    return note_audit(scope, delivery, outcome);
}

/* What is to be tried again waits for what happened to its connection or its integration while it
 * was tried. */
static enum err settle(const struct scope *scope, void *arg)
{
    const struct settling *settling = arg;
    const struct delivery *delivery = settling->delivery;
    struct delivery_way way;
    if (settling->outcome->end != END_RETRY)
        return settle_row(scope, settling);
    TRY(delivery_way_lock(scope, delivery->integration, &way));
    TRY(settle_row(scope, settling));
    return deliveries_stop(scope, &way);
}

enum err delivery_settle(const struct scope *scope, const struct delivery *delivery,
                         const struct delivery_outcome *outcome)
{
    struct settling settling = {delivery, outcome};
    return db_transaction(scope, settle, &settling);
}

/* ---- an approval whose grace period is over ---- */

struct approved_head {
    struct uuid integration;
    struct uuid target_connection;
    const char *target_account;
    const char *workspace_name;
    const char *language;
    int generation;
    const char *reverses_file_name;
    const char *reverses_external_id;
    struct date reverses_date;
};
static const struct column head_columns[] = {
    COLUMN(struct approved_head, integration),
    COLUMN(struct approved_head, target_connection),
    COLUMN(struct approved_head, target_account),
    COLUMN(struct approved_head, workspace_name),
    COLUMN(struct approved_head, language),
    COLUMN(struct approved_head, generation),
    COLUMN(struct approved_head, reverses_file_name),
    COLUMN(struct approved_head, reverses_external_id),
    COLUMN(struct approved_head, reverses_date),
};
static const struct shape head_shape = SHAPE(struct approved_head, head_columns);

/* The first document is that of the newest earlier version that was delivered or linked. */
STATEMENT(approved_sql,
          "SELECT i.integration_id AS integration, c.id AS target_connection,"
          " coalesce(c.account, '') AS target_account, t.name AS workspace_name, t.language,"
          " 1 + coalesce((SELECT max(d.generation) FROM region.delivery d"
          " WHERE d.workspace_id = $1 AND d.item_id = i.id), 0) AS generation,"
          " f.file_name AS reverses_file_name, f.external_id AS reverses_external_id,"
          " f.date AS reverses_date"
          " FROM region.item i"
          " JOIN region.integration g ON g.workspace_id = $1 AND g.id = i.integration_id"
          " JOIN region.connection c ON c.workspace_id = $1 AND c.id = g.target_connection_id"
          " JOIN region.tenant t ON t.workspace_id = $1"
          " LEFT JOIN LATERAL (SELECT coalesce(d.file_name, l.file_name, l.reference,"
          " l.external_id) AS file_name, coalesce(d.external_id, l.external_id) AS external_id,"
          " coalesce(v.date, l.date) AS date FROM region.item e"
          " JOIN region.record_version v ON v.workspace_id = $1 AND v.record_id = e.record_id"
          " AND v.version = e.version"
          " LEFT JOIN region.delivery d ON d.workspace_id = $1 AND d.item_id = e.id"
          " AND d.state = 'done'"
          " LEFT JOIN region.link k ON k.workspace_id = $1 AND k.item_id = e.id"
          " AND k.role = 'document'"
          " LEFT JOIN region.ledger_entry l ON l.workspace_id = $1 AND l.id = k.entry_id"
          " WHERE e.workspace_id = $1 AND e.integration_id = i.integration_id"
          " AND e.record_id = i.record_id AND e.version < i.version"
          " AND (d.id IS NOT NULL OR (e.state = 'linked' AND l.id IS NOT NULL))"
          " ORDER BY e.version DESC, d.generation DESC NULLS LAST LIMIT 1) f ON true"
          " WHERE i.workspace_id = $1 AND i.id = $2 AND i.state = 'queued'"
          " AND NOT EXISTS (SELECT FROM region.delivery d WHERE d.workspace_id = $1"
          " AND d.item_id = i.id AND d.state NOT IN ('rejected', 'canceled', 'bounced'))"
          /* an approval that was undone and given anew: its own job comes later */
          " AND NOT EXISTS (SELECT FROM region.review_action a WHERE a.workspace_id = $1"
          " AND a.item_id = i.id AND a.action = 'approve' AND a.undone_by IS NULL"
          " AND a.effective_at > $3) FOR UPDATE OF i");

enum err delivery_approved_get(const struct scope *scope, struct uuid item,
                               struct approved_item *into)
{
    struct approved_head head;
    TRY(db_one(scope, &approved_sql, PARAMS(P(scope->workspace), P(item), P(db_now(scope))),
               &head_shape, &head));
    TRY(scoring_item_get(scope, item, &into->item));
    TRY(overrides_apply(scope, item, &into->item));
    bool correction = text_equal(into->item.posting, "correct");
    into->integration = head.integration;
    into->target_connection = head.target_connection;
    into->target_account = head.target_account;
    into->workspace_name = head.workspace_name;
    into->language = head.language;
    into->generation = head.generation;
    into->operation = correction ? "reverse" : "create";
    into->reverses_file_name = correction ? head.reverses_file_name : NULL;
    into->reverses_external_id = head.reverses_external_id;
    into->reverses_date = head.reverses_date;
    if (correction && !head.reverses_file_name)
        return arena_fail(scope->arena, ERR_VALIDATION, NULL,
                          "No document of an earlier version is in the books: there is nothing "
                          "that a reversal could name.");
    return OK;
}

STATEMENT(approved_wait_sql,
          "SELECT coalesce(ceil(max(extract(epoch FROM a.effective_at - $3))), 0)::bigint"
          " FROM region.review_action a JOIN region.item i ON i.workspace_id = $1 AND i.id = $2"
          " AND i.state = 'queued' WHERE a.workspace_id = $1 AND a.item_id = $2"
          " AND a.action = 'approve' AND a.undone_by IS NULL AND a.effective_at > $3");

enum err delivery_approved_wait(const struct scope *scope, struct uuid item, int64_t *wait_s)
{
    return db_int(scope, &approved_wait_sql, PARAMS(P(scope->workspace), P(item), P(db_now(scope))),
                  wait_s);
}

struct planning {
    const struct approved_item *approved;
    const struct planned_delivery *planned;
    const struct stored_document *document;
    int64_t retry_s_max;
};

static enum err plan(const struct scope *scope, void *arg)
{
    const struct planning *planning = arg;
    const struct approved_item *approved = planning->approved;
    struct approved_item still;
    struct delivery_way way;
    TRY(delivery_way_lock(scope, approved->integration, &way));
    TRY(delivery_approved_get(scope, approved->item.item, &still));
    TRY(document_store(scope, approved->item.item, approved->integration, planning->document));
    json_t *rows = rows_new(scope->arena);
    delivery_row(scope, rows,
                 &(struct delivery_insert){
                     .planned = planning->planned,
                     .document = planning->document,
                     .item = approved->item.item,
                     .integration = approved->integration,
                     .connection = approved->target_connection,
                     .retry_s_max = planning->retry_s_max,
                 });
    TRY(deliveries_insert(scope, rows));
    TRY(delivery_enqueue(scope, planning->planned->id, approved->target_connection));
    TRY(deliveries_stop(scope, &way));
    return audit_append(scope, &(struct audit_entry){
                                   .action = "delivery.planned",
                                   .subject_kind = "item",
                                   .subject = approved->item.item,
                               });
}

enum err delivery_plan(const struct scope *scope, const struct approved_item *approved,
                       const struct planned_delivery *planned,
                       const struct stored_document *document, int64_t retry_s_max)
{
    struct planning planning = {approved, planned, document, retry_s_max};
    return db_transaction(scope, plan, &planning);
}
