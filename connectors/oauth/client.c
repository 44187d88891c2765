#include "connectors/oauth/oauth_internal.h"

#include "base/text.h"
#include "crypto/crypto.h"
#include "net/url.h"

enum { CLIENT_ID_BYTES_MAX = 1024 };

/* OpenID Connect Registration: "native" for plain http to the person's own machine, else "web". */
static const char *application_type(struct arena *arena, const char *redirect_uri)
{
    static const char *const loopback[] = {"localhost", "127.0.0.1", "[::1]"};
    struct url url;
    for (size_t i = 0; url_parse(arena, redirect_uri, &url) && i < COUNT(loopback); i++) {
        if (text_equal(url.scheme, "http") && text_equal(url.host, loopback[i]))
            return "native";
    }
    return "web";
}

/* RFC 7591 §2. */
static json_t *metadata_of(struct arena *arena, const char *redirect_uri, const char *method,
                           const char *scope)
{
    return json_keep(arena,
                     json_pack("{s:s, s:[s], s:[s,s], s:[s], s:s, s:s, s:s, s:s*}", "client_name",
                               "Sluice", "redirect_uris", redirect_uri, "grant_types",
                               "authorization_code", "refresh_token", "response_types", "code",
                               "token_endpoint_auth_method", method, "application_type",
                               application_type(arena, redirect_uri), "software_id", "sluice",
                               "scope", scope));
}

char *oauth_client_document(struct arena *arena, const char *address, const char *redirect_uri,
                            const char *scope)
{
    json_t *document = metadata_of(arena, redirect_uri, "none", scope);
    json_object_set_new(document, "client_id", json_string(address));
    return json_write(arena, document);
}

static struct bytes registration_body(struct provider_call *call, const struct oauth_server *server,
                                      const char *redirect_uri)
{
    const char *method = server->auth_method ? server->auth_method : "none";
    char *text = json_write(call->arena,
                            metadata_of(call->arena, redirect_uri, method, call->settings->scope));
    return (struct bytes){(const uint8_t *)text, strlen(text)};
}

static enum err registration_refused(struct provider_call *call,
                                     const struct oauth_profile *profile,
                                     const struct http_answer *answer)
{
    struct arena *arena = call->arena;
    json_t *object = NULL;
    if (answer->status == 429 || answer->status >= 500)
        return arena_fail_retry(arena, ERR_TRANSIENT, answer->retry_after_s,
                                "%s cannot register us now (HTTP %d).", profile->name,
                                answer->status);
    TRY(oauth_object(call, answer, "The registration endpoint", &object));
    const char *code = json_text(object, "error");
    if (text_equal(code, "invalid_redirect_uri"))
        return arena_fail(arena, ERR_VALIDATION, "redirect_uri",
                          "%s does not take our redirect address: ask it to allow the address, or "
                          "configure a client that it registered for us.",
                          profile->name);
    return arena_fail(arena, ERR_VALIDATION, "client_id",
                      "%s did not register us (%s): configure a client that it registered for us.",
                      profile->name, oauth_word(arena, code ? code : "no reason"));
}

static enum err registration_read(struct provider_call *call, const struct oauth_profile *profile,
                                  const struct http_answer *answer,
                                  struct client_registration *into)
{
    json_t *object = NULL;
    if (answer->status / 100 != 2)
        return registration_refused(call, profile, answer);
    TRY(oauth_object(call, answer, "The registration endpoint", &object));
    const char *id = json_text(object, "client_id");
    const char *secret = json_text(object, "client_secret");
    if (text_blank(id) || strlen(id) > CLIENT_ID_BYTES_MAX ||
        (secret && strlen(secret) > OAUTH_TOKEN_BYTES_MAX))
        return arena_fail(call->arena, ERR_PROTOCOL, "client_id",
                          "%s registered us without a usable client id.", profile->name);
    *into = (struct client_registration){.client_id = id,
                                         .client_secret = secret_from_text(call->arena, secret)};
    return OK;
}

static enum err register_client(struct provider_call *call, const struct oauth_profile *profile,
                                const struct oauth_server *server, const char *redirect_uri,
                                struct client_registration *into)
{
    if (!server->registration_endpoint)
        return arena_fail(call->arena, ERR_CONFIG, "client_id",
                          "%s registers no clients by itself: configure a client id.",
                          profile->name);
    const struct http_header headers[] = {
        {.name = "Content-Type", .value = "application/json"},
        {.name = "Accept", .value = "application/json"},
    };
    struct http_call http = {.method = "POST",
                             .url = server->registration_endpoint,
                             .headers = headers,
                             .header_count = COUNT(headers),
                             .body = registration_body(call, server, redirect_uri),
                             .connect_s = OAUTH_CALL_S,
                             .total_s = OAUTH_CALL_S,
                             .repeatable = true, /* a second registration is only unused */
                             .answer_secret = true};
    struct http_answer answer;
    TRY(oauth_call(call, profile, &http, &answer));
    return registration_read(call, profile, &answer, into);
}

enum err oauth_client(struct provider_call *call, const struct oauth_profile *profile,
                      const struct oauth_server *server, const struct client_registry *clients,
                      const char *redirect_uri, struct client_registration *into)
{
    if (call->settings->client_id) {
        *into = (struct client_registration){.client_id = call->settings->client_id,
                                             .client_secret = call->settings->client_secret};
        return OK;
    }
    if (call->settings->client_document && server->takes_documents) {
        *into = (struct client_registration){.client_id = call->settings->client_document};
        return OK;
    }
    if (clients && clients->find) {
        enum err found = clients->find(clients->context, server->issuer, redirect_uri, into);
        if (found != ERR_ABSENT)
            return found;
    }
    TRY(register_client(call, profile, server, redirect_uri, into));
    if (clients && clients->store)
        TRY(clients->store(clients->context, server->issuer, redirect_uri, into));
    return OK;
}

enum err oauth_start(struct arena *arena, const struct oauth_server *server,
                     const struct oauth_request *request, struct authorisation *into)
{
    const struct secret *verifier = random_token(arena);
    static const char *const names[] = {"response_type", "client_id",      "redirect_uri",
                                        "state",         "code_challenge", "code_challenge_method",
                                        "scope",         "resource"};
    const char *const values[COUNT(names)] = {"code",
                                              request->client->client_id,
                                              request->redirect_uri,
                                              request->state,
                                              pkce_challenge(arena, verifier),
                                              "S256",
                                              request->scope,
                                              request->resource};
    const char *url =
        url_with_query(arena, server->authorization_endpoint, names, values, COUNT(names));
    if (!url)
        return arena_fail(arena, ERR_PROTOCOL, "authorization_endpoint",
                          "The authorisation endpoint is not a URL.");
    *into = (struct authorisation){
        .authorize_url = url,
        .verifier = verifier,
        .issuer = server->issuer,
        .iss_expected = server->iss_expected,
        .client_id = request->client->client_id,
        .client_secret = request->client->client_secret,
        .basic_auth = server->basic_auth,
        .token_endpoint = server->token_endpoint,
        .revocation_endpoint = server->revocation_endpoint,
        .resource = request->resource,
        .scope = request->scope,
    };
    return OK;
}
