/* The command line: one row per verb. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/text.h"
#include "connectors/document/reading/reading.h"
#include "json/json.h"
#include "verbs.h"

extern char **environ;

struct verb {
    const char *name; /* one or two words */
    const char *usage;
    const char *what;
    enum err (*run)(struct invocation *invocation);
};

static const struct verb verbs[] = {
    {"serve", "[--ready-file F]", "answer HTTP", verb_serve},
    {"work", "", "run the jobs of this region", verb_work},
    {"up", "[--ready-file F]", "both in one process", verb_up},
    {"migrate", "", "bring the databases up to date", verb_migrate},
    {"routes", "", "print the table of routes", verb_routes},
    {"operator create", "--email E --name N --password-file F [--if-absent]",
     "make a person who runs this installation", verb_operator_create},
    {"operator password", "--email E --password-file F",
     "give a person a new password and end their sessions", verb_operator_password},
    {"keys rotate", "[--old-key-file F]",
     "wrap every data key with the configured region key, or seal everything anew",
     verb_keys_rotate},
    {"audit verify", "[--workspace W]", "check the chains of the audit log", verb_audit_verify},
    {"replay", "--workspace W --decision D", "take a stored decision again, byte for byte",
     verb_replay},
    {"match", "--profile P --records R.csv --ledger L.csv",
     "which entry is it? two CSV files in, decisions out (match --help)", verb_match},
    {"read-document", "FILE", "what an invoice says of itself, as JSON (read-document --help)",
     verb_read_document},
    {READING_CHILD_VERB, "", "internal: the confined process that read-document starts",
     verb_read_document_child},
    {"config show", "", "print the configuration, secrets redacted", verb_config_show},
};

static int usage(FILE *to)
{
    fprintf(to, "sluice " SLUICE_VERSION "\nusage: sluice VERB [--config FILE] [options]\n\n");
    for (size_t i = 0; i < COUNT(verbs); i++)
        fprintf(to, "  %-19s %-52s %s\n", verbs[i].name, verbs[i].usage, verbs[i].what);
    fprintf(to, "\nEvery setting can also come from the environment: listen.port is "
                "SLUICE_LISTEN_PORT, with _FILE behind it the name of a file.\n");
    return to == stdout ? 0 : 2;
}

/* The verb of the first one or two words; *used says how many. */
static const struct verb *find_verb(int argc, char **argv, int *used)
{
    for (size_t i = 0; i < COUNT(verbs); i++) {
        size_t first = strcspn(verbs[i].name, " ");
        bool two = verbs[i].name[first] == ' ';
        bool equal = argc > 1 && strlen(argv[1]) == first &&
                     strncmp(argv[1], verbs[i].name, first) == 0 &&
                     (!two || (argc > 2 && text_equal(argv[2], verbs[i].name + first + 1)));
        *used = two ? 3 : 2;
        if (equal)
            return &verbs[i];
    }
    return NULL;
}

/* Keys live in this process: nobody may read its memory, and a crash may not write it down. */
static void guard_memory(void)
{
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
}

/* Before any thread is started: all of them inherit it, and program_wait takes the signals. */
static void block_signals(void)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN);
}

static void report(const struct arena *arena, enum err error)
{
    const struct failure *failure = arena_failure(arena);
    bool told = failure->code != OK && failure->detail;
    fprintf(stderr, "sluice: %s%s%s\n", told && failure->field ? failure->field : "",
            told && failure->field ? ": " : "", told ? failure->detail : err_sentence(error));
}

int main(int argc, char **argv)
{
    int used = 0;
    if (argc > 1 && (text_equal(argv[1], "--help") || text_equal(argv[1], "help")))
        return usage(stdout);
    const struct verb *verb = find_verb(argc, argv, &used);
    if (!verb)
        return usage(stderr);
    guard_memory();
    json_wipe_freed();
    block_signals();
    struct arena *arena = arena_open();
    struct invocation invocation = {
        .arena = arena,
        .arguments = argv + used,
        .argument_count = argc - used,
        .environment = environ,
    };
    enum err error = verb->run(&invocation);
    int status = invocation.status;
    if (error != OK) {
        report(arena, error);
        status = status ? status : 1;
    }
    arena_close(arena);
    return status;
}
