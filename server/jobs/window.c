/* Job "window": closes a window at its deadline, scores its items as one batch and commits
 * decisions, links and first deliveries together. Reads and rendering happen outside of the
 * transaction; if an item or an entry moved meanwhile, the window is scored again. */
#include "jobs/outcome.h"
#include "jobs/session.h"

struct window_run {
    struct job_context *ctx;
    struct scoring_window window;
    struct score_result scores;
    struct scoring_outcome outcome;
};

static enum err open_and_score(const struct scope *scope, void *arg)
{
    struct window_run *run = arg;
    TRY(scoring_open(scope, run->ctx->job->subject, &run->window));
    return score_window(run->ctx->env, scope, &run->window, &run->scores);
}

/* Asked before the documents are rendered, and once more, under a lock, when all is saved. */
static enum err parties_new(const struct scope *scope, void *arg)
{
    const struct window_run *run = arg;
    return scoring_parties_new(scope, run->scores.parties, run->scores.party_count);
}

static enum err save(const struct scope *scope, void *arg)
{
    struct window_run *run = arg;
    return scoring_save(scope, &run->outcome);
}

struct window_times {
    int64_t started_us, scored_us, rendered_us;
    size_t scored_bytes;
};

static void log_window(const struct window_run *run, const struct window_times *times)
{
    const struct job_context *ctx = run->ctx;
    log_event(ctx->env->log, LOG_INFO, "window.decided", LOG_U("workspace", ctx->job->workspace),
              LOG_U("window", run->window.window), LOG_N("items", run->window.count),
              LOG_N("score_ms", (times->scored_us - times->started_us) / 1000),
              LOG_N("render_ms", (times->rendered_us - times->scored_us) / 1000),
              LOG_N("save_ms", (monotonic_us() - times->rendered_us) / 1000),
              LOG_N("score_bytes", times->scored_bytes), LOG_N("bytes", arena_used(ctx->arena)));
}

static enum err render_and_save(struct window_run *run, struct window_times *times)
{
    struct job_context *ctx = run->ctx;
    TRY(job_database(ctx, parties_new, run));
    TRY(outcome_of(ctx->env, &ctx->scope, &run->window, &run->scores, &run->outcome));
    times->rendered_us = monotonic_us();
    return job_finish(ctx, save, run);
}

/* Somebody else went ahead with something that this window saw otherwise: it begins again, and that
 * counts as no failure, since each time another one has come to its end. */
static enum err begin_again(struct job_context *ctx)
{
    const char *why = arena_text(ctx->arena, arena_failure(ctx->arena)->detail);
    arena_failure_clear(ctx->arena);
    return arena_fail_retry(ctx->arena, ERR_BUSY, 0, "%s", why);
}

enum err job_window(struct job_context *ctx)
{
    struct window_run *run = arena_alloc(ctx->arena, sizeof *run);
    struct window_times times = {.started_us = monotonic_us()};
    run->ctx = ctx;
    enum err error = job_database(ctx, open_and_score, run);
    if (error == ERR_NOT_FOUND) /* decided already */
        return job_finish(ctx, NULL, NULL);
    TRY(error);
    times.scored_us = monotonic_us();
    times.scored_bytes = arena_used(ctx->arena);
    error = render_and_save(run, &times);
    if (error == ERR_CONFLICT)
        return begin_again(ctx);
    TRY(error);
    log_window(run, &times);
    return OK;
}
