#include "base/base.h"
#include "base/text.h"
#include "db/internal.h"

/* A lone statement that reads may simply be sent again after the connection was lost. */
static bool only_reads(const struct statement *statement)
{
    return text_starts(statement->sql, "SELECT ");
}

static enum err run_alone(const struct scope *scope, const struct statement *statement,
                          const struct params *params, PGresult **result)
{
    TRY(db_ensure(scope->db, scope->arena));
    TRY(pipeline_send(scope, statement, params));
    enum err err = pipeline_collect(scope->db, scope->arena, result);
    if (err == ERR_DB_DOWN && !only_reads(statement))
        return arena_fail(scope->arena, ERR_DB_UNKNOWN, NULL,
                          "The connection was lost while %s committed.", statement->name);
    return err;
}

static void wake(struct db *db)
{
    bool wanted = db->wake_wanted;
    db->wake_wanted = false;
    if (wanted && db->settings.wake)
        db->settings.wake(db->settings.wake_context);
}

static enum err run_until_done(const struct scope *scope, const struct statement *statement,
                               const struct params *params, PGresult **result)
{
    enum err err = OK;
    for (int attempt = 0; attempt < DB_ATTEMPTS_MAX; attempt++) {
        PQclear(*result);
        *result = NULL;
        err = run_alone(scope, statement, params, result);
        bool again =
            err == ERR_DB_RETRY || (err == ERR_DB_DOWN && attempt == 0 && only_reads(statement));
        if (!again)
            break;
    }
    if (err == OK)
        wake(scope->db);
    return err;
}

static enum err run(const struct scope *scope, const struct statement *statement,
                    const struct params *params, PGresult **result)
{
    struct db *db = scope->db;
    if (db->transaction == TX_NONE)
        return run_until_done(scope, statement, params, result);
    if (!db->connection)
        return arena_fail(scope->arena, ERR_DB_DOWN, NULL, "The transaction was lost.");
    TRY(pipeline_send(scope, statement, params));
    return pipeline_collect(db, scope->arena, result);
}

enum err db_exec(const struct scope *scope, const struct statement *statement,
                 const struct params *params, int64_t *changed)
{
    PGresult *result = NULL;
    enum err err = run(scope, statement, params, &result);
    if (err == OK && changed) {
        const char *count = PQcmdTuples(result);
        if (!int64_parse(count, 0, INT64_MAX, changed))
            *changed = 0;
    }
    PQclear(result);
    return err;
}

static enum err decode_bounded(const struct scope *scope, const struct statement *statement,
                               const PGresult *result, const struct shape *shape, struct rows *into)
{
    if (PQntuples(result) > statement->rows_max)
        return arena_fail(scope->arena, ERR_LIMIT, NULL, "Statement %s answered more than %d rows.",
                          statement->name, statement->rows_max);
    return rows_decode(scope, statement, result, shape, into);
}

enum err db_all(const struct scope *scope, const struct statement *statement,
                const struct params *params, const struct shape *shape, struct rows *into)
{
    PGresult *result = NULL;
    enum err err = run(scope, statement, params, &result);
    if (err == OK)
        err = decode_bounded(scope, statement, result, shape, into);
    PQclear(result);
    return err;
}

enum err db_maybe(const struct scope *scope, const struct statement *statement,
                  const struct params *params, const struct shape *shape, void *into, bool *found)
{
    struct rows rows = {0};
    TRY(db_all(scope, statement, params, shape, &rows));
    if (rows.count > 1)
        return arena_fail(scope->arena, ERR_LIMIT, NULL, "Statement %s answered %zu rows.",
                          statement->name, rows.count);
    *found = rows.count == 1;
    if (*found)
        memcpy(into, rows.at, shape->size);
    return OK;
}

enum err db_one(const struct scope *scope, const struct statement *statement,
                const struct params *params, const struct shape *shape, void *into)
{
    bool found = false;
    TRY(db_maybe(scope, statement, params, shape, into, &found));
    if (!found)
        return arena_fail(scope->arena, ERR_NOT_FOUND, NULL, "%s", err_sentence(ERR_NOT_FOUND));
    return OK;
}

struct number {
    int64_t value;
};

enum err db_int(const struct scope *scope, const struct statement *statement,
                const struct params *params, int64_t *into)
{
    PGresult *result = NULL;
    enum err err = run(scope, statement, params, &result);
    if (err == OK && PQntuples(result) == 0)
        err = arena_fail(scope->arena, ERR_NOT_FOUND, NULL, "%s", err_sentence(ERR_NOT_FOUND));
    if (err == OK) {
        struct column column = {PQfname(result, 0), DB_INT, 0, NULL};
        struct shape shape = {&column, 1, sizeof(struct number)};
        struct rows rows = {0};
        err = decode_bounded(scope, statement, result, &shape, &rows);
        *into = err == OK && rows.count ? ((struct number *)rows.at)->value : 0;
    }
    PQclear(result);
    return err;
}

enum err db_later(const struct scope *scope, const struct statement *statement,
                  const struct params *params)
{
    struct db *db = scope->db;
    assert(db->transaction != TX_NONE);
    if (!db->connection)
        return arena_fail(scope->arena, ERR_DB_DOWN, NULL, "The transaction was lost.");
    TRY(pipeline_send(scope, statement, params));
    if (db->expected_count < 2 * (size_t)DB_LATER_MAX)
        return OK;
    return pipeline_collect(db, scope->arena, NULL);
}

enum err db_script(struct db *db, struct arena *arena, const char *sql)
{
    assert(db->transaction == TX_NONE);
    TRY(db_ensure(db, arena));
    if (!PQexitPipelineMode(db->connection))
        return db_broken(db, arena, "script");
    PGresult *result = PQexec(db->connection, sql);
    ExecStatusType status = PQresultStatus(result);
    bool done = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
    enum err err = OK;
    if (PQstatus(db->connection) != CONNECTION_OK)
        err = db_broken(db, arena, "script");
    else if (!done)
        err = arena_fail(arena, db_classify(db, arena, result, "script"), NULL, "%s",
                         PQresultErrorMessage(result));
    PQclear(result);
    if (db->connection && !PQenterPipelineMode(db->connection))
        return db_broken(db, arena, "script");
    return err;
}
