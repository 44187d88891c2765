#include "store/connection.h"

#include "base/text.h"
#include "store/queue.h"
#include "store/secrets.h"

static const struct column connection_columns[] = {
    COLUMN(struct connection, id),
    COLUMN(struct connection, provider),
    COLUMN(struct connection, roles),
    COLUMN(struct connection, method),
    COLUMN(struct connection, label),
    COLUMN(struct connection, account),
    COLUMN(struct connection, account_name),
    COLUMN(struct connection, account_choices),
    COLUMN(struct connection, livemode),
    COLUMN_ENUM(struct connection, state, connection_machine.names),
    COLUMN(struct connection, state_reason),
    COLUMN(struct connection, state_changed_at),
    COLUMN(struct connection, scopes),
    COLUMN(struct connection, capabilities),
    COLUMN(struct connection, authorisation),
    COLUMN(struct connection, access_expires_at),
    COLUMN(struct connection, credential_generation),
    COLUMN(struct connection, last_success_at),
    COLUMN(struct connection, last_failure_at),
    COLUMN(struct connection, last_failure_code),
    COLUMN(struct connection, replaced_by),
    COLUMN(struct connection, disconnected_at),
    COLUMN(struct connection, revocation),
    COLUMN(struct connection, row_version),
    COLUMN(struct connection, created_at),
    COLUMN(struct connection, updated_at)};
static const struct shape connection_shape = SHAPE(struct connection, connection_columns);

STATEMENT(connection_insert_sql,
          "INSERT INTO region.connection (workspace_id, id, provider, roles, method, label,"
          " account, state_changed_at, created_at, created_by, updated_at)"
          " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8, $9, $8)"
          " RETURNING *");

enum err connection_add(const struct scope *scope, const struct connection_new *wanted,
                        struct connection *into)
{
    return db_one(scope, &connection_insert_sql,
                  PARAMS(P(scope->workspace), P(db_new_id(scope)), P(wanted->provider),
                         P(wanted->roles), P(wanted->method), P(wanted->label), P(wanted->account),
                         P(db_now(scope)), P(scope->actor)),
                  &connection_shape, into);
}

STATEMENT(connection_get_sql,
          "SELECT * FROM region.connection WHERE workspace_id = $1 AND id = $2");
STATEMENT(connection_lock_sql,
          "SELECT * FROM region.connection WHERE workspace_id = $1 AND id = $2 FOR UPDATE");

enum err connection_get(const struct scope *scope, struct uuid id, struct connection *into)
{
    return db_one(scope, &connection_get_sql, PARAMS(P(scope->workspace), P(id)), &connection_shape,
                  into);
}

enum err connection_lock(const struct scope *scope, struct uuid id, struct connection *into)
{
    return db_one(scope, &connection_lock_sql, PARAMS(P(scope->workspace), P(id)),
                  &connection_shape, into);
}

STATEMENT(connection_list_sql,
          "SELECT * FROM region.connection WHERE workspace_id = $1 AND replaced_by IS NULL"
          " AND ($2::text IS NULL OR provider = $2) AND ($3::text IS NULL OR state = $3)"
          " AND ($4::uuid IS NULL OR id < $4) ORDER BY id DESC LIMIT $5");

enum err connection_list(const struct scope *scope, const struct connection_filter *filter,
                         struct rows *into)
{
    return db_all(scope, &connection_list_sql,
                  PARAMS(P(scope->workspace), P(filter->provider), P(filter->state),
                         P(filter->before), P(filter->limit)),
                  &connection_shape, into);
}

STATEMENT(connection_by_account_sql,
          "SELECT * FROM region.connection WHERE workspace_id = $1 AND provider = $2"
          " AND account = $3 AND livemode = $4 AND replaced_by IS NULL"
          " AND state <> 'disconnected'");

enum err connection_by_account(const struct scope *scope, const struct connection_account *account,
                               struct connection *into, bool *found)
{
    return db_maybe(scope, &connection_by_account_sql,
                    PARAMS(P(scope->workspace), P(account->provider), P(account->account),
                           P(account->livemode)),
                    &connection_shape, into, found);
}

STATEMENT(connection_move_sql,
          "UPDATE region.connection SET state = $3, state_reason = $4, state_changed_at = $5,"
          " updated_at = $5, row_version = row_version + 1"
          " WHERE workspace_id = $1 AND id = $2 AND state = ANY ($6)");

enum err connection_move(const struct scope *scope, struct uuid id, enum connection_state to,
                         const char *reason)
{
    struct text_list from;
    int64_t moved;
    struct connection now;
    machine_sources(&connection_machine, to, scope->arena, &from);
    TRY(db_exec(scope, &connection_move_sql,
                PARAMS(P(scope->workspace), P(id), P(machine_name(&connection_machine, to)),
                       P(reason), P(db_now(scope)), P(from)),
                &moved));
    if (moved == 1)
        return OK;
    TRY(connection_get(scope, id, &now));
    if (now.state == to)
        return OK;
    return arena_fail(scope->arena, ERR_CONFLICT, "state", "A connection that is %s cannot be %s.",
                      machine_name(&connection_machine, now.state),
                      machine_name(&connection_machine, to));
}

static enum err exactly_one(const struct scope *scope, int64_t changed)
{
    if (changed == 1)
        return OK;
    return arena_fail(scope->arena, ERR_NOT_FOUND, NULL, "%s", err_sentence(ERR_NOT_FOUND));
}

STATEMENT(connection_account_set_sql,
          "UPDATE region.connection SET account = $3, account_name = $4, livemode = $5,"
          " account_choices = NULL, updated_at = $6, row_version = row_version + 1"
          " WHERE workspace_id = $1 AND id = $2");

enum err connection_account_set(const struct scope *scope, struct uuid id,
                                const struct connection_account *account)
{
    int64_t changed;
    TRY(db_exec(scope, &connection_account_set_sql,
                PARAMS(P(scope->workspace), P(id), P(account->account), P(account->account_name),
                       P(account->livemode), P(db_now(scope))),
                &changed));
    return exactly_one(scope, changed);
}

STATEMENT(connection_choices_sql,
          "UPDATE region.connection SET account_choices = $3, updated_at = $4,"
          " row_version = row_version + 1 WHERE workspace_id = $1 AND id = $2");

enum err connection_choices_set(const struct scope *scope, struct uuid id, const char *choices)
{
    int64_t changed;
    TRY(db_exec(scope, &connection_choices_sql,
                PARAMS(P(scope->workspace), P(id), P_JSON(choices), P(db_now(scope))), &changed));
    return exactly_one(scope, changed);
}

STATEMENT(connection_capabilities_sql,
          "UPDATE region.connection SET scopes = $3, capabilities = $4, updated_at = $5"
          " WHERE workspace_id = $1 AND id = $2");

enum err connection_capabilities_set(const struct scope *scope, struct uuid id, const char *scopes,
                                     const char *capabilities)
{
    int64_t changed;
    TRY(db_exec(
        scope, &connection_capabilities_sql,
        PARAMS(P(scope->workspace), P(id), P(scopes), P_JSON(capabilities), P(db_now(scope))),
        &changed));
    return exactly_one(scope, changed);
}

/* A success ends the failure that was noted; writing each one down would make the row hot. */
STATEMENT(connection_succeeded_sql,
          "UPDATE region.connection SET last_success_at = $3, last_failure_code = NULL"
          " WHERE workspace_id = $1 AND id = $2 AND (last_success_at IS NULL"
          " OR last_success_at < $3 - interval '1 minute' OR last_failure_code IS NOT NULL)");

enum err connection_succeeded(const struct scope *scope, struct uuid id)
{
    return db_exec(scope, &connection_succeeded_sql,
                   PARAMS(P(scope->workspace), P(id), P(db_now(scope))), NULL);
}

STATEMENT(connection_failed_sql,
          "UPDATE region.connection SET last_failure_at = $3, last_failure_code = $4"
          " WHERE workspace_id = $1 AND id = $2");

enum err connection_failed(const struct scope *scope, struct uuid id, const char *code)
{
    return db_exec(scope, &connection_failed_sql,
                   PARAMS(P(scope->workspace), P(id), P(db_now(scope)), P(code)), NULL);
}

/* ---- disconnecting ---- */

STATEMENT(connection_disconnected_sql,
          "UPDATE region.connection SET disconnected_at = $3, refreshing_until = NULL,"
          " refreshing_claim = NULL, refreshing_worker = NULL, account_choices = NULL"
          " WHERE workspace_id = $1 AND id = $2");
STATEMENT(connection_streams_pause_sql, "UPDATE region.stream SET paused = true"
                                        " WHERE workspace_id = $1 AND connection_id = $2");

static enum err disconnect(const struct scope *scope, void *arg)
{
    const struct uuid *id = arg;
    TRY(connection_move(scope, *id, CONNECTION_DISCONNECTED, NULL));
    TRY(db_exec(scope, &connection_disconnected_sql,
                PARAMS(P(scope->workspace), P(*id), P(db_now(scope))), NULL));
    TRY(db_exec(scope, &connection_streams_pause_sql, PARAMS(P(scope->workspace), P(*id)), NULL));
    return credential_keep_for_revocation(scope, *id);
}

enum err connection_disconnect(const struct scope *scope, struct uuid id)
{
    return db_transaction(scope, disconnect, &id);
}

STATEMENT(connection_revocation_sql, "UPDATE region.connection SET revocation = $3, updated_at = $4"
                                     " WHERE workspace_id = $1 AND id = $2");

struct revocation_note {
    struct uuid id;
    const char *revocation;
    bool complete;
};

static enum err revocation_set(const struct scope *scope, void *arg)
{
    const struct revocation_note *note = arg;
    int64_t changed;
    TRY(db_exec(
        scope, &connection_revocation_sql,
        PARAMS(P(scope->workspace), P(note->id), P_JSON(note->revocation), P(db_now(scope))),
        &changed));
    TRY(exactly_one(scope, changed));
    return note->complete ? credential_destroy(scope, note->id) : OK;
}

enum err connection_revocation_set(const struct scope *scope, struct uuid id,
                                   const char *revocation, bool complete)
{
    struct revocation_note note = {id, revocation, complete};
    return db_transaction(scope, revocation_set, &note);
}
