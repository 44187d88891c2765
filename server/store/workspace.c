#include "store/workspace.h"

STATEMENT(region_ensure_sql, "INSERT INTO directory.region (code, name, hosted_in, created_at)"
                             " VALUES ($1, $2, $3, $4) ON CONFLICT (code) DO UPDATE"
                             " SET name = excluded.name, hosted_in = excluded.hosted_in");

enum err region_ensure(const struct untenanted *directory, const struct region *region)
{
    return db_exec(&directory->scope, &region_ensure_sql,
                   PARAMS(P(region->code), P(region->name), P(region->hosted_in),
                          P(db_now(&directory->scope))),
                   NULL);
}

static const struct column workspace_columns[] = {
    COLUMN(struct workspace, id),         COLUMN(struct workspace, name),
    COLUMN(struct workspace, region),     COLUMN(struct workspace, time_zone),
    COLUMN(struct workspace, language),   COLUMN(struct workspace, state),
    COLUMN(struct workspace, role),       COLUMN(struct workspace, row_version),
    COLUMN(struct workspace, created_at), COLUMN(struct workspace, updated_at)};
static const struct shape workspace_shape = SHAPE(struct workspace, workspace_columns);

STATEMENT(workspace_insert_sql,
          "INSERT INTO directory.workspace (id, name, region, time_zone, language, created_at,"
          " updated_at) VALUES ($1, $2, $3, $4, $5, $6, $6) RETURNING *, NULL::text AS role");
STATEMENT(workspace_get_sql, "SELECT *, NULL::text AS role FROM directory.workspace WHERE id = $1");
STATEMENT(workspace_list_sql, "SELECT w.*, m.role FROM directory.member AS m"
                              " JOIN directory.workspace AS w ON w.id = m.workspace_id"
                              " WHERE m.user_id = $1 AND ($2::uuid IS NULL OR w.id < $2)"
                              " ORDER BY w.id DESC LIMIT $3");
STATEMENT(workspace_list_all_sql, "SELECT *, NULL::text AS role FROM directory.workspace"
                                  " WHERE $1::uuid IS NULL OR id < $1 ORDER BY id DESC LIMIT $2");

enum err workspace_add(const struct untenanted *directory, struct workspace *workspace)
{
    const struct scope *at = &directory->scope;
    return db_one(at, &workspace_insert_sql,
                  PARAMS(P(db_new_id(at)), P(workspace->name), P(workspace->region),
                         P(workspace->time_zone), P(workspace->language), P(db_now(at))),
                  &workspace_shape, workspace);
}

STATEMENT(workspace_owner_hold_sql,
          "SELECT 1::bigint FROM directory.app_user WHERE id = $1 FOR NO KEY UPDATE");
STATEMENT(workspace_owned_sql,
          "SELECT count(*) FROM directory.member WHERE user_id = $1 AND role = 'owner'");

enum err workspace_owned(const struct untenanted *directory, struct uuid user, int64_t *into)
{
    TRY(db_int(&directory->scope, &workspace_owner_hold_sql, PARAMS(P(user)), into));
    return db_int(&directory->scope, &workspace_owned_sql, PARAMS(P(user)), into);
}

enum err workspace_get(const struct untenanted *directory, struct uuid id, struct workspace *into)
{
    return db_one(&directory->scope, &workspace_get_sql, PARAMS(P(id)), &workspace_shape, into);
}

enum err workspace_list(const struct untenanted *directory, struct uuid user, struct uuid before,
                        int64_t limit, struct rows *into)
{
    return db_all(&directory->scope, &workspace_list_sql, PARAMS(P(user), P(before), P(limit)),
                  &workspace_shape, into);
}

enum err workspace_list_all(const struct untenanted *directory, struct uuid before, int64_t limit,
                            struct rows *into)
{
    return db_all(&directory->scope, &workspace_list_all_sql, PARAMS(P(before), P(limit)),
                  &workspace_shape, into);
}

STATEMENT(workspace_update_sql,
          "UPDATE directory.workspace SET name = coalesce($2, name),"
          " time_zone = coalesce($3, time_zone), language = coalesce($4, language),"
          " updated_at = $5, row_version = row_version + 1"
          " WHERE id = $1 AND ($6 = 0 OR row_version = $6) RETURNING *, NULL::text AS role");

enum err workspace_update(const struct untenanted *directory, struct uuid id,
                          const struct workspace_change *change, struct workspace *into)
{
    const struct scope *at = &directory->scope;
    struct workspace now;
    bool found;
    TRY(db_maybe(at, &workspace_update_sql,
                 PARAMS(P(id), P(change->name), P(change->time_zone), P(change->language),
                        P(db_now(at)), P(change->version)),
                 &workspace_shape, into, &found));
    if (found)
        return OK;
    TRY(workspace_get(directory, id, &now));
    return arena_fail(at->arena, ERR_STALE, NULL, "%s", err_sentence(ERR_STALE));
}

/* ---- the region's side ---- */

STATEMENT(tenant_put_sql,
          "INSERT INTO region.tenant (workspace_id, name, time_zone, language, state, created_at)"
          " VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (workspace_id) DO UPDATE SET"
          " name = excluded.name, time_zone = excluded.time_zone,"
          " language = excluded.language, state = excluded.state");

enum err tenant_put(const struct scope *scope, const struct workspace *workspace)
{
    return db_exec(scope, &tenant_put_sql,
                   PARAMS(P(scope->workspace), P(workspace->name), P(workspace->time_zone),
                          P(workspace->language), P(workspace->state ? workspace->state : "active"),
                          P(db_now(scope))),
                   NULL);
}

static const struct column tenant_columns[] = {
    COLUMN(struct tenant, name), COLUMN(struct tenant, time_zone), COLUMN(struct tenant, language),
    COLUMN(struct tenant, state)};
static const struct shape tenant_shape = SHAPE(struct tenant, tenant_columns);
STATEMENT(tenant_get_sql,
          "SELECT name, time_zone, language, state FROM region.tenant WHERE workspace_id = $1");

enum err tenant_get(const struct scope *scope, struct tenant *into)
{
    return db_one(scope, &tenant_get_sql, PARAMS(P(scope->workspace)), &tenant_shape, into);
}
