/* Members of a workspace and invitations to become one. They live in the directory; what was done
 * is audited in the workspace's region. */
#include "auth/password.h"
#include "auth/token.h"
#include "base/text.h"
#include "crypto/crypto.h"
#include "handlers/client.h"
#include "handlers/email.h"
#include "handlers/guard.h"
#include "handlers/handlers.h"
#include "handlers/login_guard.h"
#include "handlers/request.h"
#include "store/audit.h"
#include "store/login.h"
#include "store/user.h"
#include "store/workspace.h"

enum { INVITATION_LIFETIME_S = 7 * 86400, NAME_MAX_CHARS = 120 };

struct member_input {
    int role; /* index in role_names */
};
static const struct input_field member_fields[] = {
    FIELD_WORD("role", struct member_input, role, role_names, REQUIRED),
};

static void out_member(struct json_out *out, const struct member *member)
{
    out_uuid(out, "user_id", member->user_id);
    out_text(out, "email", member->email);
    out_text(out, "name", member->name);
    out_text(out, "role", member->role);
    out_instant(out, "joined_at", member->joined_at);
}

/* ---- members ---- */

struct member_query {
    struct page page;
};
static const struct input_field list_fields[] = {PAGE_FIELDS(struct member_query, page)};

enum err api_member_list(struct request *req)
{
    struct member_query query = {.page = PAGE_DEFAULT};
    struct rows rows;
    TRY(list_read(req, list_fields, COUNT(list_fields), &query, &query.page));
    TRY(member_list(&req->directory, req->scope->workspace, query.page.after.id,
                    query.page.limit + 1, &rows));
    const struct member *members = rows.at;
    size_t shown = page_shown(&query.page, rows.count);
    struct json_out out = list_begin(req);
    for (size_t i = 0; i < shown; i++) {
        out_object(&out, NULL);
        out_member(&out, &members[i]);
        out_end(&out);
    }
    struct cursor next = {.id = shown ? members[shown - 1].user_id : (struct uuid){{0}}};
    return list_end(req, &out, shown < rows.count ? &next : NULL);
}

static enum err audit_member(struct request *req, const char *action, struct uuid user,
                             const char *role)
{
    struct json_out detail = json_out_new(req->arena, 256);
    out_object(&detail, NULL);
    out_text(&detail, "role", role);
    out_end(&detail);
    return audit_append(req->scope, &(struct audit_entry){.action = action,
                                                          .subject_kind = "member",
                                                          .subject = user,
                                                          .detail = detail.buf.data});
}

struct applying {
    struct request *req;
    struct member_change change;
    struct member_changed changed;
};

static enum err audit_revoked(struct request *req, struct uuid key)
{
    return audit_append(req->scope, &(struct audit_entry){.action = "api_key.deleted",
                                                          .subject_kind = "api_key",
                                                          .subject = key,
                                                          .detail = "{\"reason\":\"maker_left\"}"});
}

static enum err audit_change(const struct scope *scope, void *argument)
{
    const struct applying *applying = argument;
    struct request *req = applying->req;
    const struct member_change *change = &applying->change;
    const struct uuid *keys = applying->changed.keys.at;
    (void)scope;
    for (size_t i = 0; i < applying->changed.keys.count; i++)
        TRY(audit_revoked(req, keys[i]));
    if (change->role)
        return audit_member(req, "member.role_set", change->user, change->role);
    return audit_member(req, "member.removed", change->user, applying->changed.before.role);
}

/* The region commits first: what the directory has changed is in the log. */
static enum err apply(const struct scope *scope, void *argument)
{
    struct applying *applying = argument;
    struct request *req = applying->req;
    (void)scope;
    TRY(member_change(&req->directory, &applying->change, &applying->changed));
    return db_transaction(req->scope, audit_change, applying);
}

static enum err change_member(struct request *req, const char *role, struct member *before)
{
    struct applying applying = {
        .req = req,
        .change = {.workspace = req->scope->workspace,
                   .user = request_uuid(req, "user_id"),
                   .role = role,
                   .by = req->principal.person,
                   .as = access_name(req->role)},
    };
    TRY(db_transaction(&req->directory.scope, apply, &applying));
    *before = applying.changed.before;
    return OK;
}

enum err api_member_update(struct request *req)
{
    struct member_input in = {0};
    struct member member;
    TRY(json_read(req, member_fields, COUNT(member_fields), &in));
    TRY(change_member(req, role_names[in.role], &member));
    member.role = role_names[in.role];
    struct json_out out = reply_begin(req);
    out_member(&out, &member);
    return reply_end(req, 200, &out);
}

enum err api_member_remove(struct request *req)
{
    struct member member;
    TRY(change_member(req, NULL, &member));
    return reply_empty(req, 204);
}

/* ---- inviting ---- */

struct invitation_input {
    const char *email;
    int role;
};
static const struct input_field invitation_fields[] = {
    FIELD_TEXT("email", struct invitation_input, email, 3, EMAIL_BYTES_MAX, REQUIRED),
    FIELD_WORD("role", struct invitation_input, role, role_names, REQUIRED),
};

static enum err refuse_member(struct request *req, const char *email)
{
    struct user user;
    struct member member;
    bool found;
    TRY(user_by_email(&req->directory, email, &user, &found));
    if (!found)
        return OK;
    enum err err = member_get(&req->directory, req->scope->workspace, user.id, &member);
    if (err == OK)
        return arena_fail(req->arena, ERR_DUPLICATE, "email", "This person is a member already.");
    return err == ERR_NOT_FOUND ? OK : err;
}

static enum err reply_invitation(struct request *req, const struct invitation *invitation,
                                 const struct secret *token)
{
    struct json_out out = reply_begin(req);
    out_uuid(&out, "id", invitation->id);
    out_text(&out, "email", invitation->email);
    out_text(&out, "role", invitation->role);
    out_text(&out, "token", secret_text(token));
    out_instant(&out, "expires_at", invitation->expires_at);
    out_instant(&out, "created_at", invitation->created_at);
    return reply_end(req, 201, &out);
}

enum err api_invitation_create(struct request *req)
{
    struct invitation_input in = {0};
    struct token token;
    TRY(json_read(req, invitation_fields, COUNT(invitation_fields), &in));
    TRY(email_check(req->arena, "email", in.email));
    if (text_equal(role_names[in.role], "owner") && req->role != ACCESS_OWNER)
        return arena_fail(req->arena, ERR_FORBIDDEN, NULL, "Only an owner may invite an owner.");
    TRY(refuse_member(req, in.email));
    token_new(req->arena, TOKEN_INVITATION, &token);
    struct invitation invitation = {
        .workspace_id = req->scope->workspace,
        .email = email_lower(req->arena, in.email),
        .role = role_names[in.role],
        .invited_by = req->principal.person,
        .expires_at = instant_add_s(req->now, INVITATION_LIFETIME_S),
    };
    TRY(invitation_add(&req->directory, token.hash, &invitation));
    TRY(audit_append(req->scope, &(struct audit_entry){.action = "invitation.created",
                                                       .subject_kind = "invitation",
                                                       .subject = invitation.id}));
    return reply_invitation(req, &invitation, token.text);
}

/* ---- accepting ---- */

struct accept_input {
    const struct secret *token;
    const char *name;
    const struct secret *password;
};
static const struct input_field accept_fields[] = {
    FIELD_SECRET("token", struct accept_input, token, 1, 512, REQUIRED),
    FIELD_TEXT("name", struct accept_input, name, 1, NAME_MAX_CHARS, REQUIRED),
    FIELD_SECRET("password", struct accept_input, password, PASSWORD_BYTES_MIN, PASSWORD_BYTES_MAX,
                 REQUIRED),
};

struct accepting {
    struct request *req;
    const struct accept_input *in;
    struct bytes token_hash;
    struct invitation invitation;
    struct user user;
    bool known; /* had an account before */
};

/* Whoever invites holds the token and may invite anew: the guesses count for the account itself, as
 * those of a login do. */
static enum err prove(struct accepting *accepting)
{
    struct request *req = accepting->req;
    const struct user *user = &accepting->user;
    if (user->locked_until.us > req->now.us)
        return arena_fail_retry(req->arena, ERR_RATE_LIMITED,
                                (user->locked_until.us - req->now.us) / 1000000 + 1,
                                "Too many attempts failed; wait before the next one.");
    bool right = user->active && user->password_hash &&
                 password_verify(req->arena, accepting->in->password, user->password_hash);
    return right ? OK
                 : arena_fail(req->arena, ERR_LOGIN_REFUSED, NULL,
                              "This person has an account: its password is another one.");
}

/* Who has an account proves it; who has none gets one, for the address that was invited and no
 * other. No e-mail is sent, so nothing shows that the address is theirs: they hold the token that
 * the inviting person passed on, and that is all that is known. */
static enum err find_or_add_user(struct accepting *accepting)
{
    struct request *req = accepting->req;
    struct user *user = &accepting->user;
    char *hash;
    TRY(user_by_email(&req->directory, accepting->invitation.email, user, &accepting->known));
    if (accepting->known)
        return prove(accepting);
    TRY(password_check(req->arena, accepting->in->password, accepting->invitation.email,
                       accepting->in->name));
    TRY(password_hash(req->arena, accepting->in->password, &hash));
    *user = (struct user){.email = accepting->invitation.email,
                          .name = accepting->in->name,
                          .password_hash = hash,
                          .active = true};
    return user_add(&req->directory, user);
}

static enum err accept(const struct scope *scope, void *argument)
{
    struct accepting *accepting = argument;
    struct request *req = accepting->req;
    struct invitation *invitation = &accepting->invitation;
    (void)scope;
    TRY(invitation_take(&req->directory, accepting->token_hash, invitation));
    TRY(find_or_add_user(accepting));
    TRY(member_add(&req->directory, invitation->workspace_id, accepting->user.id,
                   invitation->role));
    return invitation_accepted(&req->directory, invitation->id, accepting->user.id);
}

static enum err audit_acceptance(struct accepting *accepting)
{
    struct request *req = accepting->req;
    struct workspace workspace;
    struct scope scope;
    TRY(workspace_get(&req->directory, accepting->invitation.workspace_id, &workspace));
    req->principal = (struct principal){.kind = PRINCIPAL_USER, .id = accepting->user.id};
    TRY(guard_scope(req, workspace.id, workspace.region, &scope));
    return audit_append(&scope, &(struct audit_entry){.action = "invitation.accepted",
                                                      .subject_kind = "member",
                                                      .subject = accepting->user.id,
                                                      .detail = accepting->known
                                                                    ? "{\"account\":\"known\"}"
                                                                    : "{\"account\":\"new\"}"});
}

static enum err unknown_token(struct request *req)
{
    return arena_fail(req->arena, ERR_NOT_FOUND, "token",
                      "There is no such invitation, or it was used, replaced or has expired, or "
                      "whoever invited may no longer do so.");
}

enum err api_invitation_accept(struct request *req)
{
    struct accept_input in = {0};
    struct login_guard *guard = req->app->login_guard;
    struct accepting accepting = {.req = req, .in = &in};
    TRY(json_read(req, accept_fields, COUNT(accept_fields), &in));
    if (!token_hash(req->arena, TOKEN_INVITATION, secret_text(in.token), &accepting.token_hash))
        return unknown_token(req);
    const char *attempt = hex_encode(req->arena, accepting.token_hash);
    const char *client = client_address(req);
    TRY(login_guard_enter(guard, req->arena, req->now, attempt, client));
    enum err err = db_transaction(&req->directory.scope, accept, &accepting);
    login_guard_leave(guard, req->now, attempt, client, err);
    if (err == ERR_NOT_FOUND)
        return unknown_token(req);
    if (err == ERR_LOGIN_REFUSED) /* in a transaction of its own: the other one is undone */
        TRY(user_login_noted(&req->directory, accepting.user.id, false));
    TRY(err);
    TRY(audit_acceptance(&accepting));
    struct json_out out = reply_begin(req);
    out_uuid(&out, "user_id", accepting.user.id);
    out_uuid(&out, "workspace_id", accepting.invitation.workspace_id);
    out_text(&out, "role", accepting.invitation.role);
    return reply_end(req, 201, &out);
}
