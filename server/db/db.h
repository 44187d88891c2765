/* PostgreSQL: connections, statements, rows, transactions. The only code that includes libpq.
 *
 * HOW TO WRITE A STORE FUNCTION (server/store, one file per aggregate)
 *
 *   struct account { struct uuid id; const char *name; struct instant created_at; };
 *   static const struct column account_columns[] = {
 *       COLUMN(struct account, id), COLUMN(struct account, name),
 *       COLUMN(struct account, created_at)};
 *   static const struct shape account_shape = SHAPE(struct account, account_columns);
 *   STATEMENT(account_get_sql, "SELECT id, name, created_at FROM region.account"
 *                              " WHERE workspace_id = $1 AND id = $2");
 *
 *   enum err account_get(const struct scope *scope, struct uuid id, struct account *into)
 *   {
 *       return db_one(scope, &account_get_sql, PARAMS(P(scope->workspace), P(id)),
 *                     &account_shape, into);
 *   }
 *
 * - The function takes `const struct scope *` (tenant) or `const struct untenanted *` (directory,
 *   queue; pass &it->scope on). It runs alone, in one round trip, or joins the transaction that is
 *   open on the scope: it need not know. Several statements that belong together go into a
 *   function of their own, run by db_transaction, which may run it again.
 * - Every statement is a constant with a name that no other statement of the program has (it is
 *   the name on the server, too); it is prepared once per connection. Tables are written with their
 * schema (region. or directory.); workspace_id is a condition of every tenant statement although
 * row-level security repeats it.
 * - P(value) picks the SQL type from the C type; so does COLUMN for results, which are bound by
 *   name. "Absent" is the same both ways: nil uuid, NULL text, NULL bytes, instant 0, DATE_NONE
 *   are SQL NULL; a NULL number reads as 0, a NULL bool as false.
 * - No now() in SQL for business time: pass P(db_now(scope)). Only leases, hard deadlines and the
 *   earliest look after an uncertain attempt use the database's clock.
 *
 * Errors: unique violation ERR_DUPLICATE and foreign key ERR_CONFLICT (failure.field is the
 * constraint's name), a refused move of a machine ERR_CONFLICT, statement timeout ERR_DEADLINE,
 * lost connection ERR_DB_DOWN, a connection lost while it committed ERR_DB_UNKNOWN (done or not:
 * look before repeating), anything else ERR_DB. After an error inside a transaction every further
 * statement fails until it ends: return it, or wrap the part that may fail in db_savepoint.
 *
 * A connection belongs to one thread at a time. Results live in the scope's arena. */
#ifndef SLUICE_DB_H
#define SLUICE_DB_H

#include "base/arena.h"
#include "base/log.h"
#include "base/rand.h"
#include "base/time.h"
#include "base/uuid.h"

enum {
    DB_ROWS_MAX = 1000,       /* of one result, unless the statement says otherwise */
    DB_PARAMS_MAX = 48,       /* of one statement */
    DB_STATEMENTS_MAX = 1024, /* prepared on one connection */
    DB_ATTEMPTS_MAX = 8,      /* of a transaction that the database asked to repeat */
    DB_LATER_MAX = 64,        /* statements sent ahead before their answers are read */
    DB_STATEMENT_TIMEOUT_MS = 15000,
    DB_IDLE_IN_TRANSACTION_MS = 30000,
    DB_CONNECT_TIMEOUT_S = 5,
};

struct db;

struct db_settings {
    const char *conninfo;    /* libpq keywords or URI; PG* environment variables fill the rest, but
                                for TLS: verify-full and 1.3 where nothing else is written */
    const char *application; /* shown in pg_stat_activity */
    const struct clock *clock;
    struct rand_source *rand;
    const struct log *log;            /* may be NULL */
    void (*wake)(void *wake_context); /* after a commit that asked for it; may be NULL */
    void *wake_context;
};

/* ---- scopes ---- */

enum actor_kind { ACTOR_SYSTEM, ACTOR_USER, ACTOR_API_KEY, ACTOR_JOB, ACTOR_OPERATOR };

/* Who acts in which workspace, on which connection. Made only by store/scope_make.h, which the
 * guard, the job claim, the keeper and the verbs of proof include. Cheap to copy. */
struct scope {
    struct db *db;
    struct arena *arena;
    struct uuid workspace; /* nil only inside struct untenanted */
    enum actor_kind actor_kind;
    struct uuid actor;      /* nil for the system */
    const char *request_id; /* of the request or job, for audit and logs; may be NULL */
    int timeout_ms;         /* of each statement; 0: DB_STATEMENT_TIMEOUT_MS */
};

/* The untenanted side: directory, queue, what is dirty. Rows of tenants are invisible to it. */
struct untenanted {
    struct scope scope;
};
struct untenanted db_untenanted(struct db *db, struct arena *arena);

struct instant db_now(const struct scope *scope); /* business time */
struct uuid db_new_id(const struct scope *scope); /* UUIDv7 of business time */

/* ---- parameters ---- */

enum db_type {
    DB_UUID,
    DB_INT,   /* int64_t */
    DB_INT32, /* int */
    DB_BOOL,
    DB_TEXT, /* const char *; results also from json and jsonb */
    DB_BYTES,
    DB_TIME, /* struct instant <-> timestamptz */
    DB_DATE,
    DB_REAL, /* double <-> double precision */
    DB_JSON, /* parameters only: text that is JSON, for json and jsonb columns */
    DB_UUIDS,
    DB_INTS,
    DB_TEXTS,
    DB_TIMES,
    DB_ENUM,     /* results only: text looked up in column.names */
    DB_CURRENCY, /* results only: into char[4] */
};

struct uuid_list {
    const struct uuid *at;
    size_t n;
};
struct int_list {
    const int64_t *at;
    size_t n;
};
struct text_list { /* a NULL text is a NULL element */
    const char *const *at;
    size_t n;
};
struct instant_list {
    const struct instant *at;
    size_t n;
};

struct param {
    enum db_type type;
    bool null;
    union {
        struct uuid uuid;
        int64_t number;
        bool truth;
        const char *text;
        struct bytes bytes;
        struct instant instant;
        struct date date;
        double real;
        struct uuid_list uuids;
        struct int_list ints;
        struct text_list texts;
        struct instant_list instants;
    };
};

struct params {
    const struct param *at;
    size_t n;
};
#define PARAMS(...)                                                                                \
    (&(struct params){(struct param[]){__VA_ARGS__},                                               \
                      sizeof((struct param[]){__VA_ARGS__}) / sizeof(struct param)})
#define NO_PARAMS (&(struct params){NULL, 0})

struct param param_uuid(struct uuid uuid); /* nil: NULL */
struct param param_int(int64_t number);
struct param param_size(uint64_t number);
struct param param_bool(bool truth);
struct param param_text(const char *text);
struct param param_bytes(struct bytes bytes);
struct param param_time(struct instant instant);
struct param param_date(struct date date);
struct param param_real(double real);
struct param param_uuids(struct uuid_list list);
struct param param_ints(struct int_list list);
struct param param_texts(struct text_list list);
struct param param_times(struct instant_list list);
struct param param_json(const char *json);       /* NULL: SQL NULL */
struct param param_uuid_value(struct uuid uuid); /* nil stays the nil uuid */
struct param param_int_if(bool present, int64_t number);

#define P(value)                                                                                   \
    _Generic((value),                                                                              \
        struct uuid: param_uuid,                                                                   \
        int: param_int,                                                                            \
        long: param_int,                                                                           \
        long long: param_int,                                                                      \
        unsigned: param_size,                                                                      \
        unsigned long: param_size,                                                                 \
        bool: param_bool,                                                                          \
        char *: param_text,                                                                        \
        const char *: param_text,                                                                  \
        struct bytes: param_bytes,                                                                 \
        struct instant: param_time,                                                                \
        struct date: param_date,                                                                   \
        double: param_real,                                                                        \
        struct uuid_list: param_uuids,                                                             \
        struct int_list: param_ints,                                                               \
        struct text_list: param_texts,                                                             \
        struct instant_list: param_times)(value)
/* `true` and comparisons are int in C: say P_BOOL(a == b). */
#define P_BOOL(truth)        param_bool(truth)
#define P_JSON(text)         param_json(text)
#define P_UUID_VALUE(uuid)   param_uuid_value(uuid)
#define P_INT_IF(present, n) param_int_if(present, n)

/* ---- results ---- */

struct column {
    const char *name;
    enum db_type type;
    size_t offset;
    const char *const *names; /* DB_ENUM: NULL-terminated, in the order of the enum */
};

#define DB_TYPE_OF(value)                                                                          \
    _Generic((value),                                                                              \
        struct uuid: DB_UUID,                                                                      \
        int64_t: DB_INT,                                                                           \
        int: DB_INT32,                                                                             \
        bool: DB_BOOL,                                                                             \
        char *: DB_TEXT,                                                                           \
        const char *: DB_TEXT,                                                                     \
        struct bytes: DB_BYTES,                                                                    \
        struct instant: DB_TIME,                                                                   \
        struct date: DB_DATE,                                                                      \
        double: DB_REAL,                                                                           \
        struct uuid_list: DB_UUIDS,                                                                \
        struct int_list: DB_INTS,                                                                  \
        struct text_list: DB_TEXTS)
/* The column has the field's name; the type follows from the field. */
#define COLUMN(type, field) COLUMN_AS(#field, type, field)
#define COLUMN_AS(column_name, type, field)                                                        \
    {                                                                                              \
        (column_name), DB_TYPE_OF(((type *)NULL)->field), offsetof(type, field), NULL              \
    }
#define COLUMN_ENUM(type, field, enum_names)                                                       \
    {                                                                                              \
#field, DB_ENUM, offsetof(type, field), (enum_names)                                       \
    }
/* A struct money field from the columns <name>_minor and <currency column>. */
#define COLUMN_MONEY(minor_name, currency_name, type, field)                                       \
    {(minor_name), DB_INT, offsetof(type, field.minor), NULL},                                     \
    {                                                                                              \
        (currency_name), DB_CURRENCY, offsetof(type, field.currency), NULL                         \
    }

struct shape {
    const struct column *columns;
    size_t count;
    size_t size; /* of the struct */
};
#define SHAPE(type, column_array)                                                                  \
    {                                                                                              \
        (column_array), COUNT(column_array), sizeof(type)                                          \
    }

struct rows {
    void *at; /* an array of the shape's struct */
    size_t count;
};

/* ---- statements ---- */

struct statement {
    const char *name;
    const char *sql;
    int rows_max; /* more rows are ERR_LIMIT */
};
#define STATEMENT(constant, text) STATEMENT_ROWS(constant, DB_ROWS_MAX, text)
#define STATEMENT_ROWS(constant, most_rows, text)                                                  \
    static const struct statement constant = {#constant, (text), (most_rows)}

/* `changed`: rows inserted, updated or deleted; may be NULL. */
enum err db_exec(const struct scope *scope, const struct statement *statement,
                 const struct params *params, int64_t *changed) MUST_USE;
/* One row; ERR_NOT_FOUND when there is none, ERR_LIMIT when there are more. */
enum err db_one(const struct scope *scope, const struct statement *statement,
                const struct params *params, const struct shape *shape, void *into) MUST_USE;
/* One row or none. */
enum err db_maybe(const struct scope *scope, const struct statement *statement,
                  const struct params *params, const struct shape *shape, void *into,
                  bool *found) MUST_USE;
enum err db_all(const struct scope *scope, const struct statement *statement,
                const struct params *params, const struct shape *shape, struct rows *into) MUST_USE;
/* The first column of the only row as a number; ERR_NOT_FOUND when there is no row. */
enum err db_int(const struct scope *scope, const struct statement *statement,
                const struct params *params, int64_t *into) MUST_USE;
/* Sends without waiting, inside a transaction only; an error shows at the next call or at the
 * commit. For many small writes: one round trip for up to DB_LATER_MAX of them. */
enum err db_later(const struct scope *scope, const struct statement *statement,
                  const struct params *params) MUST_USE;

/* ---- transactions ---- */

typedef enum err db_unit(const struct scope *scope, void *arg);

/* Runs `unit` in one transaction and commits if it returned OK. Run again (at most DB_ATTEMPTS_MAX
 * times) when the database asks for it, and once when the connection was lost before COMMIT, so
 * `unit` must not change anything but the database and what it derives anew. Inside a transaction
 * it joins that one. */
enum err db_transaction(const struct scope *scope, db_unit *unit, void *arg) MUST_USE;
/* The same, reading one consistent snapshot; writes are refused. */
enum err db_snapshot(const struct scope *scope, db_unit *unit, void *arg) MUST_USE;
/* Inside a transaction: undoes only what `unit` did when it fails, and returns its error. */
enum err db_savepoint(const struct scope *scope, db_unit *unit, void *arg) MUST_USE;
/* The wake callback of the settings runs once after this transaction committed. */
void db_wake_after_commit(const struct scope *scope);

/* ---- connections ---- */

/* Connects. The connection outlives `arena`, which only takes the failure. */
enum err db_open(struct arena *arena, const struct db_settings *settings,
                 struct db **into) MUST_USE;
void db_close(struct db *db);
/* Connects anew if the connection was lost. Statements outside a transaction do so themselves. */
enum err db_ensure(struct db *db, struct arena *arena) MUST_USE;
bool db_lost(const struct db *db);
/* A script of several statements in one go (migrations, tests); no parameters, no result. */
enum err db_script(struct db *db, struct arena *arena, const char *sql) MUST_USE;
int64_t db_statements_sent(const struct db *db); /* for budgets */

/* ---- listening ---- */

enum err db_listen(struct db *db, struct arena *arena, const char *channel) MUST_USE;
/* Waits for notifications; several count as one. `wake_fd` (or -1) ends the wait early. */
enum err db_wait(struct db *db, struct arena *arena, int timeout_ms, int wake_fd,
                 bool *notified) MUST_USE;
enum err db_notify(struct db *db, struct arena *arena, const char *channel) MUST_USE;

/* ---- pool ---- */

struct db_pool;

/* At most `count` connections, opened when first needed. */
struct db_pool *db_pool_open(const struct db_settings *settings, size_t count);
void db_pool_close(struct db_pool *pool); /* everything must have been returned */
/* ERR_BUSY when none became free in time. */
enum err db_pool_borrow(struct db_pool *pool, struct arena *arena, int wait_ms,
                        struct db **into) MUST_USE;
void db_pool_return(struct db_pool *pool, struct db *db);

#endif
