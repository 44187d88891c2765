/* The parent's side: starts the child, hands it the document, and waits no longer than allowed. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/base.h"

#include "base/buf.h"
#include "connectors/document/reading/child.h"
#include "connectors/document/reading/reading.h"

enum {
    LIMIT_COUNT = sizeof(struct reading_limits) / sizeof(int64_t),
    RECEIVE_BYTES = 16 * 1024,
    REAP_WAIT_NS = 200 * 1000,
};

/* One socket is the child's standard input and output: unlike a pipe's, its writer can say that it
 * wants no SIGPIPE. */
struct exchange {
    pid_t process;
    int socket;
    struct bytes left; /* of the document */
    struct buf answer;
    int64_t deadline_us;
    bool late;
};

/* ---- start ---- */

static void argument_list(struct arena *arena, const struct reading_limits *limits,
                          char *arguments[LIMIT_COUNT + 3])
{
#define LIMIT_READ(name, value) limits->name,
    const int64_t values[] = {READING_LIMIT_TABLE(LIMIT_READ)};
    arguments[0] = arena_text(arena, "sluice");
    arguments[1] = arena_text(arena, READING_CHILD_VERB);
    for (size_t i = 0; i < LIMIT_COUNT; i++)
        arguments[2 + i] = arena_format(arena, "%" PRId64, values[i]);
    arguments[2 + LIMIT_COUNT] = NULL;
}

/* No environment, which may hold secrets; no descriptor but three; signals as a program expects. */
static bool spawn(const char *program, int socket, char **arguments, pid_t *into)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, defaults;
    char *environment[] = {NULL};
    sigemptyset(&none);
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    if (posix_spawn_file_actions_init(&actions) != 0)
        return false;
    if (posix_spawnattr_init(&attributes) != 0) {
        posix_spawn_file_actions_destroy(&actions);
        return false;
    }
    bool ready =
        posix_spawn_file_actions_adddup2(&actions, socket, STDIN_FILENO) == 0 &&
        posix_spawn_file_actions_adddup2(&actions, socket, STDOUT_FILENO) == 0 &&
        posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0) == 0 &&
        posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1) == 0 &&
        posix_spawnattr_setsigmask(&attributes, &none) == 0 &&
        posix_spawnattr_setsigdefault(&attributes, &defaults) == 0 &&
        posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF) == 0;
    ready = ready && posix_spawn(into, program, &actions, &attributes, arguments, environment) == 0;
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return ready;
}

static enum err start(struct arena *arena, const struct document_reader *reader,
                      struct exchange *into)
{
    int pair[2];
    char *arguments[LIMIT_COUNT + 3];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
        return arena_fail(arena, ERR_BUSY, NULL, "No socket for the process that reads documents.");
    argument_list(arena, &reader->limits, arguments);
    bool started = spawn(reader->program ? reader->program : "/proc/self/exe", pair[1], arguments,
                         &into->process);
    close(pair[1]);
    into->socket = pair[0];
    if (started)
        return OK;
    close(pair[0]);
    return arena_fail(arena, ERR_BUSY, NULL, "The process that reads documents did not start.");
}

/* ---- hand over and listen ---- */

static void send_some(struct exchange *exchange)
{
    ssize_t sent =
        send(exchange->socket, exchange->left.at, exchange->left.n, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (sent < 0) /* it listens no longer; what it says is what counts */
        exchange->left.n = 0;
    else
        exchange->left = (struct bytes){exchange->left.at + sent, exchange->left.n - (size_t)sent};
    if (exchange->left.n == 0)
        shutdown(exchange->socket, SHUT_WR);
}

/* False when nothing more will come. */
static bool receive_some(struct exchange *exchange)
{
    char data[RECEIVE_BYTES];
    ssize_t got = recv(exchange->socket, data, sizeof data, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return true;
    return got > 0 && buf_add(&exchange->answer, data, (size_t)got);
}

static int wait_ms(const struct exchange *exchange)
{
    int64_t left_us = exchange->deadline_us - monotonic_us();
    return left_us <= 0 ? 0 : left_us / 1000 >= INT_MAX ? INT_MAX : (int)(left_us / 1000) + 1;
}

static void talk(struct exchange *exchange)
{
    if (exchange->left.n == 0)
        shutdown(exchange->socket, SHUT_WR);
    for (;;) {
        short wanted = exchange->left.n > 0 ? POLLIN | POLLOUT : POLLIN;
        struct pollfd at = {.fd = exchange->socket, .events = wanted};
        exchange->late = monotonic_us() >= exchange->deadline_us;
        if (exchange->late)
            return;
        if (poll(&at, 1, wait_ms(exchange)) <= 0)
            continue;
        if (exchange->left.n > 0 && at.revents & POLLOUT)
            send_some(exchange);
        if (at.revents & (POLLIN | POLLHUP | POLLERR) && !receive_some(exchange))
            return;
    }
}

/* ---- the end ---- */

/* The socket closes a moment before the process can be waited for. */
static int reap(struct exchange *exchange)
{
    const struct timespec moment = {.tv_nsec = REAP_WAIT_NS};
    int status = 0;
    pid_t ended = 0;
    while (!exchange->late && !exchange->answer.overflowed &&
           (ended = waitpid(exchange->process, &status, WNOHANG)) == 0) {
        nanosleep(&moment, NULL);
        exchange->late = monotonic_us() >= exchange->deadline_us;
    }
    if (ended != 0)
        return status;
    kill(exchange->process, SIGKILL);
    while (waitpid(exchange->process, &status, 0) < 0 && errno == EINTR)
        continue;
    return status;
}

static enum err conclude(struct arena *arena, const struct exchange *exchange, int status,
                         struct reading *into)
{
    json_t *answer = NULL;
    if (WIFEXITED(status) && WEXITSTATUS(status) == CHILD_STATUS_UNCONFINED)
        return arena_fail(arena, ERR_INTERNAL, NULL,
                          "The process that reads documents could not confine itself.");
    bool answered = WIFEXITED(status) && WEXITSTATUS(status) == 0 &&
                    json_parse(arena, buf_bytes(&exchange->answer), &answer) == OK &&
                    reading_parse(arena, answer, into);
    if (answered)
        return OK;
    bool slow = exchange->late || (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU);
    arena_failure_clear(arena);
    *into = (struct reading){.reason = slow ? READING_TOO_SLOW : READING_CRASHED,
                             .media_type = "application/octet-stream"};
    return OK;
}

enum err document_read(struct arena *arena, struct bytes document,
                       const struct document_reader *reader, struct reading *into)
{
    struct exchange exchange = {
        .left = document,
        .answer = buf_new(arena, CHILD_ANSWER_BYTES_MAX),
        .deadline_us = monotonic_us() + reader->limits.wall_ms * 1000,
    };
    if ((int64_t)document.n > reader->limits.bytes) {
        *into =
            (struct reading){.reason = READING_TOO_LARGE, .media_type = "application/octet-stream"};
        return OK;
    }
    TRY(start(arena, reader, &exchange));
    talk(&exchange);
    int status = reap(&exchange);
    close(exchange.socket);
    return conclude(arena, &exchange, status, into);
}
