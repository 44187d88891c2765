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

static enum err save(const struct scope *scope, void *arg)
{
    struct window_run *run = arg;
    return scoring_save(scope, &run->outcome);
}

enum err job_window(struct job_context *ctx)
{
    struct window_run *run = arena_alloc(ctx->arena, sizeof *run);
    run->ctx = ctx;
    enum err error = job_database(ctx, open_and_score, run);
    if (error == ERR_NOT_FOUND) /* decided already */
        return job_finish(ctx, NULL, NULL);
    TRY(error);
    TRY(outcome_of(ctx->env, &ctx->scope, &run->window, &run->scores, &run->outcome));
    return job_finish(ctx, save, run);
}
