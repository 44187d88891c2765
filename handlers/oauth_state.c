#include "base/base.h"

#include "handlers/oauth_state.h"

#include "base/text.h"
#include "connectors/oauth/oauth.h"
#include "crypto/crypto.h"
#include "handlers/handlers.h"
#include "net/url.h"

enum { COOKIE_MARK_CHARS = 8, BROWSER_CHARS = 43 };
static const char browser_cookie[] = "sluice_browser";

static struct bytes hash_of(struct arena *arena, const char *kind, const char *token)
{
    const char *text = arena_format(arena, "%s:%s", kind, token);
    uint8_t *hash = arena_alloc(arena, SHA256_BYTES);
    sha256((struct bytes){(const uint8_t *)text, strlen(text)}, hash);
    return (struct bytes){hash, SHA256_BYTES};
}

static const char *token_of_region(struct request *req)
{
    return arena_format(req->arena, "%s.%s", req->app->config->region_name,
                        secret_text(random_token(req->arena)));
}

/* ---- the link ---- */

enum err return_url_check(struct request *req, const char *return_url)
{
    struct url url;
    const struct config_list *allowed = &req->app->config->return_origins;
    bool good = url_parse(req->arena, return_url, &url) && !url.user && !url.fragment;
    for (size_t i = 0; good && i < allowed->n; i++) {
        if (text_equal(allowed->at[i], url_origin(req->arena, &url)))
            return OK;
    }
    return arena_fail(req->arena, ERR_FIELD_INVALID, "return_url",
                      "Expected a URL of a frontend that this installation allows "
                      "(oauth.return_origins).");
}

enum err authorisation_begin(struct request *req, const struct connection *connection,
                             const char *return_url, struct authorisation_link *into)
{
    const char *attempt = token_of_region(req);
    const struct uuid nobody = {{0}};
    struct instant now = db_now(req->scope);
    const struct oauth_state state = {
        .state_hash = hash_of(req->arena, "attempt", attempt),
        .browser_hash = hash_of(req->arena, "link", attempt), /* no browser has opened it yet */
        .workspace_id = req->scope->workspace,
        .region = req->app->config->region_name,
        .provider = connection->provider,
        .connection_id = connection->id,
        .attempt_id = db_new_id(req->scope),
        .return_to = return_url,
        .asked_by = req->principal.person,
        .asked_with = req->principal.kind == PRINCIPAL_API_KEY ? req->principal.id : nobody,
        .expires_at = instant_add_s(now, AUTHORISATION_S),
    };
    TRY(oauth_state_add(&req->directory, &state));
    *into = (struct authorisation_link){
        .url = arena_format(req->arena, "%s/oauth/%s/start?attempt=%s",
                            req->app->config->public_url, connection->provider, attempt),
        .expires_at = state.expires_at,
    };
    return OK;
}

static struct oauth_state_claim claim_of_link(struct request *req, const struct provider *provider,
                                              const char *attempt)
{
    return (struct oauth_state_claim){
        .state_hash = hash_of(req->arena, "attempt", attempt),
        .browser_hash = hash_of(req->arena, "link", attempt),
        .provider = provider->name,
    };
}

enum err authorisation_look(struct request *req, const struct provider *provider,
                            const char *attempt, struct oauth_state *into)
{
    const struct oauth_state_claim claim = claim_of_link(req, provider, attempt);
    return oauth_state_look(&req->directory, &claim, into);
}

enum err authorisation_open(struct request *req, const struct provider *provider,
                            const char *attempt, struct oauth_state *into)
{
    const struct oauth_state_claim claim = claim_of_link(req, provider, attempt);
    return oauth_state_take(&req->directory, &claim, into);
}

static const char *confirmation_of(struct request *req, const char *attempt, const char *browser)
{
    const char *both = arena_format(req->arena, "%s:%s", browser, attempt);
    return hex_encode(req->arena, hash_of(req->arena, "confirmation", both));
}

/* One for all pages that are open in a browser. */
const char *confirmation_new(struct request *req, const char *attempt)
{
    const char *browser = cookie_read(req, browser_cookie);
    struct bytes known;
    if (!browser || strlen(browser) != BROWSER_CHARS ||
        !base64url_decode(req->arena, browser, &known))
        browser = secret_text(random_token(req->arena));
    reply_cookie(req, browser_cookie, browser, AUTHORISATION_S);
    return confirmation_of(req, attempt, browser);
}

bool confirmation_valid(struct request *req, const char *attempt, const char *confirmation)
{
    const char *browser = cookie_read(req, browser_cookie);
    return browser && text_equal(confirmation, confirmation_of(req, attempt, browser));
}

/* ---- the state ---- */

/* A name of its own per state, so that two authorisations may go on in one browser. */
static const char *cookie_name(struct request *req, const char *state)
{
    const char *mark = hex_encode(req->arena, hash_of(req->arena, "cookie", state));
    return arena_format(req->arena, "sluice_oauth_%.*s", COOKIE_MARK_CHARS, mark);
}

const char *state_new(struct request *req)
{
    return token_of_region(req);
}

enum err state_keep(struct request *req, const char *state, const struct oauth_state *opened,
                    struct uuid attempt)
{
    const char *browser = secret_text(random_token(req->arena));
    struct oauth_state kept = *opened;
    kept.state_hash = hash_of(req->arena, "state", state);
    kept.browser_hash = hash_of(req->arena, "browser", browser);
    kept.attempt_id = attempt;
    kept.expires_at = instant_add_s(db_now(&req->directory.scope), AUTHORISATION_S);
    TRY(oauth_state_add(&req->directory, &kept));
    reply_cookie(req, cookie_name(req, state), browser, AUTHORISATION_S);
    return OK;
}

enum err state_take(struct request *req, const struct provider *provider, const char *state,
                    struct oauth_state *into)
{
    const char *name = cookie_name(req, state);
    const char *browser = cookie_read(req, name);
    if (!browser)
        return ERR_NOT_FOUND;
    reply_cookie(req, name, "", 0);
    const struct oauth_state_claim claim = {
        .state_hash = hash_of(req->arena, "state", state),
        .browser_hash = hash_of(req->arena, "browser", browser),
        .provider = provider->name,
    };
    return oauth_state_take(&req->directory, &claim, into);
}

enum err state_spoil(struct request *req, const char *state, struct oauth_state *into, bool *found,
                     const char **why)
{
    const char *browser = cookie_read(req, cookie_name(req, state));
    TRY(oauth_state_spoil(&req->directory, hash_of(req->arena, "state", state), into, found));
    if (!*found)
        return OK;
    struct bytes hash = hash_of(req->arena, "browser", browser ? browser : "");
    bool same =
        into->browser_hash.n == hash.n && memcmp(into->browser_hash.at, hash.at, hash.n) == 0;
    *why = same ? "asker_gone" : "other_browser";
    return OK;
}

/* Its address is our client id where a server takes one, so it names itself as it is reached. */
enum err api_oauth_client(struct request *req)
{
    const struct provider *provider = provider_find(request_name(req, "provider"));
    if (!provider || !provider->authoriser || !provider->authoriser->describes_itself)
        return arena_fail(req->arena, ERR_NOT_FOUND, NULL, "There is no such page.");
    const char *address = arena_format(req->arena, "%s/oauth/%s/client",
                                       req->app->config->public_url, provider->name);
    const char *scope =
        req->app->provider_settings(req->app->provider_context, provider->name)->scope;
    const char *text =
        oauth_client_document(req->arena, address, redirect_uri_of(req, provider), scope);
    return reply_bytes(req, "application/json",
                       (struct bytes){(const uint8_t *)text, strlen(text)});
}

const char *redirect_uri_of(const struct request *req, const struct provider *provider)
{
    return arena_format(req->arena, "%s/oauth/%s/callback", req->app->config->public_url,
                        provider->name);
}
