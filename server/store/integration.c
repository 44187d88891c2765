#include "store/integration.h"

static const struct column integration_columns[] = {
    COLUMN(struct integration, id),
    COLUMN(struct integration, name),
    COLUMN(struct integration, source_connection_id),
    COLUMN(struct integration, target_connection_id),
    COLUMN(struct integration, source_provider),
    COLUMN(struct integration, target_provider),
    COLUMN_ENUM(struct integration, state, integration_machine.names),
    COLUMN(struct integration, settings_version),
    COLUMN(struct integration, settings),
    COLUMN(struct integration, starts_at),
    COLUMN(struct integration, row_version),
    COLUMN(struct integration, created_at),
    COLUMN(struct integration, updated_at)};
static const struct shape integration_shape = SHAPE(struct integration, integration_columns);

#define INTEGRATION_SELECT                                                                         \
    "SELECT i.*, s.settings, source.provider AS source_provider,"                                  \
    " target.provider AS target_provider FROM region.integration AS i"                             \
    " JOIN region.integration_settings AS s ON s.workspace_id = i.workspace_id"                    \
    "  AND s.integration_id = i.id AND s.version = i.settings_version"                             \
    " JOIN region.connection AS source ON source.workspace_id = i.workspace_id"                    \
    "  AND source.id = i.source_connection_id"                                                     \
    " JOIN region.connection AS target ON target.workspace_id = i.workspace_id"                    \
    "  AND target.id = i.target_connection_id"

STATEMENT(integration_get_sql, INTEGRATION_SELECT " WHERE i.workspace_id = $1 AND i.id = $2");
STATEMENT(integration_list_sql,
          INTEGRATION_SELECT " WHERE i.workspace_id = $1 AND ($2::uuid IS NULL OR i.id < $2)"
                             " AND ($3::text IS NULL OR i.state = $3)"
                             " ORDER BY i.id DESC LIMIT $4");
STATEMENT(integration_of_connection_sql, INTEGRATION_SELECT
          " WHERE i.workspace_id = $1 AND i.state <> 'archived'"
          " AND (i.source_connection_id = $2 OR i.target_connection_id = $2) ORDER BY i.id");

enum err integration_get(const struct scope *scope, struct uuid id, struct integration *into)
{
    return db_one(scope, &integration_get_sql, PARAMS(P(scope->workspace), P(id)),
                  &integration_shape, into);
}

enum err integration_list(const struct scope *scope, const struct integration_filter *filter,
                          struct rows *into)
{
    return db_all(
        scope, &integration_list_sql,
        PARAMS(P(scope->workspace), P(filter->before), P(filter->state), P(filter->limit)),
        &integration_shape, into);
}

enum err integration_of_connection(const struct scope *scope, struct uuid connection,
                                   struct rows *into)
{
    return db_all(scope, &integration_of_connection_sql, PARAMS(P(scope->workspace), P(connection)),
                  &integration_shape, into);
}

STATEMENT(integration_insert_sql,
          "INSERT INTO region.integration (workspace_id, id, name, source_connection_id,"
          " target_connection_id, settings_version, starts_at, created_at, created_by, updated_at)"
          " VALUES ($1, $2, $3, $4, $5, 1, $6, $6, $7, $6)");
STATEMENT(integration_settings_insert_sql,
          "INSERT INTO region.integration_settings (workspace_id, integration_id, version,"
          " settings, created_at, created_by) VALUES ($1, $2, $3, $4, $5, $6)");

static enum err settings_insert(const struct scope *scope, struct uuid id, int version,
                                const char *settings)
{
    return db_exec(scope, &integration_settings_insert_sql,
                   PARAMS(P(scope->workspace), P(id), P(version), P_JSON(settings),
                          P(db_now(scope)), P(scope->actor)),
                   NULL);
}

struct addition {
    const struct integration_new *wanted;
    struct integration *into;
};

static enum err add(const struct scope *scope, void *arg)
{
    const struct addition *self = arg;
    struct uuid id = db_new_id(scope);
    TRY(db_exec(scope, &integration_insert_sql,
                PARAMS(P(scope->workspace), P(id), P(self->wanted->name),
                       P(self->wanted->source_connection_id), P(self->wanted->target_connection_id),
                       P(db_now(scope)), P(scope->actor)),
                NULL));
    TRY(settings_insert(scope, id, 1, self->wanted->settings));
    return integration_get(scope, id, self->into);
}

enum err integration_add(const struct scope *scope, const struct integration_new *wanted,
                         struct integration *into)
{
    struct addition self = {wanted, into};
    return db_transaction(scope, add, &self);
}

STATEMENT(integration_hold_sql, "SELECT row_version FROM region.integration"
                                " WHERE workspace_id = $1 AND id = $2 FOR UPDATE");
STATEMENT(integration_update_sql,
          "UPDATE region.integration SET name = coalesce($3, name), state = $4,"
          " settings_version = $5, updated_at = $6, row_version = row_version + 1"
          " WHERE workspace_id = $1 AND id = $2");

struct update {
    struct uuid id;
    const struct integration_change *change;
    struct integration *into;
};

static enum err may_change(const struct scope *scope, const struct integration *now,
                           const struct integration_change *change)
{
    if (change->version && change->version != now->row_version)
        return arena_fail(scope->arena, ERR_STALE, NULL, "%s", err_sentence(ERR_STALE));
    if (change->state_given && change->state != now->state &&
        !machine_may(&integration_machine, now->state, change->state))
        return arena_fail(scope->arena, ERR_CONFLICT, "state",
                          "An integration that is %s cannot be %s.",
                          machine_name(&integration_machine, now->state),
                          machine_name(&integration_machine, change->state));
    return OK;
}

static enum err update(const struct scope *scope, void *arg)
{
    const struct update *self = arg;
    const struct integration_change *change = self->change;
    struct integration now;
    int64_t held;
    TRY(db_int(scope, &integration_hold_sql, PARAMS(P(scope->workspace), P(self->id)), &held));
    TRY(integration_get(scope, self->id, &now));
    TRY(may_change(scope, &now, change));
    enum integration_state state = change->state_given ? change->state : now.state;
    int version = now.settings_version + (change->settings ? 1 : 0);
    if (change->settings)
        TRY(settings_insert(scope, self->id, version, change->settings));
    TRY(db_exec(scope, &integration_update_sql,
                PARAMS(P(scope->workspace), P(self->id), P(change->name),
                       P(machine_name(&integration_machine, state)), P(version), P(db_now(scope))),
                NULL));
    return integration_get(scope, self->id, self->into);
}

enum err integration_update(const struct scope *scope, struct uuid id,
                            const struct integration_change *change, struct integration *into)
{
    struct update self = {id, change, into};
    return db_transaction(scope, update, &self);
}

struct settings_row {
    const char *settings;
};
static const struct column settings_columns[] = {COLUMN(struct settings_row, settings)};
static const struct shape settings_shape = SHAPE(struct settings_row, settings_columns);
STATEMENT(integration_settings_get_sql,
          "SELECT settings FROM region.integration_settings"
          " WHERE workspace_id = $1 AND integration_id = $2 AND version = $3");

enum err integration_settings_get(const struct scope *scope, struct uuid id, int version,
                                  const char **settings)
{
    struct settings_row row;
    TRY(db_one(scope, &integration_settings_get_sql, PARAMS(P(scope->workspace), P(id), P(version)),
               &settings_shape, &row));
    *settings = row.settings;
    return OK;
}
