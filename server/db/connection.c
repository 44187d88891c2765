#include <poll.h>
#include <unistd.h>

#include "base/base.h"
#include "base/text.h"
#include "db/internal.h"

struct untenanted db_untenanted(struct db *db, struct arena *arena)
{
    return (struct untenanted){.scope = {.db = db, .arena = arena}};
}

struct instant db_now(const struct scope *scope)
{
    return clock_now(scope->db->settings.clock);
}

struct uuid db_new_id(const struct scope *scope)
{
    return uuid_v7(scope->db->settings.rand, db_now(scope));
}

/* PQparameterStatus and the like never hold a secret, but a connection string does: failures name
 * the host only. */
static enum err connect_failed(struct db *db, struct arena *arena)
{
    const char *host = db->connection ? PQhost(db->connection) : "";
    if (db->settings.log)
        log_event(db->settings.log, LOG_WARN, "db.connect_failed", LOG_T("host", host),
                  LOG_T("application", db->application));
    enum err err = arena_fail(arena, ERR_DB_DOWN, NULL, "The database at %s does not answer.",
                              host && *host ? host : "the configured address");
    PQfinish(db->connection);
    db->connection = NULL;
    return err;
}

static bool session_settings(struct db *db)
{
    char sql[400];
    snprintf(sql, sizeof(sql),
             "SET client_encoding = 'UTF8'; SET TimeZone = 'UTC'; SET jit = off;"
             "SET search_path = region, directory, public; SET statement_timeout = %d;"
             "SET idle_in_transaction_session_timeout = %d; SET client_min_messages = warning",
             (int)DB_STATEMENT_TIMEOUT_MS, (int)DB_IDLE_IN_TRANSACTION_MS);
    PGresult *result = PQexec(db->connection, sql);
    bool done = PQresultStatus(result) == PGRES_COMMAND_OK;
    PQclear(result);
    return done;
}

static bool listen_again(struct db *db)
{
    if (!db->listening[0])
        return true;
    char sql[96];
    snprintf(sql, sizeof(sql), "LISTEN %s", db->listening);
    PGresult *result = PQexec(db->connection, sql);
    bool done = PQresultStatus(result) == PGRES_COMMAND_OK;
    PQclear(result);
    return done;
}

static void ignore_notice(void *context, const char *message)
{
    (void)context;
    (void)message;
}

static enum err connection_make(struct db *db, struct arena *arena)
{
    char timeout[12];
    snprintf(timeout, sizeof(timeout), "%d", (int)DB_CONNECT_TIMEOUT_S);
    /* What stands before the connection string holds unless it says otherwise. libpq's own default
     * would go on in the clear, or with whoever answers. Sockets of the same host have no TLS. */
    const char *const keys[] = {
        "sslmode",         "ssl_min_protocol_version",  "dbname", "application_name",
        "connect_timeout", "fallback_application_name", NULL};
    const char *const values[] = {"verify-full", "TLSv1.3", db->conninfo, db->application,
                                  timeout,       "sluice",  NULL};
    if (fault_point(FAULT_DB_CONNECT))
        return connect_failed(db, arena);
    db->connection = PQconnectdbParams(keys, values, 1);
    if (PQstatus(db->connection) != CONNECTION_OK)
        return connect_failed(db, arena);
    PQsetNoticeProcessor(db->connection, ignore_notice, NULL);
    if (!session_settings(db) || !listen_again(db) || !PQenterPipelineMode(db->connection))
        return connect_failed(db, arena);
    return OK;
}

static void forget_session(struct db *db)
{
    for (size_t i = 0; i < PREPARED_SLOTS; i++)
        db->prepared[i].ready = false;
    db->expected_count = 0;
}

/* The server may have ended an idle connection: then its socket is readable, to the end. */
static bool went_away(struct db *db)
{
    struct pollfd socket = {.fd = PQsocket(db->connection), .events = POLLIN};
    while (poll(&socket, 1, 0) > 0) {
        if (!PQconsumeInput(db->connection))
            return true;
    }
    return PQstatus(db->connection) != CONNECTION_OK;
}

enum err db_ensure(struct db *db, struct arena *arena)
{
    if (db->connection && !went_away(db))
        return OK;
    PQfinish(db->connection);
    forget_session(db);
    return connection_make(db, arena);
}

bool db_lost(const struct db *db)
{
    return db->connection == NULL;
}

enum err db_broken(struct db *db, struct arena *arena, const char *during)
{
    PQfinish(db->connection);
    db->connection = NULL;
    forget_session(db);
    if (db->settings.log)
        log_event(db->settings.log, LOG_WARN, "db.connection_lost", LOG_T("during", during),
                  LOG_T("application", db->application));
    return arena_fail(arena, ERR_DB_DOWN, NULL, "The connection to the database was lost (%s).",
                      during);
}

static char *text_keep(const char *text)
{
    char *copy = strdup(text ? text : "");
    if (!copy)
        abort();
    return copy;
}

enum err db_open(struct arena *arena, const struct db_settings *settings, struct db **into)
{
    assert(settings->clock && settings->rand);
    struct db *db = calloc(1, sizeof(*db));
    if (!db)
        abort();
    db->settings = *settings;
    db->conninfo = text_keep(settings->conninfo);
    db->application = text_keep(settings->application ? settings->application : "sluice");
    enum err err = connection_make(db, arena);
    if (err != OK) {
        db_close(db);
        return err;
    }
    *into = db;
    return OK;
}

void db_close(struct db *db)
{
    if (!db)
        return;
    PQfinish(db->connection);
    free(db->conninfo);
    free(db->application);
    free(db);
}

int64_t db_statements_sent(const struct db *db)
{
    return db->statements_sent;
}

struct classification {
    const char *state; /* SQLSTATE, or its first two characters */
    enum err err;
};

static enum err classify_state(const char *state)
{
    static const struct classification table[] = {
        {"23505", ERR_DUPLICATE}, /* unique_violation */
        {"23503", ERR_CONFLICT},  /* foreign_key_violation */
        {"23P01", ERR_DUPLICATE}, /* exclusion_violation */
        {"SL409", ERR_CONFLICT},  /* a move that the machine does not have */
        {"57014", ERR_DEADLINE},  /* query_canceled: the statement timeout */
        {"40001", ERR_DB_RETRY},  /* serialization_failure */
        {"40P01", ERR_DB_RETRY},  /* deadlock_detected */
        {"55P03", ERR_BUSY},      /* lock_not_available */
        {"57P", ERR_DB_DOWN},     /* shutdown, crash, cannot connect now, database dropped */
        {"08", ERR_DB_DOWN},      /* connection exceptions */
        {"53300", ERR_DB_DOWN},   /* too_many_connections */
        {"25P03", ERR_DB_DOWN},   /* idle in transaction for too long */
    };
    for (size_t i = 0; i < COUNT(table); i++) {
        if (text_starts(state, table[i].state))
            return table[i].err;
    }
    return ERR_DB;
}

enum err db_classify(struct db *db, struct arena *arena, const PGresult *result,
                     const char *statement)
{
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *constraint = PQresultErrorField(result, PG_DIAG_CONSTRAINT_NAME);
    const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    enum err err = classify_state(state ? state : "");
    if (err == ERR_DB && db->settings.log)
        log_event(db->settings.log, LOG_ERROR, "db.refused", LOG_T("statement", statement),
                  LOG_T("sqlstate", state), LOG_T("constraint", constraint),
                  LOG_T("message", message));
    return arena_fail(arena, err, arena_text(arena, constraint), "%s (statement %s, %s).",
                      err_sentence(err), statement, state ? state : "no state");
}
