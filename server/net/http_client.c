#include "net/http_client.h"

#include "net/http_exchange.h"

#include "base/fault.h"
#include "base/text.h"

enum { TLS_NOTES = 16 };

struct tls_note { /* the version of a kept connection, known by its local port */
    long local_port;
    char version[8];
};

struct http_client {
    struct arena *memory;
    struct http_settings settings;
    CURL *easy[HTTP_NESTING_MAX + 1]; /* one for each call within a call */
    int depth;
    struct tls_note notes[TLS_NOTES];
    size_t note_next;
};

struct http_client *http_client_open(const struct http_settings *settings)
{
    /* Counts its users, thread-safe. Headers and bodies with tokens pass through its buffers. */
    if (curl_global_init_mem(CURL_GLOBAL_DEFAULT, malloc, wiping_free, wiping_realloc, strdup,
                             calloc) != CURLE_OK)
        abort();
    struct arena *memory = arena_open();
    struct http_client *client = arena_alloc(memory, sizeof *client);
    client->memory = memory;
    client->settings = *settings;
    client->settings.user_agent = arena_text(memory, settings->user_agent);
    client->settings.ca_file = arena_text(memory, settings->ca_file);
    return client;
}

void http_client_close(struct http_client *client)
{
    if (!client)
        return;
    for (size_t i = 0; i < COUNT(client->easy); i++)
        curl_easy_cleanup(client->easy[i]);
    arena_close(client->memory);
    curl_global_cleanup();
}

static CURL *easy_for(struct http_client *client)
{
    assert(client->depth <= HTTP_NESTING_MAX);
    CURL **easy = &client->easy[client->depth];
    if (!*easy)
        *easy = curl_easy_init();
    if (!*easy)
        abort();
    return *easy;
}

static const char *tls_version(struct http_client *client, struct http_exchange *exchange)
{
    long port = 0;
    curl_easy_getinfo(exchange->easy, CURLINFO_LOCAL_PORT, &port);
    if (exchange->tls_version[0]) {
        struct tls_note *note = &client->notes[client->note_next++ % TLS_NOTES];
        note->local_port = port;
        memcpy(note->version, exchange->tls_version, sizeof note->version);
        return arena_text(exchange->arena, note->version);
    }
    for (size_t i = 1; i <= TLS_NOTES; i++) { /* the newest note of that port counts */
        struct tls_note *note = &client->notes[(client->note_next + TLS_NOTES - i) % TLS_NOTES];
        if (note->version[0] && note->local_port == port)
            return arena_text(exchange->arena, note->version);
    }
    return "";
}

/* Called when the connection stands and the first byte is about to leave. */
static int before_request(void *context, char *remote, char *local, int remote_port, int local_port)
{
    (void)remote, (void)local, (void)remote_port, (void)local_port;
    struct http_exchange *exchange = context;
    exchange->sent = true;
    return fault_point(FAULT_NET_SEND) ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

static enum err not_sent(struct http_exchange *exchange, CURLcode code)
{
    struct arena *arena = exchange->arena;
    const char *host = exchange->gate.host;
    if (exchange->gate.refused)
        return arena_fail(arena, ERR_EGRESS_REFUSED, "url",
                          "The address of %s is not one that we may call.", host);
    if (code == CURLE_UNSUPPORTED_PROTOCOL || code == CURLE_URL_MALFORMAT)
        return arena_fail(arena, ERR_VALIDATION, "url", "The address cannot be called.");
    return arena_fail(arena, ERR_TRANSIENT, NULL, "%s could not be reached: %s.", host,
                      curl_easy_strerror(code));
}

static enum err answer_lost(struct http_exchange *exchange, const char *why)
{
    return arena_fail(exchange->arena, exchange->repeatable ? ERR_TRANSIENT : ERR_UNCERTAIN, NULL,
                      "The answer of %s was lost: %s.", exchange->gate.host, why);
}

static enum err classify(struct http_exchange *exchange, CURLcode code)
{
    struct arena *arena = exchange->arena;
    const char *host = exchange->gate.host;
    if (exchange->answer->ended_by_us || code == CURLE_OK)
        return OK;
    if (!exchange->sent)
        return not_sent(exchange, code);
    if (exchange->too_large || code == CURLE_FILESIZE_EXCEEDED)
        return arena_fail(arena, ERR_PROTOCOL, NULL,
                          "The answer of %s is larger than the %zu bytes that are taken.", host,
                          exchange->call->bytes_max);
    if (exchange->enough_at_us) /* what was wanted had come before it broke */
        return OK;
    if (code == CURLE_UNSUPPORTED_PROTOCOL || code == CURLE_WEIRD_SERVER_REPLY ||
        code == CURLE_BAD_CONTENT_ENCODING)
        return arena_fail(arena, ERR_PROTOCOL, NULL, "The answer of %s is not HTTP.", host);
    return answer_lost(exchange, curl_easy_strerror(code));
}

static enum err perform(struct http_client *client, struct http_exchange *exchange)
{
    CURL *easy = exchange->easy;
    struct curl_tls tls = {.ca_file = client->settings.ca_file,
                           .tls13 = client->settings.tls13 && !exchange->call->tls12};
    curl_common_set(easy, &exchange->gate, &tls);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, client->settings.user_agent);
    curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, before_request);
    curl_easy_setopt(easy, CURLOPT_PREREQDATA, exchange);
    if (fault_point(FAULT_NET_CONNECT))
        return not_sent(exchange, CURLE_COULDNT_CONNECT);
    client->depth++;
    CURLcode code = curl_easy_perform(easy);
    client->depth--;
    http_answer_finish(exchange);
    exchange->answer->tls_version = tls_version(client, exchange);
    if (code == CURLE_OK && fault_point(FAULT_NET_RESPONSE))
        return answer_lost(exchange, "a fault was asked for");
    return classify(exchange, code);
}

static bool repeatable(const struct http_call *call)
{
    static const char *const methods[] = {"GET", "HEAD", "PUT", "DELETE"};
    for (size_t i = 0; i < COUNT(methods); i++) {
        if (text_equal(call->method, methods[i]))
            return true;
    }
    return call->repeatable;
}

enum err http_client_run(struct http_client *client, struct arena *arena,
                         const struct http_call *call, struct http_answer *into)
{
    struct http_exchange exchange = {
        .arena = arena,
        .call = call,
        .answer = into,
        .gate = {.egress = client->settings.egress},
        .repeatable = repeatable(call),
        .plain_loopback = client->settings.plain_loopback,
    };
    *into = (struct http_answer){.content_type = "", .tls_version = ""};
    TRY(http_request_check(&exchange));
    exchange.easy = easy_for(client);
    http_answer_set(&exchange);
    http_request_set(&exchange);
    enum err err = perform(client, &exchange);
    curl_easy_reset(exchange.easy); /* keeps the connections, forgets this call */
    curl_mime_free(exchange.mime);
    return err;
}
