#include "handlers/idempotency.h"

#include "base/text.h"
#include "crypto/crypto.h"
#include "store/idempotency.h"
#include "store/secrets.h"

enum { FIELDS_BYTES_MAX = 16 * 1024, HASHED_BYTES_EXTRA = 32 * 1024 };

struct run {
    struct request *req;
    struct idempotency_key key;
    struct uuid claim;
};

/* ---- the key ---- */

static enum err read_key(struct request *req, const char **into)
{
    const char *key = http_request_field(req->http, "idempotency-key");
    if (!key || !*key)
        return arena_fail(req->arena, ERR_IDEMPOTENCY_KEY_MISSING, "idempotency-key",
                          "Choose a key, a UUID for example, once for each call that you mean.");
    size_t n = strlen(key);
    bool visible = true;
    for (size_t i = 0; i < n; i++)
        visible = visible && key[i] > 0x20 && key[i] < 0x7f;
    if (n > IDEMPOTENCY_KEY_BYTES_MAX || !visible)
        return arena_fail(req->arena, ERR_PARAMETER_INVALID, "idempotency-key",
                          "A key is 1 to %d visible ASCII characters.", IDEMPOTENCY_KEY_BYTES_MAX);
    *into = key;
    return OK;
}

/* Whatever makes two calls different: path, query, precondition and body. */
static struct bytes hash_call(struct request *req)
{
    const struct http_request *http = req->http;
    const char *if_match = http_request_field(http, "if-match");
    const char *parts[] = {http->path, http->query, if_match ? if_match : ""};
    struct buf all = buf_new(req->arena, http->body.n + HASHED_BYTES_EXTRA);
    for (size_t i = 0; i < COUNT(parts); i++)
        buf_add(&all, parts[i], strlen(parts[i]) + 1);
    buf_add(&all, http->body.at, http->body.n);
    assert(!all.overflowed);
    uint8_t *hash = arena_alloc(req->arena, SHA256_BYTES);
    sha256(buf_bytes(&all), hash);
    return (struct bytes){hash, SHA256_BYTES};
}

static enum err make_key(struct request *req, struct idempotency_key *into)
{
    const struct route *route = req->match.route;
    *into = (struct idempotency_key){
        .principal = arena_format(req->arena, "%s:%s",
                                  req->principal.kind == PRINCIPAL_API_KEY ? "key" : "user",
                                  uuid_format(req->arena, req->principal.id)),
        .route = arena_format(req->arena, "%s %s", http_method_name(route->method), route->path),
        .body_hash = hash_call(req),
    };
    return read_key(req, &into->key);
}

static const struct scope *scope_of(const struct request *req)
{
    return req->scope ? req->scope : &req->directory.scope;
}

/* ---- the answer, stored and replayed ---- */

/* "Name: value" lines, the content type among them. */
static const char *fields_text(struct request *req)
{
    struct buf text = buf_new(req->arena, FIELDS_BYTES_MAX);
    if (req->reply->content_type)
        buf_format(&text, "Content-Type: %s\n", req->reply->content_type);
    for (size_t i = 0; i < req->reply->field_count; i++)
        buf_format(&text, "%s: %s\n", req->reply->fields[i].name, req->reply->fields[i].value);
    assert(!text.overflowed);
    return text.data;
}

static void replay_field(struct request *req, const char *line, size_t n)
{
    const char *colon = memchr(line, ':', n);
    if (!colon)
        return;
    const char *name = arena_text_n(req->arena, line, (size_t)(colon - line));
    const char *value = arena_text_n(req->arena, colon + 2, n - (size_t)(colon + 2 - line));
    if (text_equal(name, "Content-Type"))
        req->reply->content_type = value;
    else
        reply_field(req, name, value);
}

/* ---- answers that are kept sealed: "<key version>.<base64url>" ---- */

static const char *sealed_place(struct request *req, const struct idempotency_key *key)
{
    return arena_format(req->arena, "idempotency|%s|%s|%s", key->principal, key->route, key->key);
}

static enum err answer_seal(struct run *run, const char *answer, const char **into)
{
    struct request *req = run->req;
    struct sealed sealed;
    TRY(value_seal(req->scope, req->app->region_key, sealed_place(req, &run->key),
                   secret_from_text(req->arena, answer), &sealed));
    *into = arena_format(req->arena, "%d.%s", sealed.key_version,
                         base64url_encode(req->arena, sealed.bytes));
    return OK;
}

/* An answer whose key is gone cannot be told again. */
static enum err answer_open(struct run *run, const char *kept, const char **into)
{
    struct request *req = run->req;
    const char *dot = strchr(kept, '.');
    const struct secret *answer = NULL;
    struct sealed sealed;
    int64_t version;
    bool shaped =
        dot &&
        int64_parse(arena_text_n(req->arena, kept, (size_t)(dot - kept)), 0, INT_MAX, &version) &&
        base64url_decode(req->arena, dot + 1, &sealed.bytes);
    if (shaped) {
        sealed.key_version = (int)version;
        shaped = value_unseal(req->scope, req->app->region_key, sealed_place(req, &run->key),
                              &sealed, &answer) == OK;
        arena_failure_clear(req->arena);
    }
    if (!shaped)
        return arena_fail(req->arena, ERR_IDEMPOTENCY_SECRET, NULL, "%s",
                          err_sentence(ERR_IDEMPOTENCY_SECRET));
    *into = secret_text(answer);
    return OK;
}

static enum err replay(struct run *run, const struct idempotency *stored)
{
    struct request *req = run->req;
    const char *body = stored->answer ? stored->answer : "";
    if (req->match.route->idempotency == IDEMPOTENCY_SEALED)
        TRY(answer_open(run, body, &body));
    *req->reply = (struct http_reply){.status = stored->status};
    for (const char *at = stored->headers ? stored->headers : ""; *at;) {
        size_t n = strcspn(at, "\n");
        replay_field(req, at, n);
        at += n + (at[n] == '\n');
    }
    req->reply->body = (struct bytes){(const uint8_t *)body, strlen(body)};
    reply_field(req, "Idempotency-Replayed", "true");
    req->query_read = true;
    return OK;
}

static enum err finish(struct run *run)
{
    struct request *req = run->req;
    struct idempotency_answer answer = {
        .status = req->reply->status,
        .headers = fields_text(req),
        .answer = arena_text_n(req->arena, (const char *)req->reply->body.at, req->reply->body.n),
        .secret = req->match.route->idempotency == IDEMPOTENCY_SECRET,
    };
    if (req->match.route->idempotency == IDEMPOTENCY_SEALED)
        TRY(answer_seal(run, answer.answer, &answer.answer));
    return idempotency_finish(scope_of(req), &run->key, run->claim, &answer);
}

/* ---- the call ---- */

static enum err handle_and_finish(const struct scope *scope, void *argument)
{
    struct run *run = argument;
    struct request *req = run->req;
    (void)scope; /* the request's own, which is in the transaction now */
    *req->reply = (struct http_reply){0};
    req->body_read = req->query_read = false;
    arena_failure_clear(req->arena);
    TRY(req->match.route->handle(req));
    return finish(run);
}

static enum err act(struct run *run)
{
    struct request *req = run->req;
    if (req->scope && req->match.route->idempotency != IDEMPOTENCY_SECRET)
        return db_transaction(req->scope, handle_and_finish, run);
    return handle_and_finish(req->scope, run);
}

/* The failure that the caller shall hear of survives the release. */
static void release(struct run *run)
{
    struct arena *arena = run->req->arena;
    struct failure failure = *arena_failure(arena);
    if (idempotency_release(scope_of(run->req), &run->key, run->claim) != OK)
        log_event(run->req->app->log, LOG_WARN, "idempotency.not_released",
                  LOG_U("request", run->req->http->id));
    arena_failure_clear(arena);
    if (failure.code == OK)
        return;
    if (failure.retry_after_s)
        (void)arena_fail_retry(arena, failure.code, failure.retry_after_s, "%s", failure.detail);
    else
        (void)arena_fail(arena, failure.code, failure.field, "%s", failure.detail);
}

enum err idempotency_run(struct request *req)
{
    struct run run = {.req = req};
    struct idempotency stored;
    TRY(make_key(req, &run.key));
    TRY(idempotency_claim(scope_of(req), &run.key, &stored));
    if (stored.replay)
        return replay(&run, &stored);
    run.claim = stored.claim;
    enum err err = act(&run);
    if (err != OK && err != ERR_DB_UNKNOWN && err != ERR_LEASE_LOST)
        release(&run);
    return err;
}
