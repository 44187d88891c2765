#include "unit.h"

#include "base/text.h"
#include "crypto/crypto.h"
#include "http/cursor.h"
#include "http/json_out.h"
#include "http/metrics.h"
#include "http/problem.h"
#include "json/json.h"

static void values_are_written_with_their_commas(void **state)
{
    struct json_out out = json_out_new(*state, 10000);
    out_object(&out, NULL);
    out_text(&out, "plain", "abc");
    out_text(&out, "odd", "a\"b\\\n\u00e9\xff");
    out_text(&out, "none", NULL);
    out_int(&out, "least", INT64_MIN);
    out_bool(&out, "yes", true);
    out_uuid_or_null(&out, "id", (struct uuid){{0}});
    out_instant(&out, "at", (struct instant){1000000});
    out_instant(&out, "never", (struct instant){0});
    out_date(&out, "on", (struct date){0});
    out_date(&out, "no_day", (struct date){DATE_NONE});
    out_money(&out, "amount", (struct money){-1234, "EUR"});
    out_money(&out, "yen", (struct money){1234, "JPY"});
    out_money(&out, "unknown", (struct money){0});
    out_millionths(&out, "p", 853249);
    out_millionths(&out, "least_odds", -50);
    out_millionths(&out, "tiny", -49);
    out_array(&out, "list");
    out_int(&out, NULL, 1);
    out_object(&out, NULL);
    out_end(&out);
    out_json(&out, NULL, "{\"raw\":1}");
    out_end(&out);
    out_array(&out, "empty");
    out_end(&out);
    out_end(&out);
    assert_true(json_out_complete(&out));
    assert_string_equal(
        out.buf.data,
        "{\"plain\":\"abc\",\"odd\":\"a\\\"b\\\\\\n\u00e9\ufffd\",\"none\":null,"
        "\"least\":-9223372036854775808,\"yes\":true,\"id\":null,"
        "\"at\":\"1970-01-01T00:00:01.000Z\",\"never\":null,\"on\":\"1970-01-01\",\"no_day\":null,"
        "\"amount\":{\"minor\":-1234,\"currency\":\"EUR\",\"decimal\":\"-12.34\"},"
        "\"yen\":{\"minor\":1234,\"currency\":\"JPY\",\"decimal\":\"1234\"},\"unknown\":null,"
        "\"p\":0.8532,\"least_odds\":-0.0001,\"tiny\":0.0000,\"list\":[1,{},{\"raw\":1}],"
        "\"empty\":[]}");
}

static void what_does_not_fit_is_not_complete(void **state)
{
    struct json_out out = json_out_new(*state, 10);
    out_object(&out, NULL);
    out_text(&out, "name", "far too long for ten bytes");
    out_end(&out);
    assert_false(json_out_complete(&out));
    struct json_out open = json_out_new(*state, 10);
    out_object(&open, NULL);
    assert_false(json_out_complete(&open));
}

static json_t *problem(struct arena *arena, enum err err, struct http_reply *reply)
{
    json_t *value;
    problem_reply(arena, err, (struct uuid){{1}}, reply);
    assert_int_equal(json_parse(arena, reply->body, &value), OK);
    return value;
}

static const char *field_of(const struct http_reply *reply, const char *name)
{
    for (size_t i = 0; i < reply->field_count; i++) {
        if (text_equal(reply->fields[i].name, name))
            return reply->fields[i].value;
    }
    return NULL;
}

static void problems_tell_the_caller_what_to_do(void **state)
{
    struct http_reply reply;
    enum err err = arena_fail(*state, ERR_FIELD_INVALID, "settings.flow", "Expected a number.");
    json_t *value = problem(*state, err, &reply);
    assert_int_equal(reply.status, 422);
    assert_string_equal(reply.content_type, "application/problem+json");
    assert_string_equal(json_text(value, "code"), "field_invalid");
    assert_string_equal(json_text(value, "field"), "settings.flow");
    assert_string_equal(json_text(value, "detail"), "Expected a number.");
    assert_string_equal(json_text(value, "request_id"), "01000000-0000-0000-0000-000000000000");
    assert_int_equal(json_int(value, "status", 0), 422);
    assert_null(json_object_get(value, "limit"));
}

static void what_failed_inside_stays_inside(void **state)
{
    struct http_reply reply;
    json_t *value = problem(
        *state, arena_fail(*state, ERR_DB, "item_pkey", "SELECT secrets FROM vault"), &reply);
    assert_int_equal(reply.status, 500);
    assert_null(strstr((const char *)reply.body.at, "vault"));
    assert_null(json_object_get(value, "field"));
    assert_non_null(json_text(value, "detail"));
}

static void some_problems_carry_headers(void **state)
{
    struct http_reply reply;
    problem(*state, ERR_UNAUTHENTICATED, &reply);
    assert_true(text_starts(field_of(&reply, "WWW-Authenticate"), "Bearer"));
    problem(*state, arena_fail_retry(*state, ERR_RATE_LIMITED, 17, "Wait."), &reply);
    assert_string_equal(field_of(&reply, "Retry-After"), "17");
    problem(*state, ERR_BUSY, &reply);
    assert_string_equal(field_of(&reply, "Retry-After"), "1");
    problem(*state, ERR_NOT_FOUND, &reply);
    assert_int_equal(reply.field_count, 0);
}

static void an_endless_detail_is_left_out(void **state)
{
    char *endless = arena_alloc(*state, 100001);
    memset(endless, 'x', 100000);
    struct http_reply reply;
    json_t *value = problem(*state, arena_fail(*state, ERR_CONFLICT, NULL, "%s", endless), &reply);
    assert_string_equal(json_text(value, "code"), "conflict");
    assert_true(reply.body.n < 2000);
}

static void cursors_come_back_only_to_their_list(void **state)
{
    const struct secret *key = random_secret(*state, 32);
    struct cursor made = {.number = -5, .id = {{1, 2, 3}}, .text = "caf\u00e9"}, read;
    char *text = cursor_encode(*state, key, "/v1/items?state=held", &made);
    assert_int_equal(cursor_decode(*state, key, "/v1/items?state=held", text, &read), OK);
    assert_true(read.given && read.number == -5 && uuid_equal(read.id, made.id));
    assert_string_equal(read.text, "caf\u00e9");
    assert_int_equal(cursor_decode(*state, key, "/v1/items?state=stopped", text, &read),
                     ERR_CURSOR_INVALID);
    assert_false(read.given);
    assert_int_equal(
        cursor_decode(*state, random_secret(*state, 32), "/v1/items?state=held", text, &read),
        ERR_CURSOR_INVALID);
    for (size_t i = 0; text[i]; i++) {
        char *changed = arena_text(*state, text);
        changed[i] = changed[i] == 'A' ? 'B' : 'A';
        if (!text_equal(changed, text))
            assert_int_equal(cursor_decode(*state, key, "/v1/items?state=held", changed, &read),
                             ERR_CURSOR_INVALID);
    }
    static const char *const junk[] = {"", "A", "!!!!",
                                       "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"};
    for (size_t i = 0; i < COUNT(junk); i++)
        assert_int_equal(cursor_decode(*state, key, "x", junk[i], &read), ERR_CURSOR_INVALID);
}

static int64_t seven(void *context)
{
    (void)context;
    return 7;
}

static void metrics_are_prometheus_text(void **state)
{
    struct metrics *metrics = metrics_new(*state);
    struct counter *good =
        metrics_counter(metrics, "requests_total", "status=\"2xx\"", "Requests answered.");
    metrics_counter(metrics, "requests_total", "status=\"5xx\"", "Requests answered.");
    metrics_gauge(metrics, "queued", "Requests waiting.", seven, NULL);
    struct histogram *seconds = metrics_histogram(metrics, "request_seconds", "How long.");
    counter_add(good, 3);
    histogram_observe_us(seconds, 1000);
    histogram_observe_us(seconds, 1001);
    histogram_observe_us(seconds, 100000000);
    struct buf text = buf_new(*state, 10000);
    metrics_write(metrics, &text);
    assert_true(text_starts(text.data, "# HELP requests_total Requests answered.\n"
                                       "# TYPE requests_total counter\n"
                                       "requests_total{status=\"2xx\"} 3\n"
                                       "requests_total{status=\"5xx\"} 0\n"
                                       "# HELP queued Requests waiting.\n# TYPE queued gauge\n"
                                       "queued 7\n"));
    assert_non_null(strstr(text.data, "request_seconds_bucket{le=\"0.001\"} 1\n"
                                      "request_seconds_bucket{le=\"0.0025\"} 2\n"));
    assert_non_null(strstr(text.data, "request_seconds_bucket{le=\"30\"} 2\n"
                                      "request_seconds_bucket{le=\"+Inf\"} 3\n"
                                      "request_seconds_sum 100.002001\nrequest_seconds_count 3\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_ARENA(values_are_written_with_their_commas),
        WITH_ARENA(what_does_not_fit_is_not_complete),
        WITH_ARENA(problems_tell_the_caller_what_to_do),
        WITH_ARENA(what_failed_inside_stays_inside),
        WITH_ARENA(some_problems_carry_headers),
        WITH_ARENA(an_endless_detail_is_left_out),
        WITH_ARENA(cursors_come_back_only_to_their_list),
        WITH_ARENA(metrics_are_prometheus_text),
    };
    return RUN(tests);
}
