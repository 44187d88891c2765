/* Job "deliver": one attempt, or one look, for one delivery. The attempt is committed before it is
 * made; its outcome is committed with the end of the job. A delivery that is found in `sending` was
 * left there by a worker that died: it is uncertain, and looked up before anything is sent again.
 */
#include "base/fault.h"
#include "base/text.h"
#include "jobs/session.h"
#include "store/delivery.h"
#include "store/delivery_block.h"

enum { PAUSE_S_MIN = 2, PAUSE_S_MAX = 600, PAUSES_PER_AGE = 8, ATTEMPT_AHEAD_S = 60 };

struct deliver {
    struct job_context *ctx;
    struct session session;
    struct delivery delivery;
    struct delivery_order order;
    struct delivery_result result;
    struct delivery_outcome outcome;
    int attempt_s;
    int64_t wait_s;
};

/* Before the bytes leave, a request may wait for its budget and for fresh tokens. */
static int attempt_s(const struct job_context *ctx, const struct target *target)
{
    return ctx->env->attempt_s > 0 ? ctx->env->attempt_s
                                   : target->capabilities.attempt_s_max + ATTEMPT_AHEAD_S;
}

/* ---- reads and writes, each on a connection of its own ---- */

static enum err load(const struct scope *scope, void *arg)
{
    struct deliver *deliver = arg;
    TRY(delivery_get(scope, deliver->ctx->job->subject, &deliver->delivery));
    deliver->order = (struct delivery_order){
        .idempotency_key = deliver->delivery.idempotency_key,
        .operation = deliver->delivery.operation,
        .content_type = deliver->delivery.content_type,
        .file_name = deliver->delivery.file_name,
        .external_id = deliver->delivery.external_id,
    };
    return delivery_content(scope, &deliver->delivery, &deliver->order.document);
}

static enum err start(const struct scope *scope, void *arg)
{
    struct deliver *deliver = arg;
    return delivery_attempt_start(scope, &deliver->delivery, deliver->attempt_s,
                                  &deliver->outcome.attempt);
}

static enum err fence(const struct scope *scope, void *arg)
{
    const struct deliver *deliver = arg;
    return delivery_attempt_fence(scope, deliver->delivery.id, deliver->outcome.attempt,
                                  deliver->attempt_s);
}

static enum err settle(const struct scope *scope, void *arg)
{
    struct deliver *deliver = arg;
    return delivery_settle(scope, &deliver->delivery, &deliver->outcome);
}

static enum err look_due(const struct scope *scope, void *arg)
{
    struct deliver *deliver = arg;
    return delivery_look_due(scope, deliver->delivery.id, &deliver->wait_s);
}

/* A reconnection sends what is blocked, once: one that came in before this did not see it. */
static enum err settle_blocked(const struct scope *scope, void *arg)
{
    struct deliver *deliver = arg;
    struct connection now;
    int64_t unblocked;
    TRY(connection_lock(scope, deliver->delivery.connection, &now));
    TRY(settle(scope, deliver));
    return session_outdated(&deliver->session, &now) ? deliveries_unblock(scope, now.id, &unblocked)
                                                     : OK;
}

/* ---- what an error means ---- */

static bool retries_used_up(const struct deliver *deliver)
{
    return clock_now(deliver->ctx->env->clock).us > deliver->delivery.retry_until.us;
}

static enum delivery_end end_of(const struct deliver *deliver, enum err error)
{
    switch ((int)error) {
    case OK:
        return END_DONE;
    case ERR_UNCERTAIN:
        return END_UNCERTAIN;
    case ERR_AUTH:
    case ERR_SCOPE:
    case ERR_APPROVAL:
        return END_BLOCKED;
    case ERR_VALIDATION:
    case ERR_ABSENT:
    case ERR_DUPLICATE:
        return END_REJECTED;
    case ERR_PROTOCOL: /* it answered nonsense: whether it acted is not known */
        return END_UNCERTAIN;
    default:
        return retries_used_up(deliver) ? END_REJECTED : END_RETRY;
    }
}

/* Between tries that leave no trace at the delivery: longer and longer as it grows older. */
static int64_t pause_s(const struct deliver *deliver)
{
    int64_t retry_after_s = arena_failure(deliver->ctx->arena)->retry_after_s;
    int64_t age_us = clock_now(deliver->ctx->env->clock).us - deliver->delivery.created_at.us;
    int64_t pause = age_us / 1000000 / PAUSES_PER_AGE;
    if (pause > PAUSE_S_MAX)
        pause = PAUSE_S_MAX;
    if (pause < PAUSE_S_MIN)
        pause = PAUSE_S_MIN;
    return retry_after_s > pause ? retry_after_s : pause;
}

static void describe(struct deliver *deliver, enum err error)
{
    const struct failure *failure = arena_failure(deliver->ctx->arena);
    struct delivery_outcome *outcome = &deliver->outcome;
    outcome->status = error == OK ? "ok" : err_slug(error);
    outcome->http_status = deliver->result.status;
    outcome->excerpt = deliver->result.excerpt;
    outcome->external_id = deliver->result.external_id;
    if (error == OK)
        return;
    outcome->problem_code = err_slug(error);
    outcome->problem_text = failure->detail ? failure->detail : err_sentence(error);
    outcome->problem_field = failure->field;
}

/* The job runs again while something is still to be done for the delivery. */
static enum err end_job(struct deliver *deliver, enum err error)
{
    struct job_context *ctx = deliver->ctx;
    int64_t wait_s = 0;
    switch (deliver->outcome.end) {
    case END_RETRY:
        wait_s =
            backoff_s(ctx, deliver->delivery.attempts, arena_failure(ctx->arena)->retry_after_s);
        deliver->outcome.next_at = instant_add_s(clock_now(ctx->env->clock), wait_s);
        return job_again(ctx, settle, deliver, wait_s);
    case END_UNCERTAIN:
        return job_again(ctx, settle, deliver, deliver->attempt_s);
    case END_BLOCKED:
        TRY(session_failed(&deliver->session, error));
        return job_finish(ctx, settle_blocked, deliver);
    case END_ABSENT:
    case END_DONE:
    case END_REJECTED:
        break;
    }
    return job_finish(ctx, settle, deliver);
}

/* ---- attempt and look ---- */

/* Targets forget idempotency keys: what was tried before is looked for before it is sent again. */
static bool arrived_before(struct deliver *deliver)
{
    const struct target *target = deliver->session.provider->target;
    enum look_answer answer = LOOK_CANNOT_TELL;
    if (deliver->delivery.attempts == 0 || !target->capabilities.search)
        return false;
    enum err error =
        target->look(&deliver->session.call, &deliver->order, &answer, &deliver->result);
    return error == OK && answer == LOOK_ARRIVED;
}

static enum err send(struct deliver *deliver)
{
    const struct target *target = deliver->session.provider->target;
    struct arena *arena = deliver->ctx->arena;
    enum err error = target->preflight(arena, &deliver->order);
    if (fault_point(FAULT_DELIVERY_CLAIMED))
        return job_cut(deliver->ctx);
    if (error == OK && !arrived_before(deliver)) {
        arena_failure_clear(arena);
        deliver->result = (struct delivery_result){0};
        TRY(job_database(deliver->ctx, fence, deliver)); /* looking took its time */
        error = target->deliver(&deliver->session.call, &deliver->order, &deliver->result);
    }
    if (fault_point(FAULT_DELIVERY_SENT))
        return job_cut(deliver->ctx);
    deliver->outcome.end = end_of(deliver, error);
    describe(deliver, error);
    TRY(end_job(deliver, error));
    return fault_point(FAULT_DELIVERY_STORED) ? job_cut(deliver->ctx) : OK;
}

static enum err attempt(struct deliver *deliver)
{
    TRY(job_database(deliver->ctx, start, deliver));
    return send(deliver);
}

/* Looked, and it is not there: the same bytes again, under the same key. */
static enum err restart_unit(const struct scope *scope, void *arg)
{
    TRY(settle(scope, arg));
    return start(scope, arg);
}

static enum err restart(const struct scope *scope, void *arg)
{
    return db_transaction(scope, restart_unit, arg);
}

static enum err look_failed(struct deliver *deliver, enum err error)
{
    int64_t wait_s = pause_s(deliver);
    TRY(session_failed(&deliver->session, error));
    return job_again(deliver->ctx, NULL, NULL, wait_s);
}

static enum err look(struct deliver *deliver)
{
    const struct target *target = deliver->session.provider->target;
    TRY(job_database(deliver->ctx, look_due, deliver));
    if (deliver->wait_s > 0)
        return job_again(deliver->ctx, NULL, NULL, deliver->wait_s);
    enum look_answer answer = LOOK_CANNOT_TELL;
    enum err error =
        target->look(&deliver->session.call, &deliver->order, &answer, &deliver->result);
    if (error != OK) /* looking sends nothing: it may fail and be repeated */
        return look_failed(deliver, error);
    describe(deliver, OK);
    switch (answer) {
    case LOOK_ARRIVED:
        deliver->outcome.end = END_DONE;
        return end_job(deliver, OK);
    case LOOK_ABSENT:
        deliver->outcome.end = END_ABSENT;
        TRY(job_database(deliver->ctx, restart, deliver));
        deliver->delivery.attempts = 0; /* looked for a moment ago */
        return send(deliver);
    case LOOK_CANNOT_TELL: /* a person decides; the delivery stays uncertain */
        break;
    }
    return job_finish(deliver->ctx, NULL, NULL);
}

static enum err left_in_sending(struct deliver *deliver)
{
    deliver->outcome = (struct delivery_outcome){
        .end = END_UNCERTAIN,
        .attempt = deliver->delivery.attempts,
        .status = "worker_lost",
        .problem_code = err_slug(ERR_UNCERTAIN),
        .problem_text = err_sentence(ERR_UNCERTAIN),
    };
    return end_job(deliver, ERR_UNCERTAIN);
}

static enum err park(struct deliver *deliver)
{
    deliver->outcome.end = END_BLOCKED;
    describe(deliver, ERR_AUTH);
    return job_finish(deliver->ctx, settle_blocked, deliver);
}

/* The provider was not reached at all, so that nothing is known of the delivery that was not known
 * before: it waits as it is, but not for ever. */
static enum err unopened(struct deliver *deliver, enum err error)
{
    if (error == ERR_DB_DOWN || error == ERR_BUSY || error == ERR_LEASE_LOST)
        return error;
    if (text_equal(deliver->delivery.state, "retrying") && retries_used_up(deliver)) {
        deliver->outcome.end = END_REJECTED;
        describe(deliver, error);
        return job_finish(deliver->ctx, settle, deliver);
    }
    TRY(session_failed(&deliver->session, error));
    return job_again(deliver->ctx, NULL, NULL, pause_s(deliver));
}

enum err job_deliver(struct job_context *ctx)
{
    struct deliver *deliver = arena_alloc(ctx->arena, sizeof *deliver);
    deliver->ctx = ctx;
    TRY(job_database(ctx, load, deliver));
    const char *state = deliver->delivery.state;
    bool sendable = text_equal(state, "queued") || text_equal(state, "retrying");
    if (!sendable && !text_equal(state, "uncertain") && !text_equal(state, "sending"))
        return job_finish(ctx, NULL, NULL); /* settled by somebody else meanwhile */
    enum err error = session_open(ctx, deliver->delivery.connection, &deliver->session);
    if (error == ERR_AUTH && sendable)
        return park(deliver);
    if (error != OK)
        return unopened(deliver, error);
    deliver->attempt_s = attempt_s(ctx, deliver->session.provider->target);
    if (text_equal(state, "sending"))
        return left_in_sending(deliver);
    return sendable || deliver->delivery.resend ? attempt(deliver) : look(deliver);
}
