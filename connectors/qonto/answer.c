#include "base/base.h"

#include "connectors/qonto/answer.h"

#include "base/text.h"

enum { WORD_BYTES_MAX = 160, CODE_BYTES_MAX = 60, INVOICES_SHOWN_MAX = 20 };

/* Words in which an address, a presigned parameter or a token could hide. */
static bool word_hidden(const char *word)
{
    static const char *const marks[] = {"://", "ory_", "X-Amz", "eyJ", "Bearer", "@"};
    for (size_t i = 0; i < COUNT(marks); i++) {
        if (text_contains_ci(word, marks[i]))
            return true;
    }
    return false;
}

/* Appends the word of `n` bytes at `at`, first without what is no printable text and only then
 * judged, so that nothing hides between unprintable characters. */
static void add_word(struct buf *into, const char *at, size_t n)
{
    struct buf word = buf_new(into->arena, WORD_BYTES_MAX);
    for (size_t i = 0; i < n;) {
        size_t length = utf8_sequence(at + i);
        bool shown = length > 1 || (length == 1 && at[i] > 0x20 && at[i] < 0x7f);
        if (shown)
            buf_add(&word, at + i, length);
        i += length ? length : 1;
    }
    if (word.n == 0)
        return;
    if (into->n > 0)
        buf_add_char(into, ' ');
    buf_add_text(into, word.overflowed || word_hidden(word.data) ? "[hidden]" : word.data);
}

const char *qonto_words(struct arena *arena, const char *text, size_t bytes_max)
{
    struct buf into = buf_new(arena, bytes_max);
    while (text && *text && !into.overflowed) {
        size_t n = strcspn(text, " \t\r\n");
        if (n > 0)
            add_word(&into, text, n);
        text += n + (text[n] != '\0');
    }
    return into.data;
}

static const char *first_text(const json_t *object, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *text = json_string_value(json_object_get(object, names[i]));
        if (text)
            return text;
    }
    return NULL;
}

static void add_error(struct arena *arena, const json_t *item, struct qonto_errors *into)
{
    static const char *const codes[] = {"code", "error"};
    static const char *const details[] = {"detail", "details", "message", "error_description"};
    static const char *const pointers[] = {"pointer", "parameter"};
    if (!json_is_object(item) || into->count == QONTO_ERRORS_MAX)
        return;
    const json_t *source = json_object_get(item, "source");
    if (json_is_array(source))
        source = json_array_get(source, 0);
    const char *code = first_text(item, codes, COUNT(codes));
    const char *detail = first_text(item, details, COUNT(details));
    if (!code && !detail)
        return;
    into->items[into->count++] = (struct qonto_error){
        .code = qonto_words(arena, code, CODE_BYTES_MAX),
        .detail = qonto_words(arena, detail, QONTO_WORDS_BYTES_MAX),
        .pointer = qonto_words(arena, first_text(source, pointers, COUNT(pointers)),
                               QONTO_WORDS_BYTES_MAX),
    };
}

void qonto_errors_read(struct arena *arena, const json_t *body, struct qonto_errors *into)
{
    *into = (struct qonto_errors){0};
    const json_t *errors = json_object_get(body, "errors");
    size_t index;
    const json_t *item;
    if (json_is_array(errors)) {
        json_array_foreach(errors, index, item)
        {
            add_error(arena, item, into);
        }
    } else if (json_is_object(errors)) {
        add_error(arena, errors, into);
    } else {
        add_error(arena, body, into);
    }
}

const char *qonto_error_field(struct arena *arena, const struct qonto_error *error)
{
    static const char prefix[] = "/supplier_invoices/idempotency_key/";
    const char *pointer = error->pointer;
    if (text_starts(pointer, prefix)) {
        const char *rest = strchr(pointer + strlen(prefix), '/');
        return rest && rest[1] ? arena_text(arena, rest + 1) : NULL;
    }
    pointer += strspn(pointer, "/");
    return *pointer ? arena_text(arena, pointer) : NULL;
}

/* The object of a body, or NULL: failures of the parser are no failures of ours. */
static json_t *object_of(struct arena *arena, const struct http_answer *answer)
{
    json_t *body = NULL;
    if (answer->body.n == 0 || json_parse(arena, answer->body, &body) != OK) {
        arena_failure_clear(arena);
        return NULL;
    }
    return json_is_object(body) ? body : NULL;
}

static bool is_html(const struct http_answer *answer)
{
    if (text_equal(answer->content_type, "text/html"))
        return true;
    size_t blanks = 0;
    while (blanks < answer->body.n && strchr(" \t\r\n", answer->body.at[blanks]))
        blanks++;
    return blanks < answer->body.n && answer->body.at[blanks] == '<';
}

static enum err fail_forbidden(struct arena *arena, const struct qonto_error *error)
{
    if (text_contains_ci(error->detail, "scope"))
        return arena_fail(arena, ERR_SCOPE, "scope", "The authorisation at Qonto lacks a scope: %s",
                          error->detail);
    if (text_contains_ci(error->detail, "plan"))
        return arena_fail(arena, ERR_SCOPE, "plan",
                          "The price plan of the Qonto organisation does not allow this: %s",
                          error->detail);
    return arena_fail(arena, ERR_SCOPE, "role",
                      "The Qonto user who authorised Sluice may not do this: %s",
                      *error->detail ? error->detail : "no reason given");
}

static enum err fail_refused(struct arena *arena, int status, const struct qonto_error *error)
{
    /* A window that starts in Qonto's future: clocks differ, the next try comes later. */
    if (text_equal(error->code, "invalid_datetime_range"))
        return arena_fail(arena, ERR_TRANSIENT, NULL,
                          "Qonto's clock is behind ours; the same question is asked again later.");
    return arena_fail(arena, ERR_VALIDATION, qonto_error_field(arena, error),
                      "Qonto refused the request (%d %s): %s", status,
                      *error->code ? error->code : "without code",
                      *error->detail ? error->detail : "no reason given");
}

static enum err fail_unread(struct arena *arena, const struct http_answer *answer)
{
    bool redirect = answer->status >= 300 && answer->status < 400;
    if (redirect || (answer->status < 300 && is_html(answer)))
        return arena_fail(arena, ERR_PROTOCOL, "staging_token",
                          "Qonto's sandbox answered with its sign-in page: the staging token is "
                          "missing or wrong.");
    return arena_fail(
        arena, ERR_PROTOCOL, NULL,
        "Qonto answered status %d with %zu bytes of %s, which is no answer to the request.",
        answer->status, answer->body.n,
        *answer->content_type ? qonto_words(arena, answer->content_type, CODE_BYTES_MAX)
                              : "unnamed type");
}

static enum err fail_status(struct arena *arena, const struct http_answer *answer,
                            const struct qonto_error *error)
{
    switch (answer->status) {
    case 401:
        return arena_fail(arena, ERR_AUTH, NULL, "Qonto no longer accepts the access token.");
    case 403:
        return fail_forbidden(arena, error);
    case 404:
        return arena_fail(arena, ERR_ABSENT, qonto_error_field(arena, error),
                          "Qonto does not know this object.");
    case 400:
    case 409:
    case 412:
    case 413:
    case 422:
        return fail_refused(arena, answer->status, error);
    case 428:
        return arena_fail(arena, ERR_APPROVAL, NULL,
                          "Qonto wants a person to approve this with strong authentication.");
    case 408:
    case 425:
    case 429:
        return arena_fail_retry(arena, ERR_TRANSIENT, answer->retry_after_s,
                                "Qonto asked to slow down (status %d).", answer->status);
    default:
        break;
    }
    if (answer->status >= 500)
        return arena_fail_retry(arena, ERR_TRANSIENT, answer->retry_after_s,
                                "Qonto failed with status %d.", answer->status);
    return fail_unread(arena, answer);
}

enum err qonto_answer_read(struct arena *arena, const struct http_answer *answer, json_t **into)
{
    json_t *body = object_of(arena, answer);
    if (answer->status >= 200 && answer->status < 300) {
        if (!body)
            return fail_unread(arena, answer);
        *into = body;
        return OK;
    }
    struct qonto_errors errors;
    qonto_errors_read(arena, body, &errors);
    static const struct qonto_error none = {"", "", ""};
    return fail_status(arena, answer, errors.count > 0 ? &errors.items[0] : &none);
}

static void excerpt_errors(struct buf *into, const struct qonto_errors *errors)
{
    for (size_t i = 0; i < errors->count; i++)
        buf_format(into, " error %s%s%s %s;", errors->items[i].code,
                   *errors->items[i].pointer ? " at " : "", errors->items[i].pointer,
                   errors->items[i].detail);
}

static void excerpt_invoice(struct arena *arena, struct buf *into, const json_t *invoice)
{
    buf_format(into, " invoice %s %s %s;",
               qonto_words(arena, json_text(invoice, "id"), CODE_BYTES_MAX),
               qonto_words(arena, json_text(invoice, "status"), CODE_BYTES_MAX),
               qonto_words(arena, json_text(invoice, "file_name"), QONTO_WORDS_BYTES_MAX));
}

const char *qonto_excerpt(struct arena *arena, const struct http_answer *answer)
{
    struct buf into = buf_new(arena, QONTO_EXCERPT_BYTES_MAX);
    buf_format(&into, "status %d, %zu bytes", answer->status, answer->body.n);
    const char *trace = http_answer_header(answer, "x-tyk-trace-id", 0);
    json_t *body = object_of(arena, answer);
    if (!trace)
        trace = json_text(body, "trace_id");
    if (trace)
        buf_format(&into, ", trace %s", qonto_words(arena, trace, CODE_BYTES_MAX));
    buf_add_char(&into, ';');
    struct qonto_errors errors;
    qonto_errors_read(arena, body, &errors);
    excerpt_errors(&into, &errors);
    const json_t *invoices = json_list(body, "supplier_invoices");
    for (size_t i = 0; i < json_array_size(invoices) && i < INVOICES_SHOWN_MAX; i++)
        excerpt_invoice(arena, &into, json_array_get(invoices, i));
    const json_t *invoice = json_object_at(body, "supplier_invoice");
    if (invoice)
        excerpt_invoice(arena, &into, invoice);
    return into.data;
}
