#include "base/base.h"
#include "db/internal.h"

void db_wake_after_commit(const struct scope *scope)
{
    scope->db->wake_wanted = true;
}

static enum err commit(const struct scope *scope)
{
    struct db *db = scope->db;
    if (db->transaction == TX_WANTED) /* nothing was sent */
        return OK;
    if (!db->connection)
        return arena_fail(scope->arena, ERR_DB_DOWN, NULL, "The transaction was lost.");
    if (fault_point(FAULT_DB_COMMIT))
        return db_broken(db, scope->arena, "before COMMIT");
    TRY(pipeline_send_text(db, scope->arena, "COMMIT"));
    enum err err = pipeline_collect(db, scope->arena, NULL);
    if (err == OK && fault_point(FAULT_DB_COMMITTED))
        err = db_broken(db, scope->arena, "COMMIT");
    if (err == ERR_DB_DOWN)
        return arena_fail(scope->arena, ERR_DB_UNKNOWN, NULL,
                          "The connection was lost while the transaction committed.");
    return err;
}

/* Keeps the failure that made it necessary. */
static void rollback(const struct scope *scope)
{
    struct db *db = scope->db;
    if (db->transaction != TX_OPEN || !db->connection)
        return;
    struct failure failure = *arena_failure(scope->arena);
    /* What was sent ahead may fail too; only then is the transaction aborted and can be ended. */
    (void)pipeline_collect(db, scope->arena, NULL);
    if (db->connection && pipeline_send_text(db, scope->arena, "ROLLBACK") == OK)
        (void)pipeline_collect(db, scope->arena, NULL);
    if (failure.code != OK)
        (void)arena_fail(scope->arena, failure.code, failure.field, "%s",
                         failure.detail ? failure.detail : "");
}

static void settle(struct db *db, bool committed)
{
    bool wake = committed && db->wake_wanted;
    db->transaction = TX_NONE;
    db->tenant = (struct uuid){0};
    db->timeout_ms = 0;
    db->wake_wanted = false;
    if (wake && db->settings.wake)
        db->settings.wake(db->settings.wake_context);
}

static enum err run_once(const struct scope *scope, const char *begin_sql, db_unit *unit, void *arg)
{
    struct db *db = scope->db;
    TRY(db_ensure(db, scope->arena));
    db->transaction = TX_WANTED;
    db->begin_sql = begin_sql;
    db->wake_wanted = false;
    enum err err = unit(scope, arg);
    if (err == OK)
        err = commit(scope);
    if (err != OK)
        rollback(scope);
    settle(db, err == OK);
    return err;
}

/* Two transactions that hinder each other must not meet again at once. */
static void pause_before(struct db *db, int attempt)
{
    uint64_t us = 500 + rand_below(db->settings.rand, (uint64_t)2000 << attempt);
    struct timespec pause = {.tv_sec = (time_t)(us / 1000000),
                             .tv_nsec = (long)(us % 1000000) * 1000};
    nanosleep(&pause, NULL);
}

static enum err run_until_done(const struct scope *scope, const char *begin_sql, db_unit *unit,
                               void *arg)
{
    if (scope->db->transaction != TX_NONE)
        return unit(scope, arg);
    enum err err = OK;
    for (int attempt = 0; attempt < DB_ATTEMPTS_MAX; attempt++) {
        if (attempt > 0) {
            pause_before(scope->db, attempt);
            arena_failure_clear(scope->arena);
        }
        err = run_once(scope, begin_sql, unit, arg);
        /* Lost before COMMIT was sent: nothing of it stands, so it may run again, once. */
        bool lost = err == ERR_DB_DOWN && attempt == 0 && db_lost(scope->db);
        if (err != ERR_DB_RETRY && !lost)
            break;
    }
    return err;
}

enum err db_transaction(const struct scope *scope, db_unit *unit, void *arg)
{
    return run_until_done(scope, "BEGIN", unit, arg);
}

enum err db_snapshot(const struct scope *scope, db_unit *unit, void *arg)
{
    return run_until_done(scope, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", unit, arg);
}

static enum err say(const struct scope *scope, const char *sql)
{
    TRY(pipeline_prologue(scope->db, scope));
    return pipeline_send_text(scope->db, scope->arena, sql);
}

enum err db_savepoint(const struct scope *scope, db_unit *unit, void *arg)
{
    struct db *db = scope->db;
    assert(db->transaction != TX_NONE);
    if (!db->connection)
        return arena_fail(scope->arena, ERR_DB_DOWN, NULL, "The transaction was lost.");
    TRY(say(scope, "SAVEPOINT unit"));
    TRY(pipeline_collect(db, scope->arena, NULL)); /* what came before is not the unit's */
    enum err err = unit(scope, arg);
    if (err == OK)
        err = pipeline_collect(db, scope->arena, NULL);
    if (err == OK)
        return say(scope, "RELEASE SAVEPOINT unit");
    if (!db->connection)
        return err;
    struct failure failure = *arena_failure(scope->arena);
    (void)pipeline_collect(db, scope->arena, NULL); /* sent ahead by a unit that then gave up */
    if (!db->connection)
        return ERR_DB_DOWN;
    TRY(say(scope, "ROLLBACK TO SAVEPOINT unit"));
    TRY(pipeline_collect(db, scope->arena, NULL));
    return arena_fail(scope->arena, err, failure.field, "%s",
                      failure.detail ? failure.detail : err_sentence(err));
}
