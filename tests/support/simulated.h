/* The simulated providers as a child process of a test, and their control API. They need the
 * packages of simulators/ (npm ci); without them simulated_open answers false, and the test skips.
 * Include once in a program. */
#ifndef SLUICE_TEST_SIMULATED_H
#define SLUICE_TEST_SIMULATED_H

#include <arpa/inet.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "json/json.h"
#include "unit.h"

enum { SIMULATED_START_S = 60, SIMULATED_ANSWER_BYTES_MAX = 256 * 1024 };

struct simulated {
    struct arena *arena;
    char directory[64];
    pid_t process;
    const json_t *addresses; /* of simulators.json */
};

static inline void simulated_run(const char *node, const char *directory)
{
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (chdir(SOURCE_ROOT "/simulators") == 0 && freopen("/dev/null", "w", stdout))
        execl(node, "node", "main.mjs", "--dir", directory, (char *)NULL);
    _exit(127);
}

static inline const json_t *simulated_addresses(struct simulated *simulated)
{
    const char *path = arena_format(simulated->arena, "%s/simulators.json", simulated->directory);
    for (int tenth = 0; tenth < SIMULATED_START_S * 10; tenth++) {
        FILE *file = fopen(path, "rb");
        if (file) {
            char *text = arena_alloc(simulated->arena, SIMULATED_ANSWER_BYTES_MAX);
            text[fread(text, 1, SIMULATED_ANSWER_BYTES_MAX - 1, file)] = '\0';
            fclose(file);
            json_t *value = NULL;
            assert_int_equal(json_parse(simulated->arena, unit_bytes(text), &value), OK);
            return value;
        }
        assert_int_equal(waitpid(simulated->process, NULL, WNOHANG), 0);
        usleep(100 * 1000);
    }
    fail_msg("the simulators did not start within %d s", SIMULATED_START_S);
    return NULL;
}

static inline bool simulated_open(struct arena *arena, struct simulated *into)
{
    static const char node[] = SOURCE_ROOT "/simulators/node_modules/.bin/node";
    *into = (struct simulated){.arena = arena, .directory = "/tmp/simulated-XXXXXX"};
    struct stat status;
    if (stat(node, &status) != 0 || !mkdtemp(into->directory))
        return false;
    into->process = fork();
    if (into->process == 0)
        simulated_run(node, into->directory);
    into->addresses = simulated_addresses(into);
    return true;
}

static inline void simulated_close(struct simulated *simulated)
{
    if (simulated->process <= 0)
        return;
    kill(simulated->process, SIGTERM);
    waitpid(simulated->process, NULL, 0);
    const char *command = arena_format(simulated->arena, "rm -rf '%s'", simulated->directory);
    assert_int_equal(system(command), 0);
}

static inline int simulated_connect(const struct simulated *simulated)
{
    const char *url = json_text(simulated->addresses, "control_url");
    const char *port = url ? strrchr(url, ':') : NULL;
    assert_non_null(port);
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)strtol(port + 1, NULL, 10)),
                             .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

/* One call of the control API; a body makes it a POST, "DELETE" a DELETE. Answers the object. */
static inline const json_t *simulated_control(const struct simulated *simulated, const char *path,
                                              const char *body)
{
    struct arena *arena = simulated->arena;
    bool deletes = body && strcmp(body, "DELETE") == 0;
    const char *method = deletes ? "DELETE" : body ? "POST" : "GET";
    const char *sent = body && !deletes ? body : "";
    const char *request =
        arena_format(arena,
                     "%s /control%s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                     "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
                     method, path, strlen(sent), sent);
    int fd = simulated_connect(simulated);
    assert_int_equal(write(fd, request, strlen(request)), (ssize_t)strlen(request));
    char *answer = arena_alloc(arena, SIMULATED_ANSWER_BYTES_MAX);
    size_t n = 0;
    ssize_t got;
    while ((got = read(fd, answer + n, SIMULATED_ANSWER_BYTES_MAX - 1 - n)) > 0)
        n += (size_t)got;
    answer[n] = '\0';
    close(fd);
    const char *head = strstr(answer, "\r\n\r\n");
    if (!head || strncmp(answer, "HTTP/1.1 20", 11) != 0)
        fail_msg("%s %s: %.300s", method, path, answer);
    json_t *value = NULL;
    if (json_parse(arena, unit_bytes(head + 4), &value) != OK)
        arena_failure_clear(arena);
    return value;
}

#endif
