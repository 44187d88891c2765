/* Job "approved": the grace period of a person's approval is over. Renders the document (a reversal
 * names the first one), commits the outbox row, and leaves the sending to its own job. */
#include "jobs/outcome.h"
#include "jobs/session.h"
#include "store/delivery.h"

struct approved_run {
    struct approved_item approved;
    struct planned_delivery planned;
    struct stored_document document;
    const struct job_context *ctx;
    int64_t wait_s;
    struct item_refusal refusal;
};

static enum err load(const struct scope *scope, void *arg)
{
    struct approved_run *run = arg;
    return delivery_approved_get(scope, run->ctx->job->subject, &run->approved);
}

static enum err wait(const struct scope *scope, void *arg)
{
    struct approved_run *run = arg;
    return delivery_approved_wait(scope, run->ctx->job->subject, &run->wait_s);
}

/* Undone within the grace period, or approved anew: then another job comes, too. */
static enum err not_yet(struct approved_run *run, struct job_context *ctx)
{
    arena_failure_clear(ctx->arena);
    TRY(job_database(ctx, wait, run));
    return run->wait_s > 0 ? job_again(ctx, NULL, NULL, run->wait_s) : job_finish(ctx, NULL, NULL);
}

static enum err plan(const struct scope *scope, void *arg)
{
    struct approved_run *run = arg;
    return delivery_plan(scope, &run->approved, &run->planned, &run->document,
                         run->ctx->env->retry_s_max);
}

static enum err prepare(const struct scope *scope, struct approved_run *run)
{
    const struct approved_item *approved = &run->approved;
    struct document_reversal reversal = {
        .file_name = approved->reverses_file_name,
        .external_id = approved->reverses_external_id,
        .date = approved->reverses_date,
        .reason = approved->item.posting,
    };
    struct document_order order = {
        .item = &approved->item,
        .language = approved->language,
        .company = approved->workspace_name,
        .reverses = approved->reverses_file_name ? &reversal : NULL,
    };
    TRY(document_of(scope, &order, &run->document));
    struct delivery_identity identity = {
        .integration = approved->integration,
        .target_account = approved->target_account,
        .record = approved->item.record,
        .version = approved->item.version,
        .operation = approved->operation,
        .generation = approved->generation,
    };
    run->planned = (struct planned_delivery){
        .id = uuid_v7(run->ctx->env->rand, clock_now(run->ctx->env->clock)),
        .idempotency_key = delivery_key(scope, &identity),
        .operation = approved->operation,
        .generation = approved->generation,
    };
    return OK;
}

static enum err refuse(const struct scope *scope, void *arg)
{
    const struct approved_run *run = arg;
    return item_refused(scope, run->ctx->job->subject, run->approved.integration, &run->refusal);
}

enum err job_approved(struct job_context *ctx)
{
    struct approved_run *run = arena_alloc(ctx->arena, sizeof *run);
    run->ctx = ctx;
    enum err error = job_database(ctx, load, run);
    if (error == ERR_NOT_FOUND)
        return not_yet(run, ctx);
    if (error == OK)
        error = prepare(&ctx->scope, run);
    if (document_refused(&ctx->scope, error, &run->refusal))
        return job_finish(ctx, refuse, run);
    TRY(error);
    return job_finish(ctx, plan, run);
}
