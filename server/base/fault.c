#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <pthread.h>
#include <unistd.h>

#include "base/fault.h"

#ifdef SLUICE_FAULTS

#define FAULT_NAME(code, name) name,
static const char *const fault_names[] = {FAULT_TABLE(FAULT_NAME)};
#undef FAULT_NAME

struct fault_rule {
    int64_t at; /* 0: no rule */
    bool onwards;
    bool kill;
};

static struct fault_rule rules[FAULT_COUNT];
static _Atomic int64_t reached[FAULT_COUNT];
static pthread_once_t loaded = PTHREAD_ONCE_INIT;

/* Set before the program starts and never changed by it, so reading it is safe in any thread. */
static const char *environment(const char *name)
{
    return getenv(name); /* NOLINT(concurrency-mt-unsafe) */
}

static void report(void)
{
    const char *path = environment("SLUICE_FAULT_REPORT");
    int fd = path ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;
    if (fd < 0)
        return;
    for (size_t i = 0; i < FAULT_COUNT; i++) {
        char line[96];
        int n = snprintf(line, sizeof(line), "%s %" PRId64 "\n", fault_names[i],
                         (int64_t)atomic_load(&reached[i]));
        if (n > 0 && write(fd, line, (size_t)n) < 0)
            break;
    }
    close(fd);
}

/* One "name:n[+][:kill]" of length n. */
static bool rule_read(const char *text, size_t n)
{
    for (size_t i = 0; i < FAULT_COUNT; i++) {
        size_t name_n = strlen(fault_names[i]);
        if (n <= name_n || strncmp(text, fault_names[i], name_n) != 0 || text[name_n] != ':')
            continue;
        char *end;
        struct fault_rule rule = {.at = strtoll(text + name_n + 1, &end, 10)};
        if (rule.at < 1)
            return false;
        rule.onwards = *end == '+';
        end += rule.onwards;
        rule.kill = strncmp(end, ":kill", 5) == 0;
        end += rule.kill ? 5 : 0;
        if (end != text + n)
            return false;
        rules[i] = rule;
        return true;
    }
    return false;
}

static bool plan_read(const char *plan)
{
    while (plan && *plan) {
        size_t n = strcspn(plan, ",");
        if (!rule_read(plan, n))
            return false;
        plan += n + (plan[n] == ',');
    }
    return true;
}

static void load(void)
{
    if (!plan_read(environment("SLUICE_FAULT"))) {
        fputs("{\"level\":\"fatal\",\"event\":\"fault.plan_invalid\"}\n", stderr);
        abort();
    }
    if (environment("SLUICE_FAULT_REPORT"))
        atexit(report);
}

bool fault_point(enum fault fault)
{
    pthread_once(&loaded, load);
    int64_t count = atomic_fetch_add(&reached[fault], 1) + 1;
    const struct fault_rule *rule = &rules[fault];
    if (rule->at == 0 || count < rule->at || (count > rule->at && !rule->onwards))
        return false;
    if (rule->kill) {
        report();
        raise(SIGKILL);
    }
    return true;
}

bool fault_plan(const char *plan)
{
    pthread_once(&loaded, load);
    memset(rules, 0, sizeof(rules));
    for (size_t i = 0; i < FAULT_COUNT; i++)
        atomic_store(&reached[i], 0);
    return plan_read(plan);
}

int64_t fault_reached(enum fault fault)
{
    return atomic_load(&reached[fault]);
}

#endif
