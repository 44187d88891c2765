#include "handlers/guard.h"

#include "auth/token.h"
#include "base/text.h"
#include "store/login.h"
#include "store/scope_make.h"
#include "store/user.h"

const char *const role_names[] = {"viewer", "reviewer", "admin", "owner", NULL};

enum access role_parse(const char *name)
{
    for (int i = 0; role_names[i]; i++) {
        if (text_equal(role_names[i], name))
            return (enum access)(ACCESS_VIEWER + i);
    }
    return ACCESS_UNSET;
}

static enum err refuse(struct request *req, const char *why)
{
    return arena_fail(req->arena, ERR_UNAUTHENTICATED, NULL, "%s", why);
}

/* ---- who it is ---- */

const char *bearer_read(const struct request *req)
{
    static const char scheme[] = "Bearer ";
    const char *value = http_request_field(req->http, "authorization");
    if (!value || strncasecmp(value, scheme, sizeof scheme - 1) != 0)
        return NULL;
    value += sizeof scheme - 1;
    return value + strspn(value, " ");
}

static enum err recognise_user(struct request *req, const char *token)
{
    struct jwt_claims claims;
    TRY(access_token_verify(req->arena, req->app->jwt_keys, req->now, token, &claims));
    req->principal = (struct principal){.kind = PRINCIPAL_USER,
                                        .id = claims.user,
                                        .person = claims.user,
                                        .operator= claims.operator};
    return OK;
}

/* The key's workspace, role and region come with it. */
static enum err recognise_key(struct request *req, struct bytes hash, struct api_key *key)
{
    TRY(api_key_by_hash(&req->directory, hash, key));
    req->principal = (struct principal){.kind = PRINCIPAL_API_KEY,
                                        .id = key->id,
                                        .person = key->created_by,
                                        .workspace = key->workspace_id};
    return OK;
}

static enum err recognise(struct request *req, struct api_key *key)
{
    struct bytes hash;
    const char *token = bearer_read(req);
    if (!token)
        return refuse(req, "Send a credential: Authorization: Bearer …");
    if (token_hash(req->arena, TOKEN_API_KEY, token, &hash))
        return recognise_key(req, hash, key);
    return recognise_user(req, token);
}

/* ---- what they may ---- */

static enum err no_such_workspace(struct request *req)
{
    return arena_fail(req->arena, ERR_NOT_FOUND, NULL, "There is no such object.");
}

static enum err role_of_user(struct request *req, struct uuid workspace, const char **region)
{
    struct membership membership;
    enum err err = membership_get(&req->directory, workspace, req->principal.id, &membership);
    if (err == ERR_NOT_FOUND)
        return no_such_workspace(req);
    TRY(err);
    if (!membership.active)
        return arena_fail(req->arena, ERR_FORBIDDEN, NULL, "The workspace is not active.");
    req->role = role_parse(membership.role);
    *region = membership.region;
    return OK;
}

static enum err role_of_key(struct request *req, struct uuid workspace, const struct api_key *key,
                            const char **region)
{
    if (!uuid_equal(key->workspace_id, workspace))
        return no_such_workspace(req);
    req->role = role_parse(key->role);
    *region = key->region;
    return OK;
}

/* What is left of the request's time bounds each statement. */
static int timeout_ms(const struct request *req)
{
    int64_t left_ms = (req->http->deadline_us - monotonic_us()) / 1000;
    if (left_ms > DB_STATEMENT_TIMEOUT_MS)
        return DB_STATEMENT_TIMEOUT_MS;
    return left_ms < GUARD_TIMEOUT_MS_MIN ? GUARD_TIMEOUT_MS_MIN : (int)left_ms;
}

enum err guard_scope(struct request *req, struct uuid workspace, const char *region,
                     struct scope *into)
{
    static const enum actor_kind actors[] = {[PRINCIPAL_NONE] = ACTOR_SYSTEM,
                                             [PRINCIPAL_USER] = ACTOR_USER,
                                             [PRINCIPAL_API_KEY] = ACTOR_API_KEY};
    if (!text_equal(region, req->app->config->region_name))
        return arena_fail(req->arena, ERR_DB_DOWN, NULL,
                          "This process does not serve the region of the workspace.");
    struct scope scope = scope_make(req->thread->region, req->arena, workspace);
    *into = scope_make_for(scope, actors[req->principal.kind], req->principal.id,
                           uuid_format(req->arena, req->http->id));
    into->timeout_ms = timeout_ms(req);
    return OK;
}

static enum err enter_workspace(struct request *req, const struct api_key *key)
{
    struct uuid workspace = request_uuid(req, "workspace_id");
    const char *region = NULL;
    bool person = req->principal.kind == PRINCIPAL_USER;
    TRY(person ? role_of_user(req, workspace, &region) : role_of_key(req, workspace, key, &region));
    if (req->role < req->match.route->access)
        return arena_fail(req->arena, ERR_FORBIDDEN, NULL, "This call needs the role %s.",
                          access_name(req->match.route->access));
    struct scope *scope = arena_alloc(req->arena, sizeof *scope);
    TRY(guard_scope(req, workspace, region, scope));
    req->scope = scope;
    return OK;
}

/* The token may be a quarter of an hour old: whether the person is still there is asked anew. */
static enum err enter_as_person(struct request *req, struct user *user)
{
    if (req->principal.kind != PRINCIPAL_USER)
        return arena_fail(req->arena, ERR_FORBIDDEN, NULL,
                          "An API key cannot do this: sign in as a person.");
    enum err err = user_get(&req->directory, req->principal.id, user);
    if (err == ERR_NOT_FOUND || (err == OK && !user->active))
        return refuse(req, "This account is not active.");
    return err;
}

static enum err enter_as_operator(struct request *req, struct user *user)
{
    TRY(enter_as_person(req, user));
    if (!user->operator)
        return arena_fail(req->arena, ERR_FORBIDDEN, NULL, "This call needs an operator.");
    return OK;
}

enum err guard_admit(struct request *req)
{
    enum access access = req->match.route->access;
    struct api_key key = {0};
    struct user user = {0};
    req->directory.scope.timeout_ms = req->region.scope.timeout_ms = timeout_ms(req);
    if (access == ACCESS_PUBLIC)
        return OK;
    TRY(recognise(req, &key));
    if (access == ACCESS_USER)
        return enter_as_person(req, &user);
    if (access == ACCESS_OPERATOR)
        return enter_as_operator(req, &user);
    return enter_workspace(req, &key);
}
