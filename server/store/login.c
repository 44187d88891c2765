#include "store/login.h"

static enum err unauthenticated(const struct untenanted *directory)
{
    return arena_fail(directory->scope.arena, ERR_UNAUTHENTICATED, NULL, "%s",
                      err_sentence(ERR_UNAUTHENTICATED));
}

/* ---- sessions ---- */

STATEMENT(session_insert_sql,
          "WITH s AS (INSERT INTO directory.session (id, user_id, created_at, expires_at)"
          "  VALUES ($1, $2, $3, $4) RETURNING id)"
          " INSERT INTO directory.refresh_token (token_hash, session_id, issued_at, expires_at)"
          " SELECT $5, id, $3, $4 FROM s");

enum err login_start(const struct untenanted *directory, const struct login_start *start,
                     struct uuid *session)
{
    const struct scope *at = &directory->scope;
    *session = db_new_id(at);
    return db_exec(at, &session_insert_sql,
                   PARAMS(P(*session), P(start->user), P(db_now(at)), P(start->expires_at),
                          P(start->token_hash)),
                   NULL);
}

struct token_row {
    struct uuid session;
    struct uuid user;
    struct instant expires_at;
    bool live;
    bool replaced;
};
static const struct column token_columns[] = {
    COLUMN(struct token_row, session), COLUMN(struct token_row, user),
    COLUMN(struct token_row, expires_at), COLUMN(struct token_row, live),
    COLUMN(struct token_row, replaced)};
static const struct shape token_shape = SHAPE(struct token_row, token_columns);

/* The row is held: of two calls with one token, the second sees it replaced. */
STATEMENT(refresh_token_get_sql,
          "SELECT s.id AS session, s.user_id AS user, s.expires_at,"
          " s.ended_at IS NULL AND t.expires_at > $2 AND u.state = 'active' AS live,"
          " t.replaced_at IS NOT NULL AS replaced FROM directory.refresh_token AS t"
          " JOIN directory.session AS s ON s.id = t.session_id"
          " JOIN directory.app_user AS u ON u.id = s.user_id"
          " WHERE t.token_hash = $1 FOR UPDATE OF t");
STATEMENT(refresh_token_replace_sql,
          "WITH old AS (UPDATE directory.refresh_token SET replaced_at = $3"
          "  WHERE token_hash = $1 RETURNING session_id, expires_at)"
          " INSERT INTO directory.refresh_token (token_hash, session_id, issued_at, expires_at)"
          " SELECT $2, session_id, $3, expires_at FROM old");
STATEMENT(session_end_sql, "UPDATE directory.session SET ended_at = $2, ended_reason = $3"
                           " WHERE id = $1 AND ended_at IS NULL");

static enum err session_end(const struct scope *at, struct uuid session, const char *reason)
{
    return db_exec(at, &session_end_sql, PARAMS(P(session), P(db_now(at)), P(reason)), NULL);
}

struct rotation {
    struct bytes old_hash;
    struct bytes new_hash;
    struct login_rotation *into;
    bool refused; /* the transaction commits what the refusal changed */
};

static enum err rotate(const struct scope *at, void *arg)
{
    struct rotation *self = arg;
    struct token_row row;
    bool found;
    TRY(db_maybe(at, &refresh_token_get_sql, PARAMS(P(self->old_hash), P(db_now(at))), &token_shape,
                 &row, &found));
    self->refused = !found || !row.live || row.replaced;
    if (found && row.replaced)
        return session_end(at, row.session, "reuse");
    if (self->refused)
        return OK;
    *self->into = (struct login_rotation){row.session, row.user, row.expires_at};
    return db_exec(at, &refresh_token_replace_sql,
                   PARAMS(P(self->old_hash), P(self->new_hash), P(db_now(at))), NULL);
}

enum err login_rotate(const struct untenanted *directory, struct bytes old_hash,
                      struct bytes new_hash, struct login_rotation *into)
{
    struct rotation self = {old_hash, new_hash, into, false};
    TRY(db_transaction(&directory->scope, rotate, &self));
    return self.refused ? unauthenticated(directory) : OK;
}

STATEMENT(session_end_by_token_sql,
          "UPDATE directory.session SET ended_at = $2, ended_reason = 'logout'"
          " WHERE ended_at IS NULL AND id = (SELECT session_id FROM directory.refresh_token"
          " WHERE token_hash = $1)");
STATEMENT(session_end_all_sql,
          "UPDATE directory.session SET ended_at = $2, ended_reason = 'password'"
          " WHERE user_id = $1 AND ended_at IS NULL");

enum err login_end(const struct untenanted *directory, struct bytes token_hash)
{
    return db_exec(&directory->scope, &session_end_by_token_sql,
                   PARAMS(P(token_hash), P(db_now(&directory->scope))), NULL);
}

enum err login_end_all(const struct untenanted *directory, struct uuid user)
{
    return db_exec(&directory->scope, &session_end_all_sql,
                   PARAMS(P(user), P(db_now(&directory->scope))), NULL);
}

/* ---- API keys ---- */

static const struct column api_key_columns[] = {
    COLUMN(struct api_key, id),         COLUMN(struct api_key, workspace_id),
    COLUMN(struct api_key, name),       COLUMN(struct api_key, role),
    COLUMN(struct api_key, hint),       COLUMN(struct api_key, created_by),
    COLUMN(struct api_key, created_at), COLUMN(struct api_key, last_used_at),
    COLUMN(struct api_key, expires_at), COLUMN(struct api_key, region)};
static const struct shape api_key_shape = SHAPE(struct api_key, api_key_columns);

STATEMENT(api_key_insert_sql,
          "WITH maker AS (SELECT FROM directory.member WHERE workspace_id = $2 AND user_id = $7"
          "  FOR SHARE) INSERT INTO directory.api_key (id, workspace_id, name, role, prefix,"
          " key_hash, created_by, created_at, expires_at)"
          " SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9 FROM maker"
          " RETURNING *, prefix AS hint, NULL::text AS region");

enum err api_key_add(const struct untenanted *directory, struct bytes key_hash, struct api_key *key)
{
    const struct scope *at = &directory->scope;
    bool made;
    TRY(db_maybe(at, &api_key_insert_sql,
                 PARAMS(P(db_new_id(at)), P(key->workspace_id), P(key->name), P(key->role),
                        P(key->hint), P(key_hash), P(key->created_by), P(db_now(at)),
                        P(key->expires_at)),
                 &api_key_shape, key, &made));
    return made ? OK : arena_fail(at->arena, ERR_FORBIDDEN, NULL, "You may not do this any more.");
}

#define RANK(role) "array_position(ARRAY['viewer', 'reviewer', 'admin', 'owner'], " role ")"
STATEMENT(api_key_by_hash_sql,
          "SELECT k.id, k.workspace_id, k.name, k.prefix AS hint, k.created_by, k.created_at,"
          " k.last_used_at, k.expires_at, w.region, CASE WHEN"
          " " RANK("m.role") " < " RANK(
              "k.role") " THEN m.role ELSE k.role END AS role"
                        " FROM directory.api_key AS k"
                        " JOIN directory.workspace AS w ON w.id = k.workspace_id"
                        " JOIN directory.member AS m ON m.workspace_id = k.workspace_id"
                        "  AND m.user_id = k.created_by"
                        " JOIN directory.app_user AS u ON u.id = m.user_id AND u.state = 'active'"
                        " WHERE k.key_hash = $1 AND k.revoked_at IS NULL AND w.state = 'active'"
                        " AND (k.expires_at IS NULL OR k.expires_at > $2)");
STATEMENT(api_key_used_sql,
          "UPDATE directory.api_key SET last_used_at = $2 WHERE id = $1"
          " AND (last_used_at IS NULL OR last_used_at < $2 - interval '1 minute')");

enum err api_key_by_hash(const struct untenanted *directory, struct bytes key_hash,
                         struct api_key *into)
{
    const struct scope *at = &directory->scope;
    struct instant now = db_now(at);
    bool found;
    TRY(db_maybe(at, &api_key_by_hash_sql, PARAMS(P(key_hash), P(now)), &api_key_shape, into,
                 &found));
    if (!found)
        return unauthenticated(directory);
    if (now.us - into->last_used_at.us < INT64_C(60000000))
        return OK;
    return db_exec(at, &api_key_used_sql, PARAMS(P(into->id), P(now)), NULL);
}

STATEMENT(api_key_list_sql,
          "SELECT *, prefix AS hint, NULL::text AS region FROM directory.api_key"
          " WHERE workspace_id = $1 AND revoked_at IS NULL AND ($2::uuid IS NULL OR id < $2)"
          " ORDER BY id DESC LIMIT $3");

enum err api_key_list(const struct untenanted *directory, struct uuid workspace, struct uuid before,
                      int64_t limit, struct rows *into)
{
    return db_all(&directory->scope, &api_key_list_sql, PARAMS(P(workspace), P(before), P(limit)),
                  &api_key_shape, into);
}

STATEMENT(api_key_revoke_sql, "UPDATE directory.api_key SET revoked_at = $3"
                              " WHERE workspace_id = $1 AND id = $2 AND revoked_at IS NULL");

static enum err exactly_one(const struct untenanted *directory, int64_t changed)
{
    if (changed == 1)
        return OK;
    return arena_fail(directory->scope.arena, ERR_NOT_FOUND, NULL, "%s",
                      err_sentence(ERR_NOT_FOUND));
}

enum err api_key_revoke(const struct untenanted *directory, struct uuid workspace, struct uuid id)
{
    int64_t changed;
    TRY(db_exec(&directory->scope, &api_key_revoke_sql,
                PARAMS(P(workspace), P(id), P(db_now(&directory->scope))), &changed));
    return exactly_one(directory, changed);
}

/* ---- invitations ---- */

static const struct column invitation_columns[] = {
    COLUMN(struct invitation, id),         COLUMN(struct invitation, workspace_id),
    COLUMN(struct invitation, email),      COLUMN(struct invitation, role),
    COLUMN(struct invitation, invited_by), COLUMN(struct invitation, created_at),
    COLUMN(struct invitation, expires_at)};
static const struct shape invitation_shape = SHAPE(struct invitation, invitation_columns);

STATEMENT(invitation_replace_sql,
          "UPDATE directory.invitation SET revoked_at = $3 WHERE workspace_id = $1"
          " AND email = lower($2) AND accepted_at IS NULL AND revoked_at IS NULL");
STATEMENT(invitation_insert_sql,
          "INSERT INTO directory.invitation (id, workspace_id, email, role, token_hash,"
          " invited_by, created_at, expires_at) VALUES ($1, $2, lower($3), $4, $5, $6, $7, $8)"
          " RETURNING *");

struct invite {
    struct bytes token_hash;
    struct invitation *invitation;
};

static enum err invite(const struct scope *at, void *arg)
{
    const struct invite *self = arg;
    struct invitation *invitation = self->invitation;
    TRY(db_exec(at, &invitation_replace_sql,
                PARAMS(P(invitation->workspace_id), P(invitation->email), P(db_now(at))), NULL));
    return db_one(at, &invitation_insert_sql,
                  PARAMS(P(db_new_id(at)), P(invitation->workspace_id), P(invitation->email),
                         P(invitation->role), P(self->token_hash), P(invitation->invited_by),
                         P(db_now(at)), P(invitation->expires_at)),
                  &invitation_shape, invitation);
}

enum err invitation_add(const struct untenanted *directory, struct bytes token_hash,
                        struct invitation *invitation)
{
    struct invite self = {token_hash, invitation};
    return db_transaction(&directory->scope, invite, &self);
}

STATEMENT(invitation_take_sql,
          "UPDATE directory.invitation AS i SET accepted_at = $2 WHERE i.token_hash = $1"
          " AND i.accepted_at IS NULL AND i.revoked_at IS NULL AND i.expires_at > $2"
          " AND EXISTS (SELECT FROM directory.member AS m"
          "  JOIN directory.app_user AS u ON u.id = m.user_id AND u.state = 'active'"
          "  WHERE m.workspace_id = i.workspace_id AND m.user_id = i.invited_by"
          "  AND (m.role = 'owner' OR m.role = 'admin' AND i.role <> 'owner')) RETURNING i.*");
STATEMENT(invitation_accepted_sql,
          "UPDATE directory.invitation SET accepted_by = $2 WHERE id = $1");

enum err invitation_take(const struct untenanted *directory, struct bytes token_hash,
                         struct invitation *into)
{
    return db_one(&directory->scope, &invitation_take_sql,
                  PARAMS(P(token_hash), P(db_now(&directory->scope))), &invitation_shape, into);
}

enum err invitation_accepted(const struct untenanted *directory, struct uuid id, struct uuid user)
{
    int64_t changed;
    TRY(db_exec(&directory->scope, &invitation_accepted_sql, PARAMS(P(id), P(user)), &changed));
    return exactly_one(directory, changed);
}
