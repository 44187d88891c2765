#include "base/base.h"
#include "base/text.h"
#include "db/internal.h"

/* Every statement travels in libpq's pipeline mode: BEGIN, the tenant and the first statement leave
 * together, and one round trip answers all of them. */

static struct prepared *prepared_slot(struct db *db, const struct statement *statement)
{
    size_t at = ((uintptr_t)statement >> 4) % PREPARED_SLOTS;
    while (db->prepared[at].statement && db->prepared[at].statement != statement)
        at = (at + 1) % PREPARED_SLOTS;
    if (!db->prepared[at].statement) {
        assert(db->prepared_count < DB_STATEMENTS_MAX);
        db->prepared_count++;
        db->prepared[at].statement = statement;
    }
    return &db->prepared[at];
}

static void expect(struct db *db, struct expected expected)
{
    assert(db->expected_count < EXPECTED_MAX);
    db->expected[db->expected_count++] = expected;
}

enum err pipeline_send_text(struct db *db, struct arena *arena, const char *sql)
{
    enum expected_kind kind = text_equal(sql, "COMMIT") ? EXPECT_COMMIT : EXPECT_OTHER;
    if (!PQsendQueryParams(db->connection, sql, 0, NULL, NULL, NULL, NULL, 0))
        return db_broken(db, arena, "send");
    expect(db, (struct expected){.kind = kind});
    return OK;
}

STATEMENT(tenant_set_sql, "SELECT set_config('sluice.workspace', $1, true),"
                          " set_config('statement_timeout', $2, true)");

static enum err send_prepared(struct db *db, struct arena *arena, const struct statement *statement,
                              const struct params *params, enum expected_kind kind)
{
    struct prepared *prepared = prepared_slot(db, statement);
    struct encoded encoded;
    params_encode(arena, params, &encoded);
    if (!prepared->ready) {
        if (!PQsendPrepare(db->connection, statement->name, statement->sql, encoded.n,
                           encoded.types))
            return db_broken(db, arena, "send");
        expect(db, (struct expected){EXPECT_PREPARE, statement, prepared});
        prepared->ready = true; /* undone when the answer is a failure */
    }
    if (!PQsendQueryPrepared(db->connection, statement->name, encoded.n, encoded.values,
                             encoded.lengths, encoded.formats, 1))
        return db_broken(db, arena, "send");
    expect(db, (struct expected){kind, statement, prepared});
    return OK;
}

static enum err send_tenant(struct db *db, const struct scope *scope)
{
    int timeout_ms = scope->timeout_ms ? scope->timeout_ms : DB_STATEMENT_TIMEOUT_MS;
    char timeout[16];
    snprintf(timeout, sizeof(timeout), "%d", timeout_ms);
    const char *tenant =
        uuid_is_nil(scope->workspace) ? "" : uuid_format(scope->arena, scope->workspace);
    TRY(send_prepared(db, scope->arena, &tenant_set_sql,
                      PARAMS(P(tenant), P((const char *)timeout)), EXPECT_OTHER));
    db->tenant = scope->workspace;
    db->timeout_ms = scope->timeout_ms;
    return OK;
}

/* What has to come before a statement of this scope: BEGIN, the tenant, the timeout. */
enum err pipeline_prologue(struct db *db, const struct scope *scope)
{
    if (db->transaction == TX_WANTED) {
        TRY(pipeline_send_text(db, scope->arena, db->begin_sql));
        db->transaction = TX_OPEN;
        db->tenant = (struct uuid){0};
        db->timeout_ms = 0;
    }
    bool alone = db->transaction == TX_NONE;
    bool tenanted = !uuid_is_nil(scope->workspace);
    if (!alone && tenanted && !uuid_is_nil(db->tenant))
        assert(uuid_equal(db->tenant, scope->workspace)); /* one transaction, one tenant */
    bool tenant_missing = tenanted && (alone || uuid_is_nil(db->tenant));
    bool timeout_differs = scope->timeout_ms != (alone ? 0 : db->timeout_ms);
    if (!tenant_missing && !timeout_differs)
        return OK;
    struct scope effective = *scope;
    if (!tenanted && !alone)
        effective.workspace = db->tenant;
    return send_tenant(db, &effective);
}

enum err pipeline_send(const struct scope *scope, const struct statement *statement,
                       const struct params *params)
{
    struct db *db = scope->db;
    if (fault_point(FAULT_DB_SEND))
        return db_broken(db, scope->arena, "send");
    TRY(pipeline_prologue(db, scope));
    db->statements_sent++;
    return send_prepared(db, scope->arena, statement, params, EXPECT_ROWS);
}

static bool lost(const PGresult *result)
{
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    return !state || text_starts(state, "57P");
}

/* Reads one answer and the NULL that ends it. */
static enum err collect_one(struct db *db, struct arena *arena, const struct expected *expected,
                            PGresult **rows)
{
    PGresult *result = PQgetResult(db->connection);
    if (!result || PQstatus(db->connection) != CONNECTION_OK) {
        PQclear(result);
        return db_broken(db, arena, "answer");
    }
    ExecStatusType status = PQresultStatus(result);
    const char *name = expected->statement ? expected->statement->name : "transaction";
    enum err err = OK;
    if (status == PGRES_FATAL_ERROR && lost(result)) {
        PQclear(result);
        return db_broken(db, arena, "answer");
    }
    if (status == PGRES_FATAL_ERROR)
        err = db_classify(db, arena, result, name);
    else if (status == PGRES_PIPELINE_ABORTED)
        err = ERR_DB; /* the first error is the one that is told */
    else if (expected->kind == EXPECT_COMMIT && !text_equal(PQcmdStatus(result), "COMMIT"))
        err = arena_fail(arena, ERR_DB, NULL, "A failed transaction was committed.");
    if (err != OK && expected->kind == EXPECT_PREPARE)
        expected->prepared->ready = false;
    if (rows && err == OK && expected->kind == EXPECT_ROWS) {
        PQclear(*rows);
        *rows = result;
    } else {
        PQclear(result);
    }
    while ((result = PQgetResult(db->connection)) != NULL)
        PQclear(result);
    return err;
}

static enum err collect_sync(struct db *db, struct arena *arena)
{
    PGresult *result = PQgetResult(db->connection);
    bool synced = PQresultStatus(result) == PGRES_PIPELINE_SYNC;
    PQclear(result);
    return synced ? OK : db_broken(db, arena, "answer");
}

enum err pipeline_collect(struct db *db, struct arena *arena, PGresult **rows)
{
    enum err first = OK;
    if (fault_point(FAULT_DB_RESULT))
        return db_broken(db, arena, "answer");
    if (!PQpipelineSync(db->connection))
        return db_broken(db, arena, "send");
    size_t count = db->expected_count;
    for (size_t i = 0; i < count; i++) {
        struct expected expected = db->expected[i];
        enum err err = collect_one(db, arena, &expected, rows);
        if (!db->connection)
            return err;
        if (first == OK)
            first = err;
    }
    db->expected_count = 0;
    TRY(collect_sync(db, arena));
    return first;
}
