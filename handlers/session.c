/* Signing in and out. A session is a family of refresh tokens that replace each other; an access
 * token lives for 15 minutes and is not looked up. */
#include "auth/password.h"
#include "auth/token.h"
#include "base/text.h"
#include "crypto/crypto.h"
#include "handlers/client.h"
#include "handlers/handlers.h"
#include "handlers/login_guard.h"
#include "handlers/request.h"
#include "store/login.h"
#include "store/user.h"

enum { SESSION_LIFETIME_S = 30 * 86400, TOKEN_TEXT_BYTES_MAX = 512 };

struct login_input {
    const char *email;
    const struct secret *password;
};
static const struct input_field login_fields[] = {
    FIELD_TEXT("email", struct login_input, email, 3, 254, REQUIRED),
    FIELD_SECRET("password", struct login_input, password, 1, 256, REQUIRED),
};

struct refresh_input {
    const struct secret *refresh_token;
};
static const struct input_field refresh_fields[] = {
    FIELD_SECRET("refresh_token", struct refresh_input, refresh_token, 1, TOKEN_TEXT_BYTES_MAX,
                 REQUIRED),
};

struct session {
    struct uuid id;
    struct uuid user;
    bool operator;
    const struct secret *refresh_token;
    struct instant expires_at;
};

static enum err reply_tokens(struct request *req, const struct session *session)
{
    const struct secret *access_token = NULL;
    struct jwt_claims claims = {
        .user = session->user, .session = session->id, .operator= session->operator};
    TRY(access_token_sign(req->arena, req->app->jwt_keys, req->now, &claims, &access_token));
    struct json_out out = reply_begin(req);
    out_text(&out, "access_token", secret_text(access_token));
    out_text(&out, "token_type", "Bearer");
    out_int(&out, "expires_in", JWT_LIFETIME_S);
    out_text(&out, "refresh_token", secret_text(session->refresh_token));
    out_instant(&out, "refresh_expires_at", session->expires_at);
    return reply_end(req, 200, &out);
}

/* ---- signing in ---- */

static enum err wrong(struct request *req)
{
    return arena_fail(req->arena, ERR_LOGIN_REFUSED, NULL,
                      "The e-mail address or the password is wrong.");
}

/* Takes the same time whether or not there is such a person: some hash is always checked, and some
 * row written to, be it none. */
static enum err check_password(struct request *req, const struct login_input *in, struct user *user)
{
    const struct uuid nobody = {{0}};
    bool found;
    TRY(user_by_email(&req->directory, in->email, user, &found));
    const char *hash =
        found && user->password_hash ? user->password_hash : req->app->decoy_password_hash;
    bool right = password_verify(req->arena, in->password, hash) && found && user->password_hash;
    if (found && user->locked_until.us > req->now.us)
        return arena_fail_retry(req->arena, ERR_RATE_LIMITED,
                                (user->locked_until.us - req->now.us) / 1000000 + 1,
                                "Too many attempts failed; wait before the next one.");
    TRY(user_login_noted(&req->directory, found ? user->id : nobody, right));
    return right && user->active ? OK : wrong(req);
}

static enum err start_session(struct request *req, const struct user *user)
{
    struct token token;
    token_new(req->arena, TOKEN_REFRESH, &token);
    struct session session = {
        .user = user->id,
        .operator= user->operator,
        .refresh_token = token.text,
        .expires_at = instant_add_s(req->now, SESSION_LIFETIME_S),
    };
    struct login_start start = {user->id, token.hash, session.expires_at};
    TRY(login_start(&req->directory, &start, &session.id));
    return reply_tokens(req, &session);
}

static enum err check_guarded(struct request *req, const struct login_input *in, struct user *user)
{
    struct login_guard *guard = req->app->login_guard;
    const char *client = client_address(req);
    TRY(login_guard_enter(guard, req->arena, req->now, in->email, client));
    enum err err = check_password(req, in, user);
    login_guard_leave(guard, req->now, in->email, client, err);
    return err;
}

enum err api_login(struct request *req)
{
    struct login_input in = {0};
    struct user user;
    TRY(json_read(req, login_fields, COUNT(login_fields), &in));
    TRY(check_guarded(req, &in, &user));
    return start_session(req, &user);
}

/* ---- a new password ---- */

struct password_input {
    const struct secret *current_password;
    const struct secret *password;
};
static const struct input_field password_fields[] = {
    FIELD_SECRET("current_password", struct password_input, current_password, 1, PASSWORD_BYTES_MAX,
                 REQUIRED),
    FIELD_SECRET("password", struct password_input, password, PASSWORD_BYTES_MIN,
                 PASSWORD_BYTES_MAX, REQUIRED),
};

struct password_change {
    struct request *req;
    struct user user;
    const char *hash;
};

/* Whoever knew the old one is signed out, and the caller gets a session of its own. */
static enum err change_password(const struct scope *scope, void *arg)
{
    struct password_change *change = arg;
    struct request *req = change->req;
    (void)scope;
    TRY(user_password_set(&req->directory, change->user.id, change->hash));
    TRY(login_end_all(&req->directory, change->user.id));
    return start_session(req, &change->user);
}

enum err api_me_password(struct request *req)
{
    struct password_input in = {0};
    struct password_change change = {.req = req};
    struct login_input current;
    char *hash;
    TRY(json_read(req, password_fields, COUNT(password_fields), &in));
    TRY(user_get(&req->directory, req->principal.id, &change.user));
    TRY(password_check(req->arena, in.password, change.user.email, change.user.name));
    current = (struct login_input){change.user.email, in.current_password};
    TRY(check_guarded(req, &current, &change.user));
    TRY(password_hash(req->arena, in.password, &hash));
    change.hash = hash;
    return db_transaction(&req->directory.scope, change_password, &change);
}

/* ---- going on, and ending ---- */

static enum err session_over(struct request *req)
{
    return arena_fail(req->arena, ERR_UNAUTHENTICATED, NULL,
                      "The refresh token is not valid: sign in again.");
}

static enum err rotate(struct request *req, struct bytes old_hash, struct session *session)
{
    struct token token;
    struct login_rotation rotation;
    struct user user;
    token_new(req->arena, TOKEN_REFRESH, &token);
    TRY(login_rotate(&req->directory, old_hash, token.hash, &rotation));
    TRY(user_get(&req->directory, rotation.user, &user));
    if (!user.active)
        return session_over(req);
    *session = (struct session){
        .id = rotation.session,
        .user = user.id,
        .operator= user.operator,
        .refresh_token = token.text,
        .expires_at = rotation.expires_at,
    };
    return OK;
}

enum err api_session_refresh(struct request *req)
{
    struct refresh_input in = {0};
    struct session session = {0};
    struct bytes hash;
    TRY(json_read(req, refresh_fields, COUNT(refresh_fields), &in));
    if (!token_hash(req->arena, TOKEN_REFRESH, secret_text(in.refresh_token), &hash))
        return session_over(req);
    enum err err = rotate(req, hash, &session);
    if (err == ERR_NOT_FOUND || err == ERR_UNAUTHENTICATED)
        return session_over(req);
    TRY(err);
    return reply_tokens(req, &session);
}

enum err api_logout(struct request *req)
{
    struct refresh_input in = {0};
    struct bytes hash;
    TRY(json_read(req, refresh_fields, COUNT(refresh_fields), &in));
    if (token_hash(req->arena, TOKEN_REFRESH, secret_text(in.refresh_token), &hash))
        TRY(login_end(&req->directory, hash));
    return reply_empty(req, 204);
}

/* ---- who am I ---- */

static void out_user(struct json_out *out, const struct user *user)
{
    out_object(out, "user");
    out_uuid(out, "id", user->id);
    out_text(out, "email", user->email);
    out_text(out, "name", user->name);
    out_bool(out, "operator", user->operator);
    out_instant(out, "created_at", user->created_at);
    out_end(out);
}

static void out_membership(struct json_out *out, const struct membership *membership)
{
    out_object(out, NULL);
    out_uuid(out, "workspace_id", membership->workspace_id);
    out_text(out, "workspace_name", membership->workspace_name);
    out_text(out, "region", membership->region);
    out_text(out, "role", membership->role);
    out_end(out);
}

enum err api_me_get(struct request *req)
{
    struct user user;
    struct rows memberships;
    TRY(user_get(&req->directory, req->principal.id, &user));
    TRY(membership_list(&req->directory, user.id, &memberships));
    struct json_out out = reply_begin(req);
    out_user(&out, &user);
    out_array(&out, "memberships");
    const struct membership *rows = memberships.at;
    for (size_t i = 0; i < memberships.count; i++)
        out_membership(&out, &rows[i]);
    out_end(&out);
    return reply_end(req, 200, &out);
}
