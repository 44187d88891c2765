#include "base/base.h"

#include "connectors/qonto/qonto.h"

#include "base/text.h"
#include "connectors/oauth/oauth.h"
#include "connectors/qonto/call.h"

static struct oauth_profile profile_of(struct arena *arena,
                                       const struct provider_settings *settings)
{
    struct oauth_profile profile = {.name = "Qonto"};
    if (settings->staging_token) {
        struct http_header header = {
            .name = qonto_staging_header, .value = "", .secret = settings->staging_token};
        profile.headers = arena_copy(arena, &header, sizeof header);
        profile.header_count = 1;
    }
    return profile;
}

static const char *endpoint(struct arena *arena, const char *base, const char *path)
{
    size_t n = strlen(base);
    while (n > 0 && base[n - 1] == '/')
        n--;
    return arena_format(arena, "%.*s%s", (int)n, base, path);
}

static bool scope_holds(const char *scope, const char *wanted)
{
    size_t n = strlen(wanted);
    for (const char *at = scope; at && *at;) {
        size_t length = strcspn(at, " ");
        if (length == n && strncmp(at, wanted, n) == 0)
            return true;
        at += length + strspn(at + length, " ");
    }
    return false;
}

/* Without offline_access there is no refresh token, and the connection would die within the hour.
 */
static const char *scope_to_ask(struct arena *arena, const struct provider_settings *settings)
{
    const char *scope = text_blank(settings->scope) ? QONTO_SCOPE_DEFAULT : settings->scope;
    return scope_holds(scope, "offline_access") ? scope
                                                : arena_format(arena, "offline_access %s", scope);
}

static enum err qonto_start(struct provider_call *call, const struct client_registry *clients,
                            const char *redirect_uri, const char *state, struct authorisation *into)
{
    (void)clients; /* Qonto registers no clients on its own */
    const struct provider_settings *settings = call->settings;
    if (!settings->oauth_url)
        return arena_fail(call->arena, ERR_CONFIG, "oauth_url",
                          "Qonto's authorisation server has no address.");
    if (!settings->client_id || !settings->client_secret)
        return arena_fail(call->arena, ERR_CONFIG, "client_id",
                          "Register an application at Qonto and set its client id and secret.");
    struct arena *arena = call->arena;
    const struct oauth_server server = {
        .authorization_endpoint = endpoint(arena, settings->oauth_url, "/oauth2/auth"),
        .token_endpoint = endpoint(arena, settings->oauth_url, "/oauth2/token"),
        .revocation_endpoint = endpoint(arena, settings->oauth_url, "/oauth2/revoke"),
    };
    const struct client_registration client = {settings->client_id, settings->client_secret};
    const struct oauth_request request = {.client = &client,
                                          .redirect_uri = redirect_uri,
                                          .state = state,
                                          .scope = scope_to_ask(arena, settings)};
    return oauth_start(arena, &server, &request, into);
}

static enum err qonto_exchange(struct provider_call *call, const struct authorisation *attempt,
                               const char *redirect_uri, const struct secret *code,
                               struct token_set *into)
{
    struct oauth_profile profile = profile_of(call->arena, call->settings);
    return oauth_exchange(call, &profile, attempt, redirect_uri, code, into);
}

static enum err qonto_refresh(struct provider_call *call, const struct authorisation *attempt,
                              struct token_set *into)
{
    struct oauth_profile profile = profile_of(call->arena, call->settings);
    return oauth_refresh(call, &profile, attempt, into);
}

static void add_step(struct revocation *into, const char *what, int status, bool confirmed)
{
    if (into->count < REVOCATION_STEPS_MAX)
        into->steps[into->count++] = (struct revocation_step){what, status, confirmed};
}

/* The status of one call with the access token as it is; 0 when Qonto was not reached. */
static int status_of(struct provider_call *call, const char *method, const char *path)
{
    struct provider_call bare = *call;
    bare.refresh = NULL; /* what is being revoked is not renewed */
    struct qonto_request request = {
        .method = method, .path = path, .bytes_max = QONTO_ANSWER_BYTES_MAX};
    struct http_answer answer = {0};
    if (qonto_send(&bare, &request, &answer) != OK) {
        arena_failure_clear(call->arena);
        return 0;
    }
    return answer.status;
}

/* Qonto documents the deletion of consents, its authorisation server the revocation of tokens:
 * both, and then one call that must be refused. The tokens decide whether it is complete, and an
 * access token that still works says that it is not. */
static enum err qonto_revoke(struct provider_call *call, const struct authorisation *attempt,
                             struct revocation *into)
{
    struct oauth_profile profile = profile_of(call->arena, call->settings);
    bool usable = call->credential->access_token != NULL;
    const char *scope = attempt->scope ? attempt->scope : call->settings->scope;
    *into = (struct revocation){.complete = true};
    if (usable && scope_holds(scope, "organization.read")) {
        int status = status_of(call, "DELETE", "/v2/oauth2/consents");
        add_step(into, "consent", status, status == 204);
    }
    TRY(oauth_revoke(call, &profile, attempt, into));
    if (!usable)
        return OK;
    int status = status_of(call, "GET", "/v2/organization");
    add_step(into, "verification", status, status == 401);
    if (status >= 200 && status < 300)
        into->complete = false;
    return OK;
}

const struct authoriser qonto_authoriser = {
    .provider = "qonto",
    .start = qonto_start,
    .exchange = qonto_exchange,
    .refresh = qonto_refresh,
    .revoke = qonto_revoke,
};
