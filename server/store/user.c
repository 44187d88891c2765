#include "store/user.h"

static const struct column user_columns[] = {
    COLUMN(struct user, id),           COLUMN(struct user, email),
    COLUMN(struct user, name),         COLUMN(struct user, password_hash),
    COLUMN(struct user, operator),     COLUMN(struct user, active),
    COLUMN(struct user, locked_until), COLUMN(struct user, created_at)};
static const struct shape user_shape = SHAPE(struct user, user_columns);

STATEMENT(user_insert_sql,
          "INSERT INTO directory.app_user (id, email, name, password_hash, operator, created_at)"
          " VALUES ($1, lower($2), $3, $4, $5, $6) RETURNING *, state = 'active' AS active");
STATEMENT(user_get_sql,
          "SELECT *, state = 'active' AS active FROM directory.app_user WHERE id = $1");
STATEMENT(user_by_email_sql,
          "SELECT *, state = 'active' AS active FROM directory.app_user WHERE email = lower($1)");

enum err user_add(const struct untenanted *directory, struct user *user)
{
    const struct scope *at = &directory->scope;
    return db_one(at, &user_insert_sql,
                  PARAMS(P(db_new_id(at)), P(user->email), P(user->name), P(user->password_hash),
                         P(user->operator), P(db_now(at))),
                  &user_shape, user);
}

enum err user_get(const struct untenanted *directory, struct uuid id, struct user *into)
{
    return db_one(&directory->scope, &user_get_sql, PARAMS(P(id)), &user_shape, into);
}

enum err user_by_email(const struct untenanted *directory, const char *email, struct user *into,
                       bool *found)
{
    return db_maybe(&directory->scope, &user_by_email_sql, PARAMS(P(email)), &user_shape, into,
                    found);
}

STATEMENT(user_login_noted_sql,
          "UPDATE directory.app_user SET"
          " failed_logins = CASE WHEN $2 OR failed_logins + 1 >= $4 THEN 0"
          "  ELSE failed_logins + 1 END,"
          " locked_until = CASE WHEN $2 THEN NULL WHEN failed_logins + 1 >= $4"
          "  THEN $3 + $5 * interval '1 second' ELSE locked_until END,"
          " last_login_at = CASE WHEN $2 THEN $3 ELSE last_login_at END WHERE id = $1");

enum err user_login_noted(const struct untenanted *directory, struct uuid id, bool succeeded)
{
    return db_exec(&directory->scope, &user_login_noted_sql,
                   PARAMS(P(id), P(succeeded), P(db_now(&directory->scope)),
                          P((int)FAILED_LOGINS_MAX), P((int)LOGIN_LOCK_S)),
                   NULL);
}

static enum err exactly_one(const struct untenanted *directory, int64_t changed)
{
    if (changed == 1)
        return OK;
    return arena_fail(directory->scope.arena, ERR_NOT_FOUND, NULL, "%s",
                      err_sentence(ERR_NOT_FOUND));
}

STATEMENT(user_password_sql,
          "UPDATE directory.app_user SET password_hash = $2, row_version = row_version + 1"
          " WHERE id = $1");

enum err user_password_set(const struct untenanted *directory, struct uuid id,
                           const char *password_hash)
{
    int64_t changed;
    TRY(db_exec(&directory->scope, &user_password_sql, PARAMS(P(id), P(password_hash)), &changed));
    return exactly_one(directory, changed);
}

/* ---- members ---- */

static const struct column membership_columns[] = {
    COLUMN(struct membership, workspace_id), COLUMN(struct membership, workspace_name),
    COLUMN(struct membership, region), COLUMN(struct membership, role),
    COLUMN(struct membership, active)};
static const struct shape membership_shape = SHAPE(struct membership, membership_columns);

#define MEMBERSHIP_SELECT                                                                          \
    "SELECT w.id AS workspace_id, w.name AS workspace_name, w.region, m.role,"                     \
    " w.state = 'active' AS active FROM directory.member AS m"                                     \
    " JOIN directory.workspace AS w ON w.id = m.workspace_id"                                      \
    " JOIN directory.app_user AS u ON u.id = m.user_id AND u.state = 'active'"
STATEMENT(membership_get_sql, MEMBERSHIP_SELECT " WHERE m.workspace_id = $1 AND m.user_id = $2");
STATEMENT(membership_list_sql, MEMBERSHIP_SELECT " WHERE m.user_id = $1 ORDER BY w.id");

enum err membership_get(const struct untenanted *directory, struct uuid workspace, struct uuid user,
                        struct membership *into)
{
    return db_one(&directory->scope, &membership_get_sql, PARAMS(P(workspace), P(user)),
                  &membership_shape, into);
}

enum err membership_list(const struct untenanted *directory, struct uuid user, struct rows *into)
{
    return db_all(&directory->scope, &membership_list_sql, PARAMS(P(user)), &membership_shape,
                  into);
}

STATEMENT(member_insert_sql,
          "INSERT INTO directory.member (workspace_id, user_id, role, created_at)"
          " VALUES ($1, $2, $3, $4)");

enum err member_add(const struct untenanted *directory, struct uuid workspace, struct uuid user,
                    const char *role)
{
    return db_exec(&directory->scope, &member_insert_sql,
                   PARAMS(P(workspace), P(user), P(role), P(db_now(&directory->scope))), NULL);
}

static const struct column member_columns[] = {
    COLUMN(struct member, user_id),   COLUMN(struct member, email),
    COLUMN(struct member, name),      COLUMN(struct member, role),
    COLUMN(struct member, joined_at), COLUMN(struct member, row_version)};
static const struct shape member_shape = SHAPE(struct member, member_columns);

#define MEMBER_SELECT                                                                              \
    "SELECT m.user_id, u.email, u.name, m.role, m.created_at AS joined_at, m.row_version"          \
    " FROM directory.member AS m JOIN directory.app_user AS u ON u.id = m.user_id"
STATEMENT(member_list_sql,
          MEMBER_SELECT " WHERE m.workspace_id = $1 AND ($2::uuid IS NULL OR m.user_id > $2)"
                        " ORDER BY m.user_id LIMIT $3");
STATEMENT(member_get_sql, MEMBER_SELECT " WHERE m.workspace_id = $1 AND m.user_id = $2");

enum err member_list(const struct untenanted *directory, struct uuid workspace, struct uuid after,
                     int64_t limit, struct rows *into)
{
    return db_all(&directory->scope, &member_list_sql, PARAMS(P(workspace), P(after), P(limit)),
                  &member_shape, into);
}

enum err member_get(const struct untenanted *directory, struct uuid workspace, struct uuid user,
                    struct member *into)
{
    return db_one(&directory->scope, &member_get_sql, PARAMS(P(workspace), P(user)), &member_shape,
                  into);
}

/* ---- changing members ---- */

/* One change of a workspace's members at a time. */
STATEMENT(member_hold_sql,
          "SELECT 1::bigint FROM directory.workspace WHERE id = $1 FOR NO KEY UPDATE");
STATEMENT(member_owners_sql, "SELECT count(*) FROM directory.member WHERE workspace_id = $1"
                             " AND role = 'owner' AND user_id <> $2");
STATEMENT(member_role_sql, "UPDATE directory.member SET role = $3, row_version = row_version + 1"
                           " WHERE workspace_id = $1 AND user_id = $2");
STATEMENT(member_delete_sql,
          "DELETE FROM directory.member WHERE workspace_id = $1 AND user_id = $2");
STATEMENT(member_keys_revoke_sql,
          "UPDATE directory.api_key SET revoked_at = $3 WHERE workspace_id = $1"
          " AND created_by = $2 AND revoked_at IS NULL RETURNING id");

struct key_row {
    struct uuid id;
};
static const struct column key_columns[] = {COLUMN(struct key_row, id)};
static const struct shape key_shape = SHAPE(struct key_row, key_columns);

static int rank(const char *role)
{
    static const char *const roles[] = {"viewer", "reviewer", "admin", "owner"};
    for (int i = 0; i < (int)COUNT(roles); i++) {
        if (role && strcmp(roles[i], role) == 0)
            return i;
    }
    return -1;
}

static bool owns(const char *role)
{
    return role && strcmp(role, "owner") == 0;
}

static enum err changer_may(const struct untenanted *directory, const struct member_change *change,
                            const struct member *now)
{
    struct membership mine;
    struct arena *arena = directory->scope.arena;
    if (uuid_is_nil(change->by))
        return OK;
    if ((owns(now->role) || owns(change->role)) && !owns(change->as))
        return arena_fail(arena, ERR_FORBIDDEN, NULL, "Only an owner may do this to an owner.");
    enum err err = membership_get(directory, change->workspace, change->by, &mine);
    if (err != OK && err != ERR_NOT_FOUND)
        return err;
    if (err == ERR_NOT_FOUND || rank(mine.role) < rank(change->as))
        return arena_fail(arena, ERR_FORBIDDEN, NULL, "You may not do this any more.");
    return OK;
}

static enum err owner_remains(const struct scope *at, const struct member_change *change,
                              const struct member *now)
{
    int64_t others;
    if (!owns(now->role) || owns(change->role))
        return OK;
    TRY(db_int(at, &member_owners_sql, PARAMS(P(change->workspace), P(change->user)), &others));
    if (others > 0)
        return OK;
    return arena_fail(at->arena, ERR_CONFLICT, "role", "The last owner of a workspace stays one.");
}

/* The member goes first: a key that is being made waits for that, and is not made. */
static enum err leave(const struct scope *at, const struct member_change *change, struct rows *keys)
{
    TRY(db_exec(at, &member_delete_sql, PARAMS(P(change->workspace), P(change->user)), NULL));
    return db_all(at, &member_keys_revoke_sql,
                  PARAMS(P(change->workspace), P(change->user), P(db_now(at))), &key_shape, keys);
}

struct changing {
    const struct member_change *change;
    struct member_changed *into;
};

static enum err change_member(const struct scope *at, void *arg)
{
    const struct changing *changing = arg;
    const struct member_change *change = changing->change;
    struct member *now = &changing->into->before;
    struct untenanted directory = {*at};
    int64_t held;
    *changing->into = (struct member_changed){0};
    TRY(db_int(at, &member_hold_sql, PARAMS(P(change->workspace)), &held));
    TRY(member_get(&directory, change->workspace, change->user, now));
    TRY(changer_may(&directory, change, now));
    if (change->version && change->version != now->row_version)
        return arena_fail(at->arena, ERR_STALE, NULL, "%s", err_sentence(ERR_STALE));
    TRY(owner_remains(at, change, now));
    if (!change->role)
        return leave(at, change, &changing->into->keys);
    return db_exec(at, &member_role_sql,
                   PARAMS(P(change->workspace), P(change->user), P(change->role)), NULL);
}

enum err member_change(const struct untenanted *directory, const struct member_change *change,
                       struct member_changed *into)
{
    struct changing changing = {change, into};
    return db_transaction(&directory->scope, change_member, &changing);
}
