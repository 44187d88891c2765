#include "connectors/oauth/oauth_internal.h"

#include "base/text.h"

enum { EXPIRES_IN_S_MAX = 400 * 86400, CLIENT_HEADERS_MAX = 2 };

struct kept_token {
    const char *kind; /* as RFC 7009 §2.1 hints it */
    const struct secret *token;
};

struct code_row {
    const char *code; /* RFC 6749 §4.1.2.1 and §5.2, RFC 8707 §2 */
    enum err err;
};

static const struct code_row codes[] = {
    {"invalid_grant", ERR_AUTH},
    {"invalid_client", ERR_AUTH},
    {"unauthorized_client", ERR_AUTH},
    {"access_denied", ERR_AUTH},
    {"invalid_token", ERR_AUTH},
    {"invalid_scope", ERR_SCOPE},
    {"invalid_target", ERR_SCOPE},
    {"invalid_request", ERR_VALIDATION},
    {"unsupported_grant_type", ERR_VALIDATION},
    {"unsupported_response_type", ERR_VALIDATION},
    {"server_error", ERR_TRANSIENT},
    {"temporarily_unavailable", ERR_TRANSIENT},
};

static enum err code_err(const char *code, enum err otherwise)
{
    for (size_t i = 0; code && i < COUNT(codes); i++) {
        if (strcmp(codes[i].code, code) == 0)
            return codes[i].err;
    }
    return otherwise;
}

enum err oauth_callback_check(struct arena *arena, const struct authorisation *attempt,
                              const struct oauth_callback *callback)
{
    bool compared = callback->iss && attempt->issuer;
    bool wrong = compared && strcmp(callback->iss, attempt->issuer) != 0;
    if (wrong || (attempt->iss_expected && !compared))
        return arena_fail(arena, ERR_PROTOCOL, "iss",
                          "The answer does not come from the authorisation server that was asked.");
    if (callback->error) {
        const char *code = oauth_word(arena, callback->error);
        return arena_fail(arena, code_err(code, ERR_AUTH), code,
                          "The authorisation was not given (%s).", code);
    }
    if (!callback->has_code)
        return arena_fail(arena, ERR_REQUEST_MALFORMED, "code",
                          "The answer of the authorisation server has no code.");
    return OK;
}

static enum err token_refused(struct provider_call *call, const struct oauth_profile *profile,
                              const struct http_answer *answer)
{
    struct arena *arena = call->arena;
    if (answer->status == 429 || answer->status == 408 || answer->status >= 500)
        return arena_fail_retry(arena, ERR_TRANSIENT, answer->retry_after_s,
                                "%s gives no tokens now (HTTP %d).", profile->name, answer->status);
    json_t *object = NULL;
    if (answer->status < 400)
        return arena_fail(arena, ERR_PROTOCOL, NULL, "%s answered HTTP %d where tokens are given.",
                          profile->name, answer->status);
    TRY(oauth_object(call, answer, "The token endpoint", &object));
    const char *code = json_text(object, "error");
    enum err otherwise = answer->status == 401 ? ERR_AUTH : ERR_PROTOCOL;
    code = code ? oauth_word(arena, code) : NULL;
    return arena_fail(arena, code_err(code, otherwise), code, "%s gives no tokens: %s (HTTP %d).",
                      profile->name, code ? code : "no reason", answer->status);
}

/* Some servers write the number as text. */
static int64_t expires_in(const json_t *object)
{
    int64_t seconds = json_int(object, "expires_in", 0);
    const char *text = json_text(object, "expires_in");
    if (text && !int64_parse(text, 0, EXPIRES_IN_S_MAX, &seconds))
        seconds = 0;
    return seconds < 0 ? 0 : seconds > EXPIRES_IN_S_MAX ? EXPIRES_IN_S_MAX : seconds;
}

static bool token_usable(const char *token)
{
    size_t n = strlen(token);
    for (size_t i = 0; i < n; i++) {
        if (token[i] <= ' ' || token[i] > '~')
            return false;
    }
    return n > 0 && n <= OAUTH_TOKEN_BYTES_MAX;
}

static enum err token_read(struct provider_call *call, const struct oauth_profile *profile,
                           const struct http_answer *answer, struct token_set *into)
{
    struct arena *arena = call->arena;
    json_t *object = NULL;
    TRY(oauth_object(call, answer, "The token endpoint", &object));
    const char *access = json_text(object, "access_token");
    const char *refresh = json_text(object, "refresh_token");
    const char *type = json_text(object, "token_type");
    if (!access || !token_usable(access) || (refresh && !token_usable(refresh)) ||
        (type && strcasecmp(type, "bearer") != 0))
        return arena_fail(arena, ERR_PROTOCOL, "access_token",
                          "%s answered without a usable bearer token.", profile->name);
    *into = (struct token_set){
        .access_token = secret_from_text(arena, access),
        .refresh_token = secret_from_text(arena, refresh),
        .expires_in_s = expires_in(object),
        .scope = json_text(object, "scope"),
    };
    return OK;
}

static bool in_header(const struct authorisation *attempt)
{
    return attempt->basic_auth && attempt->client_secret;
}

static void form_add_client(struct oauth_form *form, const struct authorisation *attempt)
{
    if (in_header(attempt))
        return;
    oauth_form_add(form, "client_id", attempt->client_id);
    oauth_form_add_secret(form, "client_secret", attempt->client_secret);
}

/* The headers of a call to the token or the revocation endpoint. */
static size_t headers_fill(struct arena *arena, const struct authorisation *attempt,
                           struct http_header *into)
{
    size_t n = 0;
    into[n++] = (struct http_header){.name = "Accept", .value = "application/json"};
    if (in_header(attempt))
        into[n++] = (struct http_header){
            .name = "Authorization",
            .value = "Basic ",
            .secret = oauth_basic(arena, attempt->client_id, attempt->client_secret)};
    return n;
}

static enum err token_call(struct provider_call *call, const struct oauth_profile *profile,
                           const struct authorisation *attempt, struct oauth_form *form,
                           struct token_set *into)
{
    form_add_client(form, attempt);
    oauth_form_add(form, "resource", attempt->resource);
    struct http_header headers[CLIENT_HEADERS_MAX];
    struct http_call http = {.method = "POST",
                             .url = attempt->token_endpoint,
                             .headers = headers,
                             .header_count = headers_fill(call->arena, attempt, headers),
                             .form = oauth_form_end(form),
                             .total_s = OAUTH_TOKEN_CALL_S,
                             .answer_secret = true};
    struct http_answer answer;
    if (!oauth_endpoint_valid(profile, attempt->token_endpoint)) /* stored, so checked again */
        return arena_fail(call->arena, ERR_EGRESS_REFUSED, "token_endpoint",
                          "%s: the token endpoint is not an address that we may call.",
                          profile->name);
    TRY(oauth_call(call, profile, &http, &answer));
    if (answer.status != 200 && answer.status != 201)
        return token_refused(call, profile, &answer);
    return token_read(call, profile, &answer, into);
}

enum err oauth_exchange(struct provider_call *call, const struct oauth_profile *profile,
                        const struct authorisation *attempt, const char *redirect_uri,
                        const struct secret *code, struct token_set *into)
{
    struct oauth_form form = {.arena = call->arena};
    oauth_form_add(&form, "grant_type", "authorization_code");
    oauth_form_add_secret(&form, "code", code);
    oauth_form_add(&form, "redirect_uri", redirect_uri);
    oauth_form_add_secret(&form, "code_verifier", attempt->verifier);
    return token_call(call, profile, attempt, &form, into);
}

enum err oauth_refresh(struct provider_call *call, const struct oauth_profile *profile,
                       const struct authorisation *attempt, struct token_set *into)
{
    if (!call->credential->refresh_token)
        return arena_fail(call->arena, ERR_AUTH, "refresh_token",
                          "%s gave no refresh token: the connection must be authorised again.",
                          profile->name);
    struct oauth_form form = {.arena = call->arena};
    oauth_form_add(&form, "grant_type", "refresh_token");
    oauth_form_add_secret(&form, "refresh_token", call->credential->refresh_token);
    enum err err = token_call(call, profile, attempt, &form, into);
    return err == ERR_UNCERTAIN
               ? arena_fail(call->arena, ERR_TRANSIENT, NULL,
                            "The new tokens of %s were lost on the way.", profile->name)
               : err;
}

/* One token. *settled: revoked, or the server says that there is nothing that it could revoke (the
 * client is gone with its tokens, or it keeps no tokens of this kind). */
static struct revocation_step revoke_token(struct provider_call *call,
                                           const struct oauth_profile *profile,
                                           const struct authorisation *attempt,
                                           const struct kept_token *kept, bool *settled)
{
    struct revocation_step step = {.what = kept->kind};
    struct oauth_form form = {.arena = call->arena};
    oauth_form_add_secret(&form, "token", kept->token);
    oauth_form_add(&form, "token_type_hint", kept->kind);
    form_add_client(&form, attempt);
    struct http_header headers[CLIENT_HEADERS_MAX];
    struct http_call http = {.method = "POST",
                             .url = attempt->revocation_endpoint,
                             .headers = headers,
                             .header_count = headers_fill(call->arena, attempt, headers),
                             .form = oauth_form_end(&form),
                             .total_s = OAUTH_TOKEN_CALL_S,
                             .repeatable = true};
    struct http_answer answer;
    json_t *object = NULL;
    if (!oauth_endpoint_valid(profile, attempt->revocation_endpoint) ||
        oauth_call(call, profile, &http, &answer) != OK)
        return step;
    step.status = answer.status;
    step.confirmed = answer.status / 100 == 2;
    if (answer.status / 100 == 4 && json_parse(call->arena, answer.body, &object) == OK) {
        const char *code = json_text(object, "error");
        *settled = text_equal(code, "invalid_client") || text_equal(code, "unsupported_token_type");
    }
    *settled = *settled || step.confirmed;
    return step;
}

enum err oauth_revoke(struct provider_call *call, const struct oauth_profile *profile,
                      const struct authorisation *attempt, struct revocation *into)
{
    const struct kept_token tokens[] = {
        {"refresh_token", call->credential->refresh_token},
        {"access_token", call->credential->access_token},
    };
    for (size_t i = 0; attempt->revocation_endpoint && i < COUNT(tokens); i++) {
        if (!tokens[i].token)
            continue;
        assert(into->count < REVOCATION_STEPS_MAX);
        bool settled = false;
        into->steps[into->count++] = revoke_token(call, profile, attempt, &tokens[i], &settled);
        into->complete = into->complete && settled;
    }
    arena_failure_clear(call->arena);
    return OK;
}
