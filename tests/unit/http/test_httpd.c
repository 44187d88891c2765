/* Who waits for whom: slow clients, full queues, deadlines, stopping, load. */
#include "served.h"

/* ---- who waits for whom ---- */

static void slow_clients_hold_up_nobody(void **state)
{
    (void)state;
    struct world *world = world_open(NULL);
    int port = httpd_port(world->httpd), slow[20];
    for (size_t i = 0; i < COUNT(slow); i++) { /* more than there are request threads */
        slow[i] = dial(port);
        static const char head[] = "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nab";
        if (i % 2)
            send_bytes(slow[i], head, sizeof head - 1); /* never sends the rest */
        else
            send_bytes(slow[i], GET("/big"), strlen(GET("/big"))); /* never reads */
    }
    pause_ms(300);
    int64_t start_us = monotonic_us();
    for (int i = 0; i < 20; i++) {
        int fd = dial(port);
        send_bytes(fd, GET("/quick"), strlen(GET("/quick")));
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        assert_int_equal(poll(&wait, 1, 1000), 1);
        close(fd);
    }
    assert_true(monotonic_us() - start_us < 1000000);
    for (size_t i = 0; i < COUNT(slow); i++)
        close(slow[i]);
    world_close(world);
}

static void wait_until_handled(struct world *world, int count)
{
    for (int i = 0; i < WAIT_MS && atomic_load(&world->handled) < count; i++)
        pause_ms(1);
    assert_int_equal(atomic_load(&world->handled), count);
}

static void a_full_queue_answers_at_once(void **state)
{
    (void)state;
    struct world *world = world_open(NULL);
    atomic_store(&world->gate, 1);
    int fds[6]; /* two run, four wait */
    for (size_t i = 0; i < COUNT(fds); i++) {
        fds[i] = dial(httpd_port(world->httpd));
        send_bytes(fds[i], GET_ONCE("/gate"), strlen(GET_ONCE("/gate")));
        if (i == 1)
            wait_until_handled(world, 2);
    }
    for (int i = 0; i < WAIT_MS && httpd_queue_length(world->httpd) < 4; i++)
        pause_ms(1);
    char *refused = ask(world, GET_ONCE("/one-more"));
    assert_int_equal(status_of(refused), 503);
    assert_non_null(strstr(refused, "\"code\":\"busy\""));
    assert_non_null(strstr(refused, "Retry-After: 1\r\n"));
    assert_non_null(strstr(refused, "X-Finished: yes\r\n"));
    struct buf metrics = buf_new(world->arena, 10000);
    metrics_write(world->metrics, &metrics);
    assert_non_null(strstr(metrics.data, "\nsluice_http_queue_length 4\n"));
    assert_non_null(strstr(metrics.data, "\nsluice_http_refused_total 1\n"));
    atomic_store(&world->gate, 0);
    for (size_t i = 0; i < COUNT(fds); i++) {
        bool closed;
        assert_int_equal(status_of(receive(world->arena, fds[i], 500, &closed)), 200);
        close(fds[i]);
    }
    world_close(world);
}

static void a_deadline_that_passed_is_answered_for_the_handler(void **state)
{
    (void)state;
    struct world *world = world_open(&(struct httpd_settings){.deadline_ms = 200});
    atomic_store(&world->gate, 1);
    int fds[4]; /* two overrun in the handler, two in the queue */
    for (size_t i = 0; i < COUNT(fds); i++) {
        fds[i] = dial(httpd_port(world->httpd));
        send_bytes(fds[i], GET_ONCE("/gate"), strlen(GET_ONCE("/gate")));
    }
    for (size_t i = 0; i < COUNT(fds); i++) {
        bool closed;
        char *answer = receive(world->arena, fds[i], 1500, &closed);
        assert_int_equal(status_of(answer), 504);
        assert_non_null(strstr(answer, "\"code\":\"deadline\""));
        close(fds[i]);
    }
    assert_int_equal(atomic_load(&world->handled), 2);
    atomic_store(&world->gate, 0); /* the late answers are dropped, the threads live on */
    assert_int_equal(status_of(ask(world, GET_ONCE("/a"))), 200);
    world_close(world);
}

static void a_client_that_leaves_harms_nobody(void **state)
{
    (void)state;
    struct world *world = world_open(NULL);
    atomic_store(&world->gate, 1);
    for (int i = 0; i < 5; i++) {
        int fd = dial(httpd_port(world->httpd));
        send_bytes(fd, GET_ONCE("/gate"), strlen(GET_ONCE("/gate")));
        pause_ms(20);
        struct linger now = {1, 0};
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now); /* a reset, not a farewell */
        close(fd);
    }
    atomic_store(&world->gate, 0);
    pause_ms(100);
    assert_int_equal(status_of(ask(world, GET_ONCE("/a"))), 200);
    world_close(world);
}

static void an_idle_connection_is_closed(void **state)
{
    (void)state;
    struct world *world = world_open(&(struct httpd_settings){.connection_timeout_s = 1});
    int fd = dial(httpd_port(world->httpd));
    bool closed;
    receive(world->arena, fd, 4000, &closed);
    assert_true(closed);
    close(fd);
    world_close(world);
}

static void a_body_that_trickles_ends_with_the_deadline(void **state)
{
    (void)state;
    struct world *world = world_open(&(struct httpd_settings){.deadline_ms = 400});
    static const char head[] = "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 64\r\n\r\n";
    int fd = dial(httpd_port(world->httpd));
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    bool closed = false;
    send_bytes(fd, head, sizeof head - 1);
    for (int i = 0; i < 30 && !closed; i++) { /* never idle for long */
        send_bytes(fd, "x", 1);
        closed = poll(&wait, 1, 100) > 0;
    }
    assert_true(closed);
    assert_int_equal(atomic_load(&world->handled), 0);
    close(fd);
    world_close(world);
}

/* ---- stopping ---- */

static void a_stop_lets_finish_what_is_under_way(void **state)
{
    (void)state;
    struct world *world = world_open(NULL);
    int port = httpd_port(world->httpd);
    int fd = dial(port);
    send_bytes(fd, GET("/slow"), strlen(GET("/slow")));
    wait_until_handled(world, 1);
    httpd_close(world->httpd);
    bool closed;
    char *answer = receive(world->arena, fd, 300, &closed);
    assert_int_equal(status_of(answer), 200);
    assert_true(closed);
    close(fd);
    assert_int_equal(atomic_load(&world->threads_open), 0);
    world_free(world);
}

static void *open_gate_later(void *argument)
{
    struct world *world = argument;
    pause_ms(800);
    atomic_store(&world->gate, 0);
    return NULL;
}

static void a_stop_does_not_wait_for_ever(void **state)
{
    (void)state;
    struct world *world = world_open(&(struct httpd_settings){.stop_ms = 200});
    atomic_store(&world->gate, 1);
    int fds[5]; /* two run, three wait */
    for (size_t i = 0; i < COUNT(fds); i++) {
        fds[i] = dial(httpd_port(world->httpd));
        send_bytes(fds[i], GET_ONCE("/gate"), strlen(GET_ONCE("/gate")));
    }
    wait_until_handled(world, 2);
    pthread_t opener;
    pthread_create(&opener, NULL, open_gate_later, world);
    int64_t start_us = monotonic_us();
    httpd_close(world->httpd);
    assert_true(monotonic_us() - start_us < 2000000);
    pthread_join(opener, NULL);
    for (size_t i = 0; i < COUNT(fds); i++) {
        bool closed;
        char *answer = receive(world->arena, fds[i], 300, &closed);
        assert_true(closed);
        assert_true(status_of(answer) == 503 || answer[0] == '\0');
        close(fds[i]);
    }
    world_free(world);
}

static void a_port_in_use_is_told(void **state)
{
    (void)state;
    struct world *world = world_open(NULL), *second = world_new();
    struct httpd_settings settings = settings_of(second);
    settings.port = httpd_port(world->httpd);
    assert_int_equal(httpd_open(second->arena, &settings, &second->httpd), ERR_CONFIG);
    assert_string_equal(arena_failure(second->arena)->field, "listen.port");
    settings.address = "localhost";
    assert_int_equal(httpd_open(second->arena, &settings, &second->httpd), ERR_CONFIG);
    assert_int_equal(atomic_load(&second->threads_open), 0);
    world_free(second);
    world_close(world);
}

/* ---- under load ---- */

enum { LOAD_CLIENTS = 8, LOAD_REQUESTS = 400 };

struct load {
    int port;
    int good;
    int64_t worst_us;
};

static bool one_round(int fd)
{
    char answer[1024];
    size_t n = 0;
    send_bytes(fd, GET("/load"), strlen(GET("/load")));
    while (n < sizeof answer - 1) {
        ssize_t got = recv(fd, answer + n, sizeof answer - 1 - n, 0);
        if (got <= 0)
            return false;
        n += (size_t)got;
        answer[n] = '\0';
        if (strstr(answer, "GET /load [] 0"))
            return status_of(answer) == 200;
    }
    return false;
}

static void *load_client(void *argument)
{
    struct load *load = argument;
    int fd = dial(load->port);
    for (int i = 0; i < LOAD_REQUESTS; i++) {
        int64_t start_us = monotonic_us();
        load->good += one_round(fd);
        int64_t took_us = monotonic_us() - start_us;
        load->worst_us = took_us > load->worst_us ? took_us : load->worst_us;
    }
    close(fd);
    return NULL;
}

/* A connection that is skipped while another is suspended shows as a stall of a second or more. */
static void no_request_stalls_under_load(void **state)
{
    (void)state;
    struct world *world = world_new();
    struct httpd_settings settings = settings_of(world);
    settings.queue_max = 64;
    assert_int_equal(httpd_open(world->arena, &settings, &world->httpd), OK);
    struct load loads[LOAD_CLIENTS] = {{0}};
    pthread_t threads[LOAD_CLIENTS];
    for (size_t i = 0; i < LOAD_CLIENTS; i++) {
        loads[i].port = httpd_port(world->httpd);
        pthread_create(&threads[i], NULL, load_client, &loads[i]);
    }
    for (size_t i = 0; i < LOAD_CLIENTS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(loads[i].good, LOAD_REQUESTS);
        assert_true(loads[i].worst_us < 1000000);
    }
    world_close(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slow_clients_hold_up_nobody),
        cmocka_unit_test(a_full_queue_answers_at_once),
        cmocka_unit_test(a_deadline_that_passed_is_answered_for_the_handler),
        cmocka_unit_test(a_body_that_trickles_ends_with_the_deadline),
        cmocka_unit_test(a_client_that_leaves_harms_nobody),
        cmocka_unit_test(an_idle_connection_is_closed),
        cmocka_unit_test(a_stop_lets_finish_what_is_under_way),
        cmocka_unit_test(a_stop_does_not_wait_for_ever),
        cmocka_unit_test(a_port_in_use_is_told),
        cmocka_unit_test(no_request_stalls_under_load),
    };
    return RUN(tests);
}
