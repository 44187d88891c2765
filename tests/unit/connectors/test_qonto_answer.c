/* What an answer of Qonto's means, for every status and shape that was documented or seen; and that
 * nothing secret passes into texts that are shown. */
#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/text.h"
#include "connectors/qonto/answer.h"

enum { FILE_BYTES_MAX = 64 * 1024 };

static struct http_answer answer_of(int status, const char *content_type, const char *body)
{
    return (struct http_answer){
        .status = status,
        .content_type = content_type,
        .body = {(const uint8_t *)body, strlen(body)},
    };
}

static const char json[] = "application/json";

static const struct answer_row {
    int status;
    const char *content_type;
    const char *body;
    enum err meaning;
    const char *field; /* NULL: none */
} rows[] = {
    {200, json, "{}", OK, NULL},
    {200, "text/plain", "{\"supplier_invoices\":[]}", OK, NULL},
    {200, "text/html", "<!DOCTYPE html><html></html>", ERR_PROTOCOL, "staging_token"},
    {200, "application/octet-stream", "  <html>", ERR_PROTOCOL, "staging_token"},
    {302, "", "", ERR_PROTOCOL, "staging_token"},
    {200, json, "", ERR_PROTOCOL, NULL},
    {200, json, "[]", ERR_PROTOCOL, NULL},
    {200, json, "{\"a\":1", ERR_PROTOCOL, NULL},
    {200, json, "{\"a\":1,\"a\":2}", ERR_PROTOCOL, NULL},
    {204, "", "", ERR_PROTOCOL, NULL},
    {400, json, "{\"errors\":[{\"code\":\"bad_request\",\"detail\":\"Request is too large\"}]}",
     ERR_VALIDATION, NULL},
    {400, json, "{\"code\":\"invalid\",\"detail\":\"x\",\"source\":{\"pointer\":\"/file\"}}",
     ERR_VALIDATION, "file"},
    {401, json, "{\"errors\":[{\"code\":\"unauthorized\",\"detail\":\"Invalid credentials\"}]}",
     ERR_AUTH, NULL},
    {401, "text/html", "<html>", ERR_AUTH, NULL},
    {403, json, "{\"message\":\"Forbidden\",\"trace_id\":\"1\"}", ERR_SCOPE, "role"},
    {403, json,
     "{\"errors\":[{\"code\":\"forbidden\",\"detail\":\"Missing required OAuth Scope x\"}]}",
     ERR_SCOPE, "scope"},
    {403, json,
     "{\"errors\":[{\"code\":\"forbidden\",\"detail\":\"not allowed due to pricing plan\"}]}",
     ERR_SCOPE, "plan"},
    {404, json,
     "{\"errors\":[{\"code\":\"not_found\",\"detail\":\"x\",\"source\":{\"parameter\":\"id\"}}]}",
     ERR_ABSENT, "id"},
    {404, "text/plain", " ", ERR_ABSENT, NULL},
    {408, "", "", ERR_TRANSIENT, NULL},
    {409, json, "{\"errors\":[{\"code\":\"conflict\"}]}", ERR_VALIDATION, NULL},
    {415, "", "", ERR_PROTOCOL, NULL},
    {422, json, "{\"errors\":{\"code\":\"missing\",\"detail\":\"bank_account_id\"}}",
     ERR_VALIDATION, NULL},
    {428, json, "{\"sca_session_token\":\"ory_at_secret\"}", ERR_APPROVAL, NULL},
    {429, json, "{\"errors\":[{\"code\":\"too_many_requests\"}]}", ERR_TRANSIENT, NULL},
    {500, json, "{\"errors\":[{\"code\":\"unknown\",\"detail\":\"An unknown error occurred\"}]}",
     ERR_TRANSIENT, NULL},
    {500, "", "", ERR_TRANSIENT, NULL},
    {503, "text/html", "<html>maintenance</html>", ERR_TRANSIENT, NULL},
    {599, json, "{}", ERR_TRANSIENT, NULL},
};

static void test_every_answer_has_one_meaning(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct arena *arena = arena_open();
        struct http_answer answer = answer_of(rows[i].status, rows[i].content_type, rows[i].body);
        json_t *body = NULL;
        enum err meaning = qonto_answer_read(arena, &answer, &body);
        const char *field = arena_failure(arena)->field;
        if (meaning != rows[i].meaning || !text_equal(field, rows[i].field))
            fail_msg("%d %s: %s, field %s", rows[i].status, rows[i].body, err_slug(meaning),
                     field ? field : "none");
        assert_true((body != NULL) == (meaning == OK));
        arena_close(arena);
    }
}

static void test_retry_after_is_passed_on(void **state)
{
    (void)state;
    struct arena *arena = arena_open();
    struct http_answer answer = answer_of(429, json, "{}");
    answer.retry_after_s = 17;
    json_t *body;
    assert_int_equal(qonto_answer_read(arena, &answer, &body), ERR_TRANSIENT);
    assert_int_equal(arena_failure(arena)->retry_after_s, 17);
    arena_close(arena);
}

static char *file_text(struct arena *arena, const char *path)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    char *text = arena_alloc(arena, FILE_BYTES_MAX);
    size_t n = fread(text, 1, FILE_BYTES_MAX - 1, file);
    text[n] = '\0';
    fclose(file);
    return text;
}

/* The failures that Qonto's own document shows: each is a refusal with a reason in words. */
static void test_failures_of_qontos_document(void **state)
{
    (void)state;
    struct arena *arena = arena_open();
    const char *text = file_text(arena, TEST_DATA "/qonto/errors.json");
    json_t *cases, *body;
    struct bytes bytes = {(const uint8_t *)text, strlen(text)};
    assert_int_equal(json_parse(arena, bytes, &cases), OK);
    assert_true(json_array_size(cases) > 8);
    for (size_t i = 0; i < json_array_size(cases); i++) {
        const json_t *one = json_array_get(cases, i);
        int status = (int)json_int(one, "status", 0);
        struct http_answer answer =
            answer_of(status, json, json_write(arena, json_at(one, "body")));
        const char *code = json_text(json_array_get(json_at(one, "body.errors"), 0), "code");
        enum err expected = status == 403                                ? ERR_SCOPE
                            : text_equal(code, "invalid_datetime_range") ? ERR_TRANSIENT
                                                                         : ERR_VALIDATION;
        assert_int_equal(qonto_answer_read(arena, &answer, &body), expected);
        assert_null(strstr(arena_failure(arena)->detail, "no reason given"));
    }
    arena_close(arena);
}

static void test_secrets_do_not_pass(void **state)
{
    (void)state;
    static const char *const secrets[] = {"ory_at_AAAA.BBBB",
                                          "https://s3.example/x?X-Amz-Signature=1",
                                          "eyJhbGciOi.J9.x", "someone@example.com"};
    struct arena *arena = arena_open();
    for (size_t i = 0; i < COUNT(secrets); i++) {
        const char *text =
            arena_format(arena,
                         "{\"errors\":[{\"code\":\"%s\",\"detail\":\"see %s there\"}],"
                         "\"supplier_invoices\":[{\"id\":\"%s\",\"url\":\"%s\"}]}",
                         secrets[i], secrets[i], secrets[i], secrets[i]);
        struct http_answer answer = answer_of(400, json, text);
        json_t *body;
        assert_int_equal(qonto_answer_read(arena, &answer, &body), ERR_VALIDATION);
        assert_null(strstr(arena_failure(arena)->detail, secrets[i]));
        assert_null(strstr(qonto_excerpt(arena, &answer), secrets[i]));
        assert_non_null(strstr(qonto_excerpt(arena, &answer), "[hidden]"));
    }
    arena_close(arena);
}

static void test_texts_are_bounded_and_printable(void **state)
{
    (void)state;
    struct arena *arena = arena_open();
    struct buf text = buf_new(arena, 1 << 20);
    for (int i = 0; i < 20000; i++)
        buf_add_text(&text, "word\x01\x1b\xff \n");
    const char *words = qonto_words(arena, text.data, QONTO_WORDS_BYTES_MAX);
    assert_true(strlen(words) <= QONTO_WORDS_BYTES_MAX);
    assert_true(text_starts(words, "word word word"));
    assert_true(utf8_valid(words, strlen(words)));
    assert_string_equal(qonto_words(arena, NULL, 10), "");
    struct buf many = buf_new(arena, 1 << 20);
    buf_add_text(&many, "{\"errors\":[");
    for (int i = 0; i < 500; i++)
        buf_format(&many, "%s{\"code\":\"invalid\",\"detail\":\"%0200d\"}", i ? "," : "", i);
    buf_add_text(&many, "]}");
    struct http_answer answer = answer_of(400, json, many.data);
    assert_true(strlen(qonto_excerpt(arena, &answer)) <= QONTO_EXCERPT_BYTES_MAX);
    arena_close(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_answer_has_one_meaning),
        cmocka_unit_test(test_retry_after_is_passed_on),
        cmocka_unit_test(test_failures_of_qontos_document),
        cmocka_unit_test(test_secrets_do_not_pass),
        cmocka_unit_test(test_texts_are_bounded_and_printable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
