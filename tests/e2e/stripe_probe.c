/* Drives the Stripe connector without the rest of the server, against the simulator or the real
 * one: reads commands from standard input, a line each, and answers a JSON object a line.
 *
 *   stripe_probe MCP_URL CA_FILE ALLOW...      (ALLOW: host:port that egress lets through)
 *
 *   authorise             discovery, registration, consent (followed like a browser), token
 *   probe                 accounts and capabilities; chooses the first live account
 *   pull STREAM [REACH_S] one pull; the marker stays for the next
 *   drain STREAM          pulls until there is no more
 *   rewind STREAM         forgets the last pull, as a crash before its commit does
 *   listen URI SECONDS    waits for a notice about the resource
 *   clock OFFSET_S        moves the business time
 *   refresh, revoke
 *
 * {"error": "provider_…", "field": …, "detail": …} when a command failed. */
#include "base/base.h"

#include "base/text.h"
#include "connectors/mcp/mcp_cache.h"
#include "connectors/oauth/oauth.h"
#include "connectors/stripe/stripe.h"
#include "connectors/stripe/stripe_call.h"
#include "net/egress.h"
#include "net/url.h"

enum { LINE_BYTES = 256, HOPS_MAX = 20, COOKIES_MAX = 32, STREAMS_MAX = 2, ALLOW_FROM = 3 };

static const char redirect_uri[] = "https://localhost:1/oauth/stripe/callback";
static const char state_text[] = "a-state-of-enough-characters";

struct program {
    struct arena *arena;
    struct clock clock;
    struct log log;
    struct provider_settings settings;
    struct credential credential;
    struct provider_call call;
    struct authorisation attempt;
    const char *markers[STREAMS_MAX];
    const char *markers_before[STREAMS_MAX];
    char *cookies[COOKIES_MAX]; /* name=value */
    size_t cookie_count;
    size_t refreshes;
    struct mcp_listen listen;
    const char *heard; /* the resource that a notice was about */
};

static void say(struct program *program, json_t *answer)
{
    puts(json_write(program->arena, json_keep(program->arena, answer)));
    fflush(stdout);
}

static void cookies_take(struct program *program, const struct http_answer *answer)
{
    const char *header;
    for (size_t n = 0; (header = http_answer_header(answer, "set-cookie", n)); n++) {
        char *pair = arena_text_n(program->arena, header, strcspn(header, ";"));
        size_t name = strcspn(pair, "=") + 1;
        size_t at = 0;
        while (at < program->cookie_count && strncmp(program->cookies[at], pair, name) != 0)
            at++;
        assert(at < COOKIES_MAX);
        program->cookies[at] = pair;
        program->cookie_count += at == program->cookie_count;
    }
}

static const char *cookies_line(struct program *program)
{
    struct buf line = buf_new(program->arena, 16 * 1024);
    for (size_t i = 0; i < program->cookie_count; i++)
        buf_format(&line, "%s%s", i ? "; " : "", program->cookies[i]);
    return line.data;
}

static const char *absolute(struct program *program, const char *base, const char *location)
{
    struct url url;
    if (!text_starts(location, "/") || !url_parse(program->arena, base, &url))
        return location;
    return arena_format(program->arena, "%s%s", url_origin(program->arena, &url), location);
}

/* Follows the authorisation as a browser would, up to our own redirect address. */
static enum err consent(struct program *program, const char *url, const char **into)
{
    struct arena *arena = program->arena;
    for (int hop = 0; hop < HOPS_MAX; hop++) {
        const struct http_header cookie = {.name = "Cookie", .value = cookies_line(program)};
        const struct http_call http = {.method = "GET",
                                       .url = url,
                                       .headers = &cookie,
                                       .header_count = program->cookie_count > 0,
                                       .bytes_max = 1024 * 1024};
        struct http_answer answer;
        TRY(http_client_run(program->call.http, arena, &http, &answer));
        cookies_take(program, &answer);
        const char *location = http_answer_header(&answer, "location", 0);
        if (!location)
            return arena_fail(arena, ERR_PROTOCOL, NULL, "HTTP %d without a Location at %s.",
                              answer.status, url);
        url = absolute(program, url, location);
        if (text_starts(url, redirect_uri)) {
            *into = url;
            return OK;
        }
    }
    return arena_fail(arena, ERR_PROTOCOL, NULL, "The consent does not end.");
}

static const char *hex_decoded(struct arena *arena, const char *text, size_t n)
{
    char *plain = arena_alloc(arena, n + 1);
    size_t length = 0;
    for (size_t i = 0; i < n; i++) {
        struct bytes byte;
        bool escaped = text[i] == '%' && i + 2 < n;
        if (escaped && hex_decode(arena, arena_text_n(arena, text + i + 1, 2), &byte)) {
            plain[length++] = (char)byte.at[0];
            i += 2;
        } else {
            plain[length++] = text[i];
        }
    }
    return plain;
}

static const char *query_value(struct arena *arena, const char *url, const char *name)
{
    const char *at = strchr(url, '?');
    size_t n = strlen(name);
    while (at) {
        at++;
        if (strncmp(at, name, n) == 0 && at[n] == '=')
            return hex_decoded(arena, at + n + 1, strcspn(at + n + 1, "&#"));
        at = strchr(at, '&');
    }
    return NULL;
}

static enum err tokens_take(struct program *program, const struct token_set *tokens)
{
    program->credential.access_token = tokens->access_token;
    if (tokens->refresh_token)
        program->credential.refresh_token = tokens->refresh_token;
    return OK;
}

static enum err authorise(struct program *program)
{
    struct arena *arena = program->arena;
    const char *back = NULL;
    struct token_set tokens;
    TRY(stripe_authoriser.start(&program->call, NULL, redirect_uri, state_text, &program->attempt));
    TRY(consent(program, program->attempt.authorize_url, &back));
    const char *code = query_value(arena, back, "code");
    const struct oauth_callback callback = {.iss = query_value(arena, back, "iss"),
                                            .error = query_value(arena, back, "error"),
                                            .has_code = code != NULL};
    if (!text_equal(query_value(arena, back, "state"), state_text))
        return arena_fail(arena, ERR_PROTOCOL, "state", "Another state came back.");
    TRY(oauth_callback_check(arena, &program->attempt, &callback));
    TRY(stripe_authoriser.exchange(&program->call, &program->attempt, redirect_uri,
                                   secret_from_text(arena, code), &tokens));
    TRY(tokens_take(program, &tokens));
    say(program,
        json_pack("{s:s, s:s?, s:I, s:b, s:s?}", "issuer", program->attempt.issuer, "scope",
                  tokens.scope, "expires_in_s", (json_int_t)tokens.expires_in_s, "refreshable",
                  tokens.refresh_token != NULL, "resource", program->attempt.resource));
    return OK;
}

static enum err refresh_tokens(void *context, struct credential *credential)
{
    struct program *program = context;
    struct token_set tokens;
    (void)credential;
    program->refreshes++;
    TRY(stripe_authoriser.refresh(&program->call, &program->attempt, &tokens));
    return tokens_take(program, &tokens);
}

static enum err refresh(struct program *program)
{
    TRY(refresh_tokens(program, &program->credential));
    say(program, json_pack("{s:b}", "refreshed", true));
    return OK;
}

static enum err probe(struct program *program)
{
    struct probe_result result;
    TRY(stripe_source.probe(&program->call, &result));
    json_t *accounts = json_array();
    for (size_t i = 0; i < result.count; i++) {
        const struct account_choice *account = &result.accounts[i];
        json_array_append_new(accounts,
                              json_pack("{s:s, s:b, s:s?}", "account", account->account, "livemode",
                                        account->livemode, "name", account->name));
        if (account->livemode && !program->credential.account) {
            program->credential.account = account->account;
            program->credential.livemode = true;
        }
    }
    say(program,
        json_pack("{s:o, s:s?}", "accounts", accounts, "capabilities", result.capabilities));
    return OK;
}

static json_t *record_json(struct program *program, const struct source_record *record)
{
    static const char *const postings[] = {"post", "wait", "ignore", "correct"};
    const char *amount = record->quarantine ? NULL : money_decimal(program->arena, record->amount);
    return json_pack("{s:s, s:s, s:s?, s:s?, s:s, s:s?, s:s?, s:s?, s:s?, s:s?, s:s?}", "id",
                     record->source_id, "posting", postings[record->posting], "reason",
                     record->posting_reason, "amount", amount, "currency", record->amount.currency,
                     "party", record->counterparty.name, "vat_id", record->counterparty.vat_id,
                     "parent", record->parent_source_id, "txn", record->source_txn_id, "quarantine",
                     record->quarantine, "description", record->description);
}

static enum err pull(struct program *program, const char *stream, int64_t reach_s, bool *more)
{
    size_t index = text_equal(stream, "stripe.refunds");
    const struct pull_request request = {.stream = stream,
                                         .marker = program->markers[index],
                                         .reach = instant_from_unix_s(reach_s),
                                         .rows_max = 20};
    struct pull_page page;
    TRY(stripe_source.pull(&program->call, &request, &page));
    json_t *records = json_array();
    for (size_t i = 0; i < page.count; i++)
        json_array_append_new(records, record_json(program, &page.records[i]));
    program->markers_before[index] = program->markers[index];
    program->markers[index] = page.next_marker;
    *more = page.more;
    say(program, json_pack("{s:o, s:I, s:b, s:I, s:s}", "records", records, "rows_received",
                           (json_int_t)page.rows_received, "more", (int)page.more, "refreshes",
                           (json_int_t)program->refreshes, "marker", page.next_marker));
    return OK;
}

static enum err drain(struct program *program, const char *stream)
{
    bool more = true;
    while (more)
        TRY(pull(program, stream, 1, &more));
    return OK;
}

static enum err revoke(struct program *program)
{
    struct revocation revocation;
    TRY(stripe_authoriser.revoke(&program->call, &program->attempt, &revocation));
    json_t *steps = json_array();
    for (size_t i = 0; i < revocation.count; i++)
        json_array_append_new(steps, json_pack("{s:s, s:i, s:b}", "what", revocation.steps[i].what,
                                               "status", revocation.steps[i].status, "confirmed",
                                               (int)revocation.steps[i].confirmed));
    say(program, json_pack("{s:o, s:b}", "steps", steps, "complete", (int)revocation.complete));
    return OK;
}

static enum err rewind_stream(struct program *program, const char *stream)
{
    size_t index = text_equal(stream, "stripe.refunds");
    program->markers[index] = program->markers_before[index];
    say(program, json_pack("{s:s?}", "marker", program->markers[index]));
    return OK;
}

static bool notice_take(void *context, const struct mcp_notice *notice)
{
    struct program *program = context;
    program->heard = arena_text(program->arena, notice->uri);
    return notice->kind != MCP_NOTICE_RESOURCE;
}

static enum err listen_to(struct program *program, const char *uri, int64_t seconds)
{
    static const char *const ends[] = {"closed", "stopped", "not_offered"};
    program->heard = NULL;
    program->listen.uris = &uri;
    program->listen.uri_count = 1;
    program->listen.total_s = (int)seconds;
    program->listen.on_notice = notice_take;
    program->listen.context = program;
    TRY(mcp_listen(stripe_session(&program->call), &program->call, &program->listen));
    say(program, json_pack("{s:s, s:b, s:s?}", "end", ends[program->listen.end], "acknowledged",
                           (int)program->listen.acknowledged, "uri", program->heard));
    return OK;
}

static enum err clock_move(struct program *program, const char *offset)
{
    int64_t seconds = 0;
    int64_parse(offset, 0, INT32_MAX, &seconds);
    clock_set_offset(&program->clock, seconds * 1000000);
    say(program, json_pack("{s:I}", "offset_s", (json_int_t)seconds));
    return OK;
}

static enum err command_run(struct program *program, char *line)
{
    char *rest = line + strcspn(line, " ");
    if (*rest)
        *rest++ = '\0';
    char *stream = rest;
    rest += strcspn(rest, " ");
    if (*rest)
        *rest++ = '\0';
    int64_t reach_s = 1;
    int64_parse(rest, 1, INT32_MAX, &reach_s);
    stream = arena_text(program->arena, stream);
    bool more;
    if (strcmp(line, "authorise") == 0)
        return authorise(program);
    if (strcmp(line, "probe") == 0)
        return probe(program);
    if (strcmp(line, "pull") == 0)
        return pull(program, stream, reach_s, &more);
    if (strcmp(line, "drain") == 0)
        return drain(program, stream);
    if (strcmp(line, "rewind") == 0)
        return rewind_stream(program, stream);
    if (strcmp(line, "listen") == 0)
        return listen_to(program, stream, reach_s);
    if (strcmp(line, "clock") == 0)
        return clock_move(program, stream);
    if (strcmp(line, "refresh") == 0)
        return refresh(program);
    if (strcmp(line, "revoke") == 0)
        return revoke(program);
    return arena_fail(program->arena, ERR_REQUEST_MALFORMED, NULL, "No such command.");
}

static void commands_run(struct program *program)
{
    char line[LINE_BYTES];
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = '\0';
        arena_failure_clear(program->arena);
        enum err err = command_run(program, line);
        const struct failure *failure = arena_failure(program->arena);
        if (err != OK)
            say(program, json_pack("{s:s, s:s?, s:s?, s:I}", "error", err_slug(err), "field",
                                   failure->field, "detail", failure->detail, "retry_after_s",
                                   (json_int_t)failure->retry_after_s));
    }
}

int main(int argc, char **argv)
{
    if (argc < ALLOW_FROM) {
        fputs("stripe_probe MCP_URL CA_FILE ALLOW...\n", stderr);
        return 2;
    }
    struct program program = {.arena = arena_open()};
    const struct egress *egress = NULL;
    if (egress_new(program.arena, (const char *const *)(argv + ALLOW_FROM),
                   (size_t)(argc - ALLOW_FROM), &egress) != OK) {
        fprintf(stderr, "%s\n", arena_failure(program.arena)->detail);
        return 2;
    }
    const struct http_settings http = {
        .egress = egress, .user_agent = "sluice-probe", .ca_file = argv[2], .tls13 = true};
    program.log = (struct log){.fd = 2, .least = LOG_INFO, .clock = &program.clock};
    program.settings = (struct provider_settings){.api_url = argv[1], .scope = "mcp"};
    program.call = (struct provider_call){
        .arena = program.arena,
        .log = &program.log,
        .clock = &program.clock,
        .http = http_client_open(&http),
        .settings = &program.settings,
        .credential = &program.credential,
        .sessions = mcp_cache_open(),
        .connection = {{1}},
        .refresh = refresh_tokens,
        .context = &program,
    };
    commands_run(&program);
    http_client_close(program.call.http);
    arena_close(program.arena);
    mcp_cache_close(program.call.sessions);
    return 0;
}
