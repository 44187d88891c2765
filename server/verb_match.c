/* sluice match: two CSV files in, a decision per record out. No database, no network, no
 * configuration file. */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

#include "base/text.h"
#include "match_files.h"
#include "matcher/batch/batch.h"
#include "verbs.h"

enum {
    THREADS_MAX = 16,
    CHUNK_RECORDS = 64, /* that a thread takes at a time */
    TICK_NS = 100 * 1000 * 1000,
    BAR_CELLS = 30,
    STATUS_USAGE = 2,
    STATUS_INTERRUPTED = 130
};

static const char help_text[] =
    "usage: sluice match --profile P --records R.csv --ledger L.csv [--out D.jsonl]\n"
    "\n"
    "Says of every record which entry of the ledger it is, or that it is new, how sure that is,\n"
    "and why. Needs no database, no network and no configuration.\n"
    "\n"
    "  --profile P      bank_transaction: payments and the bank's lines; an entry is used once\n"
    "                   invoice: records and documents; an entry is used once\n"
    "                   company: names and addresses of parties; an entry may be used often\n"
    "  --records R.csv  what is looked up\n"
    "  --ledger L.csv   the entries that it may be\n"
    "  --out D.jsonl    where to write; without it, to the standard output\n"
    "  --threads N      1 to 16; without it, as many as there are processors\n"
    "\n"
    "The first line of a file names its columns, in any order; all are optional but id:\n"
    "  id, date, amount, currency, counterparty, description, reference, vat_id, iban, address,\n"
    "  postcode, phone, email\n"
    "Dates are written 2026-11-20, amounts -1234.50, text in UTF-8. The separator is a comma, a\n"
    "semicolon or a tab. Columns of other names are named once and left out.\n"
    "\n"
    "One line of JSON per record, in their order: record, action (link or create), entry, p (the\n"
    "probability that this action with this entry is right), band (flow from 0.85, hold from\n"
    "0.55, stop below), candidates (the best three, two more if their p is 0.001 or above; each\n"
    "with p and what speaks for and against it).\n"
    "\n"
    "Exit status: 0 every record is decided; 1 a file cannot be read, is not as it must be, or\n"
    "cannot be written; 2 the command line is wrong; 130 interrupted. A file is written whole or\n"
    "not at all.\n";

struct match_options {
    const char *profile, *records, *ledger, *out, *threads;
    bool help;
    enum batch_profile as;
    int64_t thread_count;
};

static int64_t processors(void)
{
    long count = sysconf(_SC_NPROCESSORS_ONLN);
    return count < 1 ? 1 : count > THREADS_MAX ? THREADS_MAX : count;
}

static enum err read_options(struct invocation *invocation, struct match_options *into)
{
    struct arena *arena = invocation->arena;
    const char *config = NULL;
    const struct option options[] = {
        {.name = "--profile", .value = &into->profile},
        {.name = "--records", .value = &into->records},
        {.name = "--ledger", .value = &into->ledger},
        {.name = "--out", .value = &into->out},
        {.name = "--threads", .value = &into->threads},
        {.name = "--help", .flag = &into->help},
    };
    invocation->status = STATUS_USAGE;
    TRY(options_read(invocation, options, COUNT(options), &config));
    if (into->help)
        return OK;
    if (config)
        return arena_fail(arena, ERR_CONFIG, "--config", "match reads no configuration.");
    for (size_t i = 0; i < 3; i++) {
        if (!*options[i].value)
            return arena_fail(arena, ERR_CONFIG, NULL,
                              "%s is missing; `sluice match --help` says what it is.",
                              options[i].name);
    }
    if (!batch_profile_parse(into->profile, &into->as))
        return arena_fail(arena, ERR_CONFIG, "--profile",
                          "%s is none of bank_transaction, invoice and company.", into->profile);
    into->thread_count = processors();
    if (into->threads && !int64_parse(into->threads, 1, THREADS_MAX, &into->thread_count))
        return arena_fail(arena, ERR_CONFIG, "--threads", "%s is no number from 1 to %d.",
                          into->threads, THREADS_MAX);
    invocation->status = 0;
    return OK;
}

/* ---- threads ---- */

struct run {
    struct batch *batch;
    size_t records;
    atomic_size_t next; /* the first record that nobody has taken */
    atomic_size_t done;
    atomic_bool stopped; /* interrupted, or one thread failed */
};

struct run_thread {
    struct run *run;
    struct batch_worker *worker;
    pthread_t id;
    bool started;
    enum err error;
};

static void *run_chunks(void *arg)
{
    struct run_thread *thread = arg;
    struct run *run = thread->run;
    assert(run);
    while (!atomic_load(&run->stopped) && thread->error == OK) {
        size_t from = atomic_fetch_add(&run->next, CHUNK_RECORDS);
        if (from >= run->records)
            break;
        size_t to = run->records - from < CHUNK_RECORDS ? run->records : from + CHUNK_RECORDS;
        thread->error = batch_score(thread->worker, from, to);
        if (thread->error != OK)
            atomic_store(&run->stopped, true);
        atomic_fetch_add(&run->done, to - from);
    }
    return NULL;
}

/* ---- progress, and being interrupted ---- */

static bool interrupted(int64_t wait_ns)
{
    sigset_t signals;
    const struct timespec wait = {.tv_nsec = wait_ns};
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    return sigtimedwait(&signals, NULL, &wait) > 0;
}

static void show_progress(const char *what, size_t done, size_t all)
{
    char bar[BAR_CELLS + 1];
    size_t filled = all ? done * BAR_CELLS / all : BAR_CELLS;
    for (size_t i = 0; i < BAR_CELLS; i++)
        bar[i] = i < filled ? '#' : '.';
    bar[BAR_CELLS] = '\0';
    fprintf(stderr, "\r%-9s [%s] %zu of %zu ", what, bar, done, all);
}

/* What takes a moment and cannot be counted; "" clears the line. */
static void show_stage(bool shown, const char *what)
{
    if (shown)
        fprintf(stderr, "\r\033[K%s", what);
}

/* Until all records are scored; false when interrupted. */
static bool wait_for_end(struct run *run, bool shown)
{
    assert(run);
    for (;;) {
        size_t done = atomic_load(&run->done);
        if (shown)
            show_progress("matching", done, run->records);
        if (done >= run->records || atomic_load(&run->stopped))
            return true;
        if (interrupted(TICK_NS)) {
            atomic_store(&run->stopped, true);
            return false;
        }
    }
}

/* ---- the work ---- */

/* Who cannot start a thread has one less; without any, the work is done here. */
static enum err score_all(struct invocation *invocation, struct run_thread *threads, size_t count,
                          bool shown)
{
    struct run *run = threads[0].run;
    for (size_t i = 0; i < count; i++)
        threads[i].started = pthread_create(&threads[i].id, NULL, run_chunks, &threads[i]) == 0;
    if (!threads[0].started)
        run_chunks(&threads[0]);
    bool finished = wait_for_end(run, shown);
    for (size_t i = 0; i < count; i++) {
        if (threads[i].started)
            pthread_join(threads[i].id, NULL);
    }
    show_stage(shown, "");
    for (size_t i = 0; i < count; i++)
        TRY(threads[i].error);
    if (finished)
        return OK;
    invocation->status = STATUS_INTERRUPTED;
    return arena_fail(invocation->arena, ERR_SHUTTING_DOWN, NULL,
                      "Interrupted; nothing was written.");
}

static enum err write_lines(struct invocation *invocation, const struct batch *batch,
                            size_t records, struct match_output *output)
{
    struct arena *lines = arena_open();
    enum err error = OK;
    for (size_t from = 0; from < records && error == OK; from += CHUNK_RECORDS) {
        struct buf text = buf_new(lines, (size_t)CHUNK_RECORDS * BATCH_LINE_BYTES_MAX);
        for (size_t i = from; i < records && i < from + CHUNK_RECORDS; i++)
            batch_line(batch, i, &text);
        if (fwrite(text.data, 1, text.n, output->to) != text.n)
            error = arena_fail(invocation->arena, ERR_IO, NULL, "%s cannot be written.",
                               output->path ? output->path : "The standard output");
        if (error == OK && interrupted(0)) {
            invocation->status = STATUS_INTERRUPTED;
            error = arena_fail(invocation->arena, ERR_SHUTTING_DOWN, NULL, "Interrupted.");
        }
        arena_reset(lines);
    }
    arena_close(lines);
    return error;
}

static void show_summary(const struct batch *batch)
{
    struct batch_summary summary = batch_summarise(batch);
    fprintf(stderr,
            "%" PRId64 " to link, %" PRId64 " to create; %" PRId64 " flow, %" PRId64
            " hold, %" PRId64 " stop\n",
            summary.links, summary.creates, summary.bands[BAND_FLOW], summary.bands[BAND_HOLD],
            summary.bands[BAND_STOP]);
}

static enum err decide_all(struct invocation *invocation, const struct match_options *options,
                           struct batch *batch, size_t records, struct match_output *output)
{
    struct run run = {.batch = batch, .records = records};
    struct run_thread threads[THREADS_MAX] = {0};
    size_t count = (size_t)options->thread_count;
    bool shown = isatty(STDERR_FILENO) != 0;
    for (size_t i = 0; i < count; i++)
        threads[i] = (struct run_thread){.run = &run, .worker = batch_worker_open(batch)};
    enum err error = score_all(invocation, threads, count, shown);
    if (error == OK) {
        show_stage(shown, "deciding all together ");
        batch_settle(batch);
        show_stage(shown, "writing ");
        error = write_lines(invocation, batch, records, output);
    }
    if (error == OK)
        error = match_output_finish(invocation->arena, output);
    show_stage(shown, "");
    if (error == OK && shown)
        show_summary(batch);
    for (size_t i = 0; i < count; i++)
        batch_worker_close(threads[i].worker);
    return error;
}

static void name_unused(const struct table *table)
{
    if (table->unused)
        fprintf(stderr, "sluice: %s: these columns are not used: %s\n", table->name, table->unused);
}

enum err verb_match(struct invocation *invocation)
{
    struct arena *arena = invocation->arena;
    struct match_options options = {0};
    struct table records, ledger;
    struct model_set *models;
    struct batch *batch;
    struct match_output output;
    TRY(read_options(invocation, &options));
    if (options.help) {
        invocation->status = 0;
        fputs(help_text, stdout);
        return OK;
    }
    TRY(match_file_read(arena, options.records, &records));
    TRY(match_file_read(arena, options.ledger, &ledger));
    name_unused(&records);
    name_unused(&ledger);
    if (table_signs_align(&records, &ledger))
        fprintf(
            stderr,
            "sluice: the amounts of one file are all positive, those of the other all negative: "
            "the signs of %s are turned round\n",
            ledger.name);
    TRY(model_set_new(arena, &models));
    show_stage(isatty(STDERR_FILENO), "indexing the ledger ");
    TRY(batch_new(arena, models, options.as, &records, &ledger, &batch));
    show_stage(isatty(STDERR_FILENO), "");
    enum err error = match_output_open(arena, options.out, &output);
    if (error == OK)
        error = decide_all(invocation, &options, batch, records.count, &output);
    match_output_drop(&output);
    return error;
}
