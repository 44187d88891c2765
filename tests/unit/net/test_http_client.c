/* The HTTP client against a TLS peer that answers byte for byte what the test says. */
#include "base/base.h"

#include <setjmp.h>
#include <signal.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/fault.h"
#include "net/egress.h"
#include "net/http_client.h"
#include "tls_peer.h"

struct world {
    struct arena *arena;
    struct tls_peer *peer;
    struct http_client *client;
    char seen[8192]; /* head and body of the last request */
};

static enum tls_end odd_path(struct tls_exchange *exchange)
{
    const char *path = exchange->path;
    if (strcmp(path, "/lost") == 0)
        return TLS_CUT;
    if (strcmp(path, "/closed") == 0)
        return TLS_CLOSE;
    if (strcmp(path, "/half") == 0) {
        tls_send(exchange, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
        return TLS_CLOSE;
    }
    if (strcmp(path, "/cut-head") == 0) {
        tls_send(exchange, "HTTP/1.1 200 OK\r\nContent-Le");
        return TLS_CUT;
    }
    if (strcmp(path, "/not-http") == 0) {
        tls_send(exchange, "SSH-2.0-OpenSSH_9\r\n\r\n");
        return TLS_CLOSE;
    }
    if (strcmp(path, "/endless-head") == 0) {
        tls_send(exchange, "HTTP/1.1 200 OK\r\n");
        for (int i = 0; i < 5000; i++)
            tls_send(exchange, "X-Padding: ..................................................\r\n");
        return TLS_CLOSE;
    }
    if (strcmp(path, "/slow") == 0) {
        struct timespec rest = {.tv_sec = 3};
        nanosleep(&rest, NULL);
        return TLS_CLOSE;
    }
    tls_reply(exchange, "404 Not Found", "text/plain", "", "?");
    return TLS_KEEP;
}

/* "Retry-After: Fri, 20 Nov 2026 14:00:00 GMT", as HTTP writes dates. */
static void reply_by_date(struct tls_exchange *exchange)
{
    time_t then = time(NULL) + 60;
    struct tm parts;
    char header[80];
    gmtime_r(&then, &parts);
    strftime(header, sizeof header, "Retry-After: %a, %d %b %Y %H:%M:%S GMT\r\n", &parts);
    tls_reply(exchange, "429 Too Many", "text/html", header, "");
}

static enum tls_end serve(void *context, struct tls_exchange *exchange)
{
    struct world *world = context;
    snprintf(world->seen, sizeof world->seen, "%s\n%s", exchange->head, exchange->body);
    if (strcmp(exchange->path, "/hello") == 0 || strcmp(exchange->path, "/lost-later") == 0) {
        if (exchange->number > 1 && strcmp(exchange->path, "/lost-later") == 0)
            return TLS_CUT;
        tls_reply(exchange, "200 OK", "Text/Plain; charset=utf-8", "X-One: a\r\nx-one:  b \r\n",
                  "hello");
    } else if (strcmp(exchange->path, "/redirect") == 0) {
        tls_reply(exchange, "302 Found", "text/html", "Location: https://127.0.0.1:1/\r\n", "");
    } else if (strcmp(exchange->path, "/by-date") == 0) {
        reply_by_date(exchange);
    } else if (strcmp(exchange->path, "/much-later") == 0) {
        tls_reply(exchange, "429 Too Many", "text/html", "Retry-After: 604800\r\n", "");
    } else if (strcmp(exchange->path, "/later") == 0) {
        tls_reply(exchange, "503 Service Unavailable", "text/html", "Retry-After: 17\r\n", "");
    } else {
        return odd_path(exchange);
    }
    return TLS_KEEP;
}

static struct http_client *client_for(struct world *world, const char *allow, bool tls13)
{
    const struct egress *egress;
    assert_int_equal(egress_new(world->arena, &allow, allow != NULL, &egress), OK);
    const struct http_settings settings = {.egress = egress,
                                           .user_agent = "test/1",
                                           .ca_file = tls_peer_ca_file(world->peer),
                                           .tls13 = tls13};
    return http_client_open(&settings);
}

static int world_open(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    world->arena = arena_open();
    world->peer = tls_peer_open(serve, world, false);
    world->client = client_for(world, tls_peer_allow(world->peer), true);
    *state = world;
    return 0;
}

static int world_close(void **state)
{
    struct world *world = *state;
    http_client_close(world->client);
    tls_peer_close(world->peer);
    arena_close(world->arena);
    free(world);
    return 0;
}

static enum err run(struct world *world, const char *method, const char *path,
                    struct http_answer *answer)
{
    const struct http_call call = {
        .method = method,
        .url = arena_format(world->arena, "%s%s", tls_peer_origin(world->peer), path),
        .bytes_max = 1000,
        .total_s = 10,
    };
    return http_client_run(world->client, world->arena, &call, answer);
}

static void an_answer_is_read_whole(void **state)
{
    struct world *world = *state;
    struct http_answer answer;
    assert_int_equal(run(world, "GET", "/hello", &answer), OK);
    assert_int_equal(answer.status, 200);
    assert_string_equal(answer.content_type, "text/plain");
    assert_string_equal((const char *)answer.body.at, "hello");
    assert_string_equal(http_answer_header(&answer, "x-one", 0), "a");
    assert_string_equal(http_answer_header(&answer, "x-one", 1), "b");
    assert_null(http_answer_header(&answer, "x-one", 2));
    assert_string_equal(answer.tls_version, "TLSv1.3");
    assert_int_equal(run(world, "GET", "/hello", &answer), OK);
    assert_string_equal(answer.tls_version, "TLSv1.3");
    assert_int_equal(tls_peer_connections(world->peer), 1); /* kept */
}

static void a_redirect_is_not_followed_and_retry_after_is_read(void **state)
{
    struct world *world = *state;
    struct http_answer answer;
    assert_int_equal(run(world, "GET", "/redirect", &answer), OK);
    assert_int_equal(answer.status, 302);
    assert_int_equal(run(world, "POST", "/later", &answer), OK);
    assert_int_equal(answer.status, 503);
    assert_int_equal(answer.retry_after_s, 17);
    assert_int_equal(run(world, "GET", "/by-date", &answer), OK);
    assert_in_range(answer.retry_after_s, 50, 60);
    assert_int_equal(run(world, "GET", "/much-later", &answer), OK);
    assert_int_equal(answer.retry_after_s, HTTP_RETRY_AFTER_S_MAX);
    assert_int_equal(tls_peer_requests(world->peer), 4);
}

static void what_is_lost_is_uncertain_unless_it_can_be_repeated(void **state)
{
    struct world *world = *state;
    static const char *const paths[] = {"/lost", "/closed", "/half", "/cut-head"};
    struct http_answer answer;
    for (size_t i = 0; i < COUNT(paths); i++) {
        assert_int_equal(run(world, "POST", paths[i], &answer), ERR_UNCERTAIN);
        assert_int_equal(run(world, "PATCH", paths[i], &answer), ERR_UNCERTAIN);
        assert_int_equal(run(world, "GET", paths[i], &answer), ERR_TRANSIENT);
        assert_int_equal(run(world, "DELETE", paths[i], &answer), ERR_TRANSIENT);
    }
}

/* libcurl itself sends again when a kept connection dies: a POST must never be sent twice. */
static void a_post_is_sent_once_whatever_happens_to_the_connection(void **state)
{
    struct world *world = *state;
    struct http_answer answer;
    assert_int_equal(run(world, "POST", "/lost-later", &answer), OK);
    assert_int_equal(run(world, "POST", "/lost-later", &answer), ERR_UNCERTAIN);
    assert_int_equal(tls_peer_requests(world->peer), 2);
}

static void what_is_no_http_or_too_large_is_a_protocol_error(void **state)
{
    struct world *world = *state;
    struct http_answer answer;
    assert_int_equal(run(world, "GET", "/not-http", &answer), ERR_PROTOCOL);
    assert_int_equal(run(world, "POST", "/endless-head", &answer), ERR_PROTOCOL);
    const struct http_call call = {
        .method = "GET",
        .url = arena_format(world->arena, "%s/hello", tls_peer_origin(world->peer)),
        .bytes_max = 4,
    };
    assert_int_equal(http_client_run(world->client, world->arena, &call, &answer), ERR_PROTOCOL);
    assert_non_null(strstr(arena_failure(world->arena)->detail, "4 bytes"));
}

static void a_late_answer_is_a_lost_one(void **state)
{
    struct world *world = *state;
    struct http_answer answer;
    const struct http_call call = {
        .method = "POST",
        .url = arena_format(world->arena, "%s/slow", tls_peer_origin(world->peer)),
        .bytes_max = 4,
        .total_s = 1,
    };
    assert_int_equal(http_client_run(world->client, world->arena, &call, &answer), ERR_UNCERTAIN);
}

static void before_the_first_byte_nothing_can_have_been_executed(void **state)
{
    struct world *world = *state;
    struct http_answer answer;
    struct tls_peer *stranger = tls_peer_open(serve, world, false);
    struct http_client *client = client_for(world, tls_peer_allow(stranger), true);
    const char *url = arena_text(world->arena, tls_peer_origin(stranger));
    const struct http_call untrusted = {.method = "POST", .url = url, .bytes_max = 10};
    assert_int_equal(http_client_run(client, world->arena, &untrusted, &answer), ERR_TRANSIENT);
    assert_int_equal(tls_peer_requests(stranger), 0);
    tls_peer_close(stranger); /* nobody listens any more */
    assert_int_equal(http_client_run(client, world->arena, &untrusted, &answer), ERR_TRANSIENT);
    const struct http_call unresolved = {
        .method = "POST", .url = "https://does-not-exist.invalid/", .bytes_max = 10};
    assert_int_equal(http_client_run(client, world->arena, &unresolved, &answer), ERR_TRANSIENT);
    http_client_close(client);
}

static void an_older_tls_is_refused_where_credentials_travel(void **state)
{
    struct world *world = *state;
    struct http_answer answer;
    struct tls_peer *old = tls_peer_open(serve, world, true);
    const char *allow = tls_peer_allow(old);
    const struct egress *egress;
    assert_int_equal(egress_new(world->arena, &allow, 1, &egress), OK);
    const struct http_settings settings = {
        .egress = egress, .user_agent = "test/1", .ca_file = tls_peer_ca_file(old), .tls13 = true};
    struct http_client *client = http_client_open(&settings);
    struct http_call call = {.method = "GET",
                             .url = arena_format(world->arena, "%s/hello", tls_peer_origin(old)),
                             .bytes_max = 10};
    assert_int_equal(http_client_run(client, world->arena, &call, &answer), ERR_TRANSIENT);
    assert_int_equal(tls_peer_requests(old), 0);
    call.tls12 = true;
    assert_int_equal(http_client_run(client, world->arena, &call, &answer), OK);
    assert_string_equal(answer.tls_version, "TLSv1.2");
    http_client_close(client);
    tls_peer_close(old);
}

/* The peer listens on 127.0.0.1; no spelling of that address gets there unless it is allowed. */
static void no_spelling_of_a_private_address_gets_through(void **state)
{
    struct world *world = *state;
    static const char *const hosts[] = {
        "127.0.0.1", "2130706433",      "0x7f000001",         "0x7f.1",          "017700000001",
        "127.1",     "[::1]",           "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "0.0.0.0",
        "[::]",      "169.254.169.254", "10.0.0.1",           "localhost"};
    struct http_client *client = client_for(world, NULL, true);
    struct http_answer answer;
    for (size_t i = 0; i < COUNT(hosts); i++) {
        const struct http_call call = {.method = "GET",
                                       .url = arena_format(world->arena, "https://%s:%d/hello",
                                                           hosts[i], tls_peer_port(world->peer)),
                                       .bytes_max = 10};
        if (http_client_run(client, world->arena, &call, &answer) != ERR_EGRESS_REFUSED)
            fail_msg("%s: %s", hosts[i], arena_failure(world->arena)->detail);
    }
    assert_int_equal(tls_peer_connections(world->peer), 0);
    http_client_close(client);
}

static void only_https_and_listed_hosts_are_called(void **state)
{
    struct world *world = *state;
    static const struct {
        const char *url, *hosts;
        enum err err;
    } rows[] = {
        {"http://example.org/", NULL, ERR_EGRESS_REFUSED},
        {"ftp://example.org/", NULL, ERR_EGRESS_REFUSED},
        {"https://user:word@example.org/", NULL, ERR_VALIDATION},
        {"https://elsewhere.example/", "api.example", ERR_EGRESS_REFUSED},
        {"https://api.example@evil.example/", "api.example", ERR_VALIDATION},
        {"/x", NULL, ERR_VALIDATION},
        {"", NULL, ERR_VALIDATION},
        {"file:///etc/passwd", NULL, ERR_VALIDATION},
    };
    struct http_answer answer;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct http_call call = {
            .method = "GET", .url = rows[i].url, .hosts = rows[i].hosts, .bytes_max = 10};
        enum err err = http_client_run(world->client, world->arena, &call, &answer);
        if (err != rows[i].err)
            fail_msg("%s: %s", rows[i].url, err_slug(err));
    }
}

/* Without TLS nothing leaves the machine, not even where egress would let it. */
static void plain_http_is_for_this_machine_and_where_it_is_asked_for(void **state)
{
    struct world *world = *state;
    const char *allow = "192.0.2.1:80";
    const struct egress *egress;
    assert_int_equal(egress_new(world->arena, &allow, 1, &egress), OK);
    const struct http_settings settings = {
        .egress = egress, .user_agent = "test/1", .plain_loopback = true};
    struct http_client *client = http_client_open(&settings);
    struct http_call call = {.method = "GET", .bytes_max = 1000};
    static const char *const refused[] = {"http://192.0.2.1/", "http://10.0.0.1/",
                                          "https://127.0.0.1:1/"};
    struct http_answer answer;
    for (size_t i = 0; i < COUNT(refused); i++) {
        call.url = refused[i];
        if (http_client_run(client, world->arena, &call, &answer) != ERR_EGRESS_REFUSED)
            fail_msg("%s is called", refused[i]);
    }
    call.url = arena_format(world->arena, "http://localhost:%d/hello", tls_peer_port(world->peer));
    /* reached: what answers there wants TLS */
    assert_int_not_equal(http_client_run(client, world->arena, &call, &answer), ERR_EGRESS_REFUSED);
    assert_true(tls_peer_connections(world->peer) > 0);
    call.hosts = "api.example";
    assert_int_equal(http_client_run(client, world->arena, &call, &answer), ERR_EGRESS_REFUSED);
    http_client_close(client);
}

static void headers_carry_secrets_but_no_line_breaks(void **state)
{
    struct world *world = *state;
    struct http_answer answer;
    struct http_header header = {.name = "Authorization",
                                 .value = "Bearer ",
                                 .secret = secret_from_text(world->arena, "s3cret")};
    struct http_call call = {
        .method = "GET",
        .url = arena_format(world->arena, "%s/hello", tls_peer_origin(world->peer)),
        .headers = &header,
        .header_count = 1,
        .bytes_max = 10};
    assert_int_equal(http_client_run(world->client, world->arena, &call, &answer), OK);
    assert_non_null(strstr(world->seen, "Authorization: Bearer s3cret\r\n"));
    static const char *const bad[] = {"a\r\nX-Evil: 1", "a\nb", "a\x7f", "\x01"};
    for (size_t i = 0; i < COUNT(bad); i++) {
        header = (struct http_header){.name = "X", .value = bad[i]};
        assert_int_equal(http_client_run(world->client, world->arena, &call, &answer),
                         ERR_VALIDATION);
    }
    header = (struct http_header){.name = "X-Empty", .value = ""};
    assert_int_equal(http_client_run(world->client, world->arena, &call, &answer), OK);
    assert_non_null(strstr(world->seen, "X-Empty:\r\n"));
    header = (struct http_header){.name = "X Y", .value = "a"};
    assert_int_equal(http_client_run(world->client, world->arena, &call, &answer), ERR_VALIDATION);
    assert_int_equal(tls_peer_requests(world->peer), 2);
}

static void forms_and_files_are_sent(void **state)
{
    struct world *world = *state;
    struct http_answer answer;
    struct http_call call = {
        .method = "POST",
        .url = arena_format(world->arena, "%s/hello", tls_peer_origin(world->peer)),
        .form = secret_from_text(world->arena, "token=s3cret"),
        .answer_secret = true,
        .bytes_max = 10};
    assert_int_equal(http_client_run(world->client, world->arena, &call, &answer), OK);
    assert_non_null(strstr(world->seen, "application/x-www-form-urlencoded"));
    assert_non_null(strstr(world->seen, "token=s3cret"));
    assert_string_equal((const char *)answer.body.at, "hello");
    const struct http_part parts[] = {
        {.name = "kind", .data = {(const uint8_t *)"x", 1}},
        {.name = "files[]",
         .file_name = "a \"b\".pdf",
         .content_type = "application/pdf",
         .data = {(const uint8_t *)"%PDF", 4}},
    };
    call.form = NULL;
    call.parts = parts;
    call.part_count = COUNT(parts);
    assert_int_equal(http_client_run(world->client, world->arena, &call, &answer), OK);
    assert_non_null(strstr(world->seen, "name=\"files[]\"; filename=\"a %22b%22.pdf\""));
    assert_non_null(strstr(world->seen, "Content-Type: application/pdf\r\n\r\n%PDF\r\n"));
    assert_null(strstr(world->seen, "Expect:"));
}

struct listener {
    struct world *world;
    struct buf text;
    enum http_more more;
};

static enum http_more listen_to(void *context, const struct http_answer *head, struct bytes piece)
{
    struct listener *listener = context;
    struct http_answer inner;
    assert_int_equal(head->status, 200);
    assert_string_equal(head->content_type, "text/plain");
    buf_add(&listener->text, piece.at, piece.n);
    assert_int_equal(run(listener->world, "GET", "/hello", &inner), OK); /* a call within a call */
    return listener->more;
}

static void a_stream_is_handed_on_piece_by_piece(void **state)
{
    struct world *world = *state;
    struct listener listener = {.world = world, .more = HTTP_CONTINUE};
    struct http_answer answer;
    struct http_call call = {
        .method = "GET",
        .url = arena_format(world->arena, "%s/hello", tls_peer_origin(world->peer)),
        .bytes_max = 10,
        .on_data = listen_to,
        .context = &listener};
    for (enum http_more more = HTTP_CONTINUE; more <= HTTP_STOP; more++) {
        listener.more = more;
        listener.text = buf_new(world->arena, 100);
        assert_int_equal(http_client_run(world->client, world->arena, &call, &answer), OK);
        assert_string_equal(listener.text.data, "hello");
        assert_int_equal(answer.body.n, 0);
        assert_int_equal(answer.ended_by_us, more == HTTP_STOP);
    }
}

static void the_fault_points_fail_as_the_network_does(void **state)
{
    struct world *world = *state;
    struct http_answer answer;
    assert_true(fault_plan("net.connect:1,net.send:1,net.response:1"));
    assert_int_equal(run(world, "POST", "/hello", &answer), ERR_TRANSIENT);
    assert_int_equal(run(world, "POST", "/hello", &answer), ERR_UNCERTAIN);
    assert_int_equal(tls_peer_requests(world->peer), 0);
    assert_int_equal(run(world, "POST", "/hello", &answer), ERR_UNCERTAIN);
    assert_int_equal(tls_peer_requests(world->peer), 1);
    assert_int_equal(run(world, "POST", "/hello", &answer), OK);
    assert_true(fault_plan(NULL));
}

#define WORLD_TEST(test) cmocka_unit_test_setup_teardown(test, world_open, world_close)

int main(void)
{
    signal(SIGPIPE, SIG_IGN); /* the peer writes to connections that were ended */
    const struct CMUnitTest tests[] = {
        WORLD_TEST(an_answer_is_read_whole),
        WORLD_TEST(a_redirect_is_not_followed_and_retry_after_is_read),
        WORLD_TEST(what_is_lost_is_uncertain_unless_it_can_be_repeated),
        WORLD_TEST(a_post_is_sent_once_whatever_happens_to_the_connection),
        WORLD_TEST(what_is_no_http_or_too_large_is_a_protocol_error),
        WORLD_TEST(a_late_answer_is_a_lost_one),
        WORLD_TEST(before_the_first_byte_nothing_can_have_been_executed),
        WORLD_TEST(an_older_tls_is_refused_where_credentials_travel),
        WORLD_TEST(no_spelling_of_a_private_address_gets_through),
        WORLD_TEST(only_https_and_listed_hosts_are_called),
        WORLD_TEST(plain_http_is_for_this_machine_and_where_it_is_asked_for),
        WORLD_TEST(headers_carry_secrets_but_no_line_breaks),
        WORLD_TEST(forms_and_files_are_sent),
        WORLD_TEST(a_stream_is_handed_on_piece_by_piece),
        WORLD_TEST(the_fault_points_fail_as_the_network_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
