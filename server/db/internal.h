/* What the files of this layer share: the connection and its pipeline. */
#ifndef SLUICE_DB_INTERNAL_H
#define SLUICE_DB_INTERNAL_H

#include <libpq-fe.h>

#include "db/db.h"
#include "base/fault.h"

struct prepared {
    const struct statement *statement; /* NULL: free slot */
    bool ready;                        /* the server has it */
};

enum expected_kind { EXPECT_OTHER, EXPECT_PREPARE, EXPECT_ROWS, EXPECT_COMMIT };

/* What was sent, in order, and is not answered yet. */
struct expected {
    enum expected_kind kind;
    const struct statement *statement;
    struct prepared *prepared;
};

enum { EXPECTED_MAX = 3 * DB_LATER_MAX + 16, PREPARED_SLOTS = 2 * DB_STATEMENTS_MAX };

enum transaction_state {
    TX_NONE,
    TX_WANTED, /* opened by db_transaction; BEGIN goes with the first statement */
    TX_OPEN,
};

struct db {
    PGconn *connection; /* NULL: lost */
    struct db_settings settings;
    char *conninfo;
    char *application;
    struct prepared prepared[PREPARED_SLOTS];
    size_t prepared_count;
    struct expected expected[EXPECTED_MAX];
    size_t expected_count;
    enum transaction_state transaction;
    const char *begin_sql;
    struct uuid tenant; /* set in the open transaction; nil: none */
    int timeout_ms;     /* set in the open transaction; 0: the connection's */
    bool wake_wanted;
    int64_t statements_sent;
    char listening[64]; /* channel, listened to again after a reconnect */
};

/* connection.c */
enum err db_broken(struct db *db, struct arena *arena, const char *during);
enum err db_classify(struct db *db, struct arena *arena, const PGresult *result,
                     const char *statement);

/* pipeline.c */
enum err pipeline_prologue(struct db *db, const struct scope *scope);
enum err pipeline_send_text(struct db *db, struct arena *arena, const char *sql);
enum err pipeline_send(const struct scope *scope, const struct statement *statement,
                       const struct params *params);
/* Sends a sync and reads every answer. `rows` (may be NULL) must hold NULL; it gets the answer of
 * the last statement that succeeded, which the caller clears whatever is returned. */
enum err pipeline_collect(struct db *db, struct arena *arena, PGresult **rows);

/* encode.c, decode.c */
struct encoded {
    Oid types[DB_PARAMS_MAX];
    const char *values[DB_PARAMS_MAX];
    int lengths[DB_PARAMS_MAX];
    int formats[DB_PARAMS_MAX];
    int n;
};
void params_encode(struct arena *arena, const struct params *params, struct encoded *into);
enum err rows_decode(const struct scope *scope, const struct statement *statement,
                     const PGresult *result, const struct shape *shape, struct rows *into);

#endif
