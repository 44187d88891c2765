/* Our MCP client without a person and without the rest of the server, for the public conformance
 * suite, which starts it with the address of its own server:
 *
 *   mcp_client URL
 *
 * MCP_CONFORMANCE_SCENARIO says what is tested, MCP_CONFORMANCE_CONTEXT (JSON) what the scenario
 * brings along. What a scenario does not ask for in particular is always done: the tools are listed
 * and each is called once. A 401 or a challenge for more scope is answered by an authorisation to
 * which the suite's server consents at once. */
#include "base/base.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "connectors/mcp/mcp.h"
#include "net/egress.h"
#include "net/url.h"

enum {
    CALL_S = 60,
    AUTHORISATIONS_MAX = 3,
    TRIES_MAX = 3,
    REGISTRATIONS_MAX = 4,
    SCOPE_BYTES_MAX = 1000
};

static const char redirect_uri[] = "http://localhost:1/callback";
/* The suite knows no other, and does not fetch it. */
static const char client_document[] = "https://conformance-test.local/client-metadata.json";
static const char state_text[] = "a-state-of-enough-characters";

struct registered {
    const char *issuer;
    struct client_registration client;
};

struct program {
    struct arena *arena;
    struct clock clock;
    struct log log;
    struct provider_settings settings;
    struct credential credential;
    struct provider_call call;
    struct mcp_settings mcp;
    json_t *context;
    const char *scenario;
    const char *scope; /* asked for so far */
    int authorisations;
    struct registered registered[REGISTRATIONS_MAX];
    size_t registered_count;
};

static struct oauth_profile profile(void)
{
    return (struct oauth_profile){.name = "Server", .plain_loopback = true};
}

static struct mcp_session *session(struct program *program)
{
    return mcp_session_of(&program->call, &program->mcp);
}

/* ---- authorisation ---- */

static enum err client_find(void *context, const char *issuer, const char *redirect,
                            struct client_registration *into)
{
    struct program *program = context;
    (void)redirect;
    for (size_t i = 0; i < program->registered_count; i++) {
        if (text_equal(program->registered[i].issuer, issuer)) {
            *into = program->registered[i].client;
            return OK;
        }
    }
    return ERR_ABSENT;
}

static enum err client_store(void *context, const char *issuer, const char *redirect,
                             const struct client_registration *registration)
{
    struct program *program = context;
    (void)redirect;
    assert(program->registered_count < REGISTRATIONS_MAX);
    program->registered[program->registered_count++] = (struct registered){issuer, *registration};
    return OK;
}

/* The scopes asked for so far, and those that are wanted now. */
static const char *scope_union(struct program *program, const char *wanted)
{
    struct buf scopes = buf_new(program->arena, SCOPE_BYTES_MAX);
    buf_add_text(&scopes, program->scope ? program->scope : "");
    for (const char *at = wanted ? wanted : ""; *at; at += strspn(at, " ")) {
        size_t n = strcspn(at, " ");
        const char *word = arena_text_n(program->arena, at, n);
        if (!text_contains_ci(scopes.data, word))
            buf_format(&scopes, "%s%s", scopes.n ? " " : "", word);
        at += n;
    }
    return scopes.n ? scopes.data : NULL;
}

/* Of a query without escapes that matter here: the suite's codes and issuers. */
static const char *query_value(struct arena *arena, const char *url, const char *name)
{
    size_t n = strlen(name);
    for (const char *at = strpbrk(url, "?"); at; at = strchr(at + 1, '&')) {
        if (strncmp(at + 1, name, n) != 0 || at[n + 1] != '=')
            continue;
        const char *from = at + n + 2;
        char *value = arena_text_n(arena, from, strcspn(from, "&#"));
        char *end = value;
        for (char *read = value; *read; read++, end++) {
            struct bytes byte;
            *end = *read;
            if (*read == '%' && read[1] && read[2] &&
                hex_decode(arena, arena_text_n(arena, read + 1, 2), &byte)) {
                *end = (char)byte.at[0];
                read += 2;
            }
        }
        *end = '\0';
        return value;
    }
    return NULL;
}

/* Opens the consent page; the suite's server answers with the way back. */
static enum err consent(struct program *program, struct authorisation *attempt, const char **code)
{
    struct arena *arena = program->arena;
    const struct http_call http = {
        .method = "GET", .url = attempt->authorize_url, .bytes_max = 1024 * 1024};
    struct http_answer answer;
    TRY(http_client_run(program->call.http, arena, &http, &answer));
    const char *back = http_answer_header(&answer, "location", 0);
    if (!back || !text_starts(back, redirect_uri) ||
        !text_equal(query_value(arena, back, "state"), state_text))
        return arena_fail(arena, ERR_PROTOCOL, "state", "The consent leads elsewhere.");
    *code = query_value(arena, back, "code");
    const struct oauth_callback callback = {.iss = query_value(arena, back, "iss"),
                                            .error = query_value(arena, back, "error"),
                                            .has_code = *code != NULL};
    return oauth_callback_check(arena, attempt, &callback);
}

static enum err authorise(struct program *program)
{
    const struct oauth_profile server = profile();
    const struct oauth_challenge *challenge = mcp_challenge(session(program));
    const struct client_registry registry = {client_find, client_store, program};
    struct oauth_discovery found;
    struct client_registration client;
    struct authorisation attempt;
    struct token_set tokens;
    const char *code = NULL;
    if (++program->authorisations > AUTHORISATIONS_MAX)
        return arena_fail(program->arena, ERR_AUTH, NULL, "Authorised often enough.");
    TRY(oauth_discover(&program->call, &server, program->mcp.url, challenge, &found));
    TRY(oauth_client(&program->call, &server, &found.server, &registry, redirect_uri, &client));
    program->scope = scope_union(program, found.scope);
    const struct oauth_request request = {.client = &client,
                                          .redirect_uri = redirect_uri,
                                          .state = state_text,
                                          .scope = program->scope,
                                          .resource = found.resource};
    TRY(oauth_start(program->arena, &found.server, &request, &attempt));
    TRY(consent(program, &attempt, &code));
    TRY(oauth_exchange(&program->call, &server, &attempt, redirect_uri,
                       secret_from_text(program->arena, code), &tokens));
    program->credential.access_token = tokens.access_token;
    return OK;
}

static enum err on_unauthorised(void *context, struct credential *credential)
{
    (void)credential;
    return authorise(context);
}

/* ---- requests ---- */

/* What a person would be asked, answered: everything is agreed to. */
static json_t *responses_to(struct program *program, const json_t *requests)
{
    json_t *responses = json_keep(program->arena, json_object());
    for (void *at = json_object_iter((json_t *)(uintptr_t)requests); at;
         at = json_object_iter_next((json_t *)(uintptr_t)requests, at))
        json_object_set_new(
            responses, json_object_iter_key(at),
            json_pack("{s:s, s:{s:b}}", "action", "accept", "content", "confirmed", 1));
    return responses;
}

static bool again(struct program *program, enum err err, const struct mcp_reply *reply,
                  struct mcp_request *request)
{
    if (err == OK && reply->channel == MCP_INPUT_REQUIRED) {
        request->input_responses = responses_to(program, reply->input_requests);
        request->request_state = reply->request_state;
        return true;
    }
    bool step_up = err == ERR_SCOPE && mcp_challenge(session(program))->scope;
    return (step_up || err == ERR_AUTH) && authorise(program) == OK;
}

static enum err ask(struct program *program, const char *method, json_t *params,
                    struct mcp_reply *reply)
{
    struct mcp_request request = {
        .method = method, .params = json_keep(program->arena, params), .repeatable = true};
    enum err err = OK;
    for (int i = 0; i < TRIES_MAX; i++) {
        err = mcp_send(session(program), &program->call, &request, reply);
        if (!again(program, err, reply, &request))
            break;
    }
    return err;
}

static enum err list_tools(struct program *program, struct mcp_tools *tools)
{
    enum err err = OK;
    const struct mcp_reply none = {.channel = MCP_RESULT};
    for (int i = 0; i < TRIES_MAX; i++) {
        struct mcp_request unused = {.method = "tools/list"};
        err = mcp_tools_list(session(program), &program->call, tools);
        if (!again(program, err, &none, &unused))
            break;
    }
    return err;
}

static enum err call_tool(struct program *program, const char *name, json_t *arguments)
{
    struct mcp_reply reply;
    return ask(program, "tools/call", json_pack("{s:s, s:o}", "name", name, "arguments", arguments),
               &reply);
}

/* ---- scenarios ---- */

/* A value for each argument that the tool needs. */
static json_t *arguments_for(const json_t *tool)
{
    json_t *arguments = json_object();
    const json_t *required = json_list(tool, "inputSchema.required");
    for (size_t i = 0; i < json_array_size(required); i++) {
        const char *name = json_string_value(json_array_get(required, i));
        const json_t *property = json_object_get(json_at(tool, "inputSchema.properties"), name);
        const char *type = json_text(property, "type");
        bool number = text_equal(type, "number") || text_equal(type, "integer");
        json_object_set_new(arguments, name, number ? json_integer(2) : json_string("text"));
    }
    return arguments;
}

static enum err call_each_tool(struct program *program, const struct mcp_tools *tools)
{
    for (size_t i = 0; i < tools->count; i++)
        TRY(call_tool(program, json_text(tools->tools[i], "name"), arguments_for(tools->tools[i])));
    return OK;
}

/* The calls that the scenario wants, word for word. */
static enum err call_as_told(struct program *program, const json_t *calls)
{
    for (size_t i = 0; i < json_array_size(calls); i++) {
        const json_t *call = json_array_get(calls, i);
        TRY(call_tool(program, json_text(call, "name"), json_incref(json_at(call, "arguments"))));
    }
    return OK;
}

/* Sends the schema of the first tool back as an argument of the second. */
static enum err echo_schema(struct program *program, const struct mcp_tools *tools)
{
    json_t *schema = tools->count ? json_at(tools->tools[0], "inputSchema") : NULL;
    return call_tool(program, "json_schema_echo", json_pack("{s:O}", "schema", schema));
}

/* One list, and each of its members read by the key that names it. */
static enum err read_each(struct program *program, const char *list, const char *read,
                          const char *key)
{
    struct mcp_reply reply;
    const char *member = text_starts(list, "resources") ? "resources" : "prompts";
    TRY(ask(program, list, json_object(), &reply));
    const json_t *rows = json_list(reply.result, member);
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const char *value = json_text(json_array_get(rows, i), key);
        struct mcp_reply one;
        TRY(ask(program, read, json_pack("{s:s}", key, value), &one));
    }
    return OK;
}

static enum err scenario_run(struct program *program)
{
    struct mcp_tools tools;
    const json_t *calls = json_list(program->context, "toolCalls");
    TRY(list_tools(program, &tools));
    if (text_starts(program->scenario, "elicitation")) /* its tool waits for a form for a minute */
        return OK;
    if (calls)
        return call_as_told(program, calls);
    if (text_equal(program->scenario, "json-schema-2020-12-preservation"))
        return echo_schema(program, &tools);
    TRY(call_each_tool(program, &tools));
    if (!text_equal(program->scenario, "http-standard-headers"))
        return OK;
    TRY(read_each(program, "resources/list", "resources/read", "uri"));
    return read_each(program, "prompts/list", "prompts/get", "name");
}

static void context_read(struct program *program)
{
    const char *text = getenv("MCP_CONFORMANCE_CONTEXT");
    const char *scenario = getenv("MCP_CONFORMANCE_SCENARIO");
    program->scenario = scenario ? scenario : "";
    if (text && json_parse(program->arena, (struct bytes){(const uint8_t *)text, strlen(text)},
                           &program->context) != OK)
        program->context = NULL;
    program->settings.client_id = json_text(program->context, "client_id");
    program->settings.client_secret =
        secret_from_text(program->arena, json_text(program->context, "client_secret"));
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fputs("mcp_client URL\n", stderr);
        return 2;
    }
    struct program program = {.arena = arena_open()};
    const struct egress *egress = NULL;
    if (egress_new(program.arena, NULL, 0, &egress) != OK)
        return 2;
    const struct http_settings http = {
        .egress = egress, .user_agent = "sluice-conformance", .plain_loopback = true};
    program.log = (struct log){.fd = 2, .least = LOG_INFO, .clock = &program.clock};
    program.mcp = (struct mcp_settings){.name = "Server", .url = argv[1], .total_s = CALL_S};
    program.call = (struct provider_call){
        .arena = program.arena,
        .log = &program.log,
        .clock = &program.clock,
        .http = http_client_open(&http),
        .settings = &program.settings,
        .credential = &program.credential,
        .refresh = on_unauthorised,
        .context = &program,
    };
    program.settings.client_document = client_document;
    context_read(&program);
    enum err err = scenario_run(&program);
    if (err != OK)
        fprintf(stderr, "%s: %s\n", err_slug(err), arena_failure(program.arena)->detail);
    mcp_session_end(session(&program), &program.call);
    http_client_close(program.call.http);
    arena_close(program.arena);
    return err == OK ? 0 : 1;
}
