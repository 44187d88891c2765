#include <errno.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/base.h"

#include "connectors/document/reading/confine.h"

enum { DESCRIPTORS_MAX = 3 };

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#endif

static bool limit_set(__rlimit_resource_t resource, int64_t value)
{
    const struct rlimit limit = {(rlim_t)value, (rlim_t)value};
    return setrlimit(resource, &limit) == 0;
}

static bool limit_resources(const struct reading_limits *limits)
{
    /* The soft limit ends in SIGXCPU, which says what happened; the hard one in SIGKILL. */
    const struct rlimit cpu = {(rlim_t)limits->cpu_s, (rlim_t)limits->cpu_s + 1};
#ifndef SANITIZED
    if (!limit_set(RLIMIT_AS, limits->memory_bytes))
        return false;
#endif
    return setrlimit(RLIMIT_CPU, &cpu) == 0 && limit_set(RLIMIT_FSIZE, 0) &&
           limit_set(RLIMIT_CORE, 0) && limit_set(RLIMIT_NPROC, 0) &&
           limit_set(RLIMIT_NOFILE, DESCRIPTORS_MAX);
}

/* Memory, what is open already, signals to itself, the clock, and the end. Memory that code could
 * be run from is not to be had. */
static bool allow_needed(scmp_filter_ctx filter)
{
    static const int needed[] = {
        SCMP_SYS(read),          SCMP_SYS(write),        SCMP_SYS(close),
        SCMP_SYS(brk),           SCMP_SYS(munmap),       SCMP_SYS(mremap),
        SCMP_SYS(madvise),       SCMP_SYS(futex),        SCMP_SYS(sched_yield),
        SCMP_SYS(clock_gettime), SCMP_SYS(gettimeofday), SCMP_SYS(getrandom),
        SCMP_SYS(getpid),        SCMP_SYS(gettid),       SCMP_SYS(rt_sigaction),
        SCMP_SYS(rt_sigreturn),  SCMP_SYS(sigaltstack),  SCMP_SYS(rt_sigprocmask),
        SCMP_SYS(exit),          SCMP_SYS(exit_group),
    };
    for (size_t i = 0; i < COUNT(needed); i++) {
        if (seccomp_rule_add(filter, SCMP_ACT_ALLOW, needed[i], 0) != 0)
            return false;
    }
    const struct scmp_arg_cmp not_code = {
        .arg = 2, .op = SCMP_CMP_MASKED_EQ, .datum_a = PROT_EXEC, .datum_b = 0};
    const struct scmp_arg_cmp itself = {
        .arg = 0, .op = SCMP_CMP_EQ, .datum_a = (scmp_datum_t)getpid()};
    return seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1, &not_code) == 0 &&
           seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1, &not_code) == 0 &&
           seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1, &itself) == 0;
}

static bool limit_calls(void)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    if (!filter)
        return false;
    bool loaded = allow_needed(filter) && seccomp_load(filter) == 0;
    seccomp_release(filter);
    return loaded;
}

bool confine(const struct reading_limits *limits)
{
    return prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0 &&
           prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 && limit_resources(limits) && limit_calls();
}
