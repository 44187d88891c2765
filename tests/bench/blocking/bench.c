/* bench_blocking WORKSPACES ENTRIES: what blocking costs a record and how often the true entry is
 * among what it finds, arm by arm, beside what it was before. `run` starts the cluster. */
#include "base/base.h"

#include <stdlib.h>

#include "ledger.h"
#include "peer.h"

#include "base/text.h"
#include "db/migrate.h"
#include "store/blocking_sql.h"
#include "store/scope_make.h"

enum { ASKED = 1000, ASKED_OF_PEER = 200, WINDOW = 100, NUMBER_BASE = 10 };

struct bench {
    struct arena *arena;
    struct clock clock;
    struct rand_source rand;
    struct db *owner, *app;
    struct ledgers ledgers;
};

struct found_id {
    struct uuid id;
};
static const struct column id_columns[] = {COLUMN(struct found_id, id)};
static const struct shape id_shape = SHAPE(struct found_id, id_columns);

/* Statements that are put together from macros. */
/* clang-format off */
#define ALONE_SQL(arm)                                                                             \
    "WITH q AS MATERIALIZED (" BLOCKING_QUERIES_SQL ")"                                            \
    " SELECT a.id FROM q CROSS JOIN LATERAL " arm " a"
STATEMENT(bench_reference_sql, ALONE_SQL(REFERENCE_ARM));
STATEMENT(bench_counterparty_sql, ALONE_SQL(COUNTERPARTY_ARM));
STATEMENT(bench_amount_sql, ALONE_SQL(AMOUNT_ARM));
STATEMENT(bench_net_sql, ALONE_SQL(NET_ARM));
STATEMENT(bench_name_sql, ALONE_SQL(NAME_ARM));
STATEMENT(bench_alias_sql, "WITH q AS MATERIALIZED (" BLOCKING_QUERIES_SQL ")"
                           " SELECT a.counterparty_id AS id FROM q CROSS JOIN LATERAL " ALIAS_ARM
                           " a WHERE $3::uuid IS NOT NULL");
/* clang-format on */

STATEMENT(bench_parties_sql,
          "INSERT INTO region.counterparty (workspace_id, id, name, core_name, norm_version,"
          " company, created_at) SELECT $1, gen_random_uuid(), n.near_name, n.near_name, '1', true,"
          " $2 FROM (SELECT DISTINCT near_name FROM region.ledger_entry WHERE workspace_id = $1"
          " AND near_name IS NOT NULL) n");
STATEMENT(bench_aliases_sql,
          "INSERT INTO region.counterparty_alias (workspace_id, name_norm, counterparty_id, name,"
          " core_name, norm_version, created_at) SELECT $1, core_name, id, name, core_name, '1', $2"
          " FROM region.counterparty WHERE workspace_id = $1");

/* ---- one way of finding, timed ---- */

struct series {
    const char *name;
    double ms[ASKED];
    size_t count;
    size_t right; /* how often the true entry was found */
};

static int double_order(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static double percentile(struct series *series, size_t percent)
{
    qsort(series->ms, series->count, sizeof *series->ms, double_order);
    return series->ms[(series->count - 1) * percent / 100];
}

static void print(struct series *series)
{
    double p50 = percentile(series, 50), p95 = percentile(series, 95);
    printf("%-34s %8.2f %8.2f %8.2f   %6.2f %%\n", series->name, p50, p95, percentile(series, 99),
           100.0 * (double)series->right / (double)series->count);
}

static bool holds(const struct rows *rows, size_t size, size_t offset, struct uuid id)
{
    for (size_t i = 0; i < rows->count; i++) {
        struct uuid found;
        memcpy(&found, (const uint8_t *)rows->at + i * size + offset, sizeof found);
        if (uuid_equal(found, id))
            return true;
    }
    return false;
}

static enum err find_by(const struct statement *statement, const struct asked *asked,
                        const struct scope *scope, struct rows *rows)
{
    return db_all(scope, statement,
                  PARAMS(P(scope->workspace),
                         P_JSON(blocking_queries(scope->arena, &asked->query, 1)),
                         P(asked->connection)),
                  &id_shape, rows);
}

/* `statement` NULL: blocking_find itself. */
static enum err time_one(struct bench *bench, const struct statement *statement, size_t at,
                         struct series *series)
{
    const struct asked *asked = &bench->ledgers.asked[at];
    struct scope scope = asked->scope;
    struct rows rows;
    scope.arena = arena_open();
    int64_t start = monotonic_us();
    enum err err = statement ? find_by(statement, asked, &scope, &rows)
                             : blocking_find(&scope, asked->connection, &asked->query, 1, &rows);
    series->ms[series->count] = (double)(monotonic_us() - start) / 1000;
    if (err != OK) {
        err = arena_failure_move(bench->arena, scope.arena, err);
    } else {
        size_t offset = statement ? 0 : offsetof(struct blocking_entry, id);
        size_t size = statement ? sizeof(struct found_id) : sizeof(struct blocking_entry);
        series->right += holds(&rows, size, offset, asked->truth);
        series->count++;
    }
    arena_close(scope.arena);
    return err;
}

static enum err time_all(struct bench *bench, const char *name, const struct statement *statement,
                         size_t wanted, double *p50)
{
    size_t count = bench->ledgers.asked_count < wanted ? bench->ledgers.asked_count : wanted;
    size_t step = bench->ledgers.asked_count / count;
    struct series *series = arena_array(bench->arena, 1, sizeof *series);
    for (size_t i = 0; i < count; i++)
        TRY(time_one(bench, statement, i * step, series));
    *series = (struct series){.name = name}; /* what it reads is in memory now */
    for (size_t i = 0; i < count; i++)
        TRY(time_one(bench, statement, i * step, series));
    print(series);
    if (p50)
        *p50 = percentile(series, 50);
    return OK;
}

/* As scoring asks: many records of one workspace at once. */
static enum err time_window(struct bench *bench)
{
    struct blocking_query queries[WINDOW];
    const struct asked *first = &bench->ledgers.asked[0];
    size_t count = 0;
    for (size_t i = 0; i < bench->ledgers.asked_count && count < WINDOW; i++) {
        const struct asked *asked = &bench->ledgers.asked[i];
        if (uuid_equal(asked->connection, first->connection))
            queries[count++] = asked->query;
    }
    struct scope scope = first->scope;
    struct rows rows;
    int64_t start = monotonic_us();
    TRY(blocking_find(&scope, first->connection, queries, count, &rows));
    printf("a window of %zu records at once: %.2f ms a record, %.1f candidates\n", count,
           (double)(monotonic_us() - start) / 1000 / (double)count,
           (double)rows.count / (double)count);
    return OK;
}

static enum err measure(struct bench *bench)
{
    static const struct {
        const char *name;
        const struct statement *sql;
    } arms[] = {{"reference", &bench_reference_sql},
                {"counterparty (none is set)", &bench_counterparty_sql},
                {"amount", &bench_amount_sql},
                {"net amount", &bench_net_sql},
                {"nearest names", &bench_name_sql}};
    double whole, former, names = 0, former_names, parties, former_parties;
    printf("%-34s %8s %8s %8s   %8s\n", "ms a record", "p50", "p95", "p99", "found");
    for (size_t i = 0; i < COUNT(arms); i++)
        TRY(time_all(bench, arms[i].name, arms[i].sql, ASKED, &names));
    TRY(time_all(bench, "blocking, whole", NULL, ASKED, &whole));
    TRY(time_all(bench, "the former's records: names", &bench_name_sql, ASKED_OF_PEER, &names));
    TRY(time_all(bench, "the former's records: whole", NULL, ASKED_OF_PEER, &whole));
    TRY(time_all(bench, "counterparties by name", &bench_alias_sql, ASKED, &parties));
    TRY(time_all(bench, "former: nearest names", peer_name_arm, ASKED_OF_PEER, &former_names));
    TRY(time_all(bench, "former: whole", peer_whole, ASKED_OF_PEER, &former));
    TRY(time_all(bench, "former: counterparties by name", peer_parties, ASKED_OF_PEER,
                 &former_parties));
    TRY(time_window(bench));
    printf("times faster at p50: names %.1f, whole %.1f, counterparties %.1f\n",
           former_names / names, former / whole, former_parties / parties);
    return OK;
}

/* ---- the database ---- */

static enum err connect_as(struct bench *bench, const char *variable, struct db **into)
{
    const char *conninfo = getenv(variable);
    if (!conninfo)
        return arena_fail(bench->arena, ERR_CONFIG, variable, "%s is not set.", variable);
    const struct db_settings settings = {
        .conninfo = conninfo, .application = "bench", .clock = &bench->clock, .rand = &bench->rand};
    return db_open(bench->arena, &settings, into);
}

static enum err script(struct bench *bench, const char *sql)
{
    return db_script(bench->owner, bench->arena, sql);
}

static enum err parties_make(struct bench *bench)
{
    struct uuid done = {{0}};
    for (size_t i = 0; i < bench->ledgers.asked_count; i++) {
        const struct scope *scope = &bench->ledgers.asked[i].scope;
        if (uuid_equal(scope->workspace, done))
            continue;
        done = scope->workspace;
        TRY(db_exec(scope, &bench_parties_sql, PARAMS(P(done), P(db_now(scope))), NULL));
        TRY(db_exec(scope, &bench_aliases_sql, PARAMS(P(done), P(db_now(scope))), NULL));
    }
    return OK;
}

static enum err prepare(struct bench *bench, size_t workspaces, size_t entries)
{
    struct migrate_report report;
    TRY(connect_as(bench, "SLUICE_PG_OWNER", &bench->owner));
    TRY(migrate(bench->owner, bench->arena, SCHEMA_DIRECTORY, SOURCE_ROOT "/migrations/directory",
                &report));
    TRY(migrate(bench->owner, bench->arena, SCHEMA_REGION, SOURCE_ROOT "/migrations/region",
                &report));
    TRY(connect_as(bench, "SLUICE_PG_APP", &bench->app));
    struct scope scope = {.db = bench->app, .arena = bench->arena, .timeout_ms = 600000};
    TRY(ledgers_make(&scope, workspaces, entries, ASKED, &bench->ledgers));
    TRY(parties_make(bench));
    TRY(script(bench, "SET statement_timeout = 0"));
    TRY(script(bench, "VACUUM (ANALYZE) region.ledger_entry"));
    TRY(script(bench, "VACUUM (ANALYZE) region.name_key"));
    TRY(script(bench, "VACUUM (ANALYZE) region.counterparty"));
    TRY(script(bench, "VACUUM (ANALYZE) region.counterparty_alias"));
    TRY(script(bench, PEER_INDEX_SQL));
    printf("%zu workspaces, %zu entries, %zu names; mirrored at %.0f us an entry\n", workspaces,
           bench->ledgers.entries, bench->ledgers.names, bench->ledgers.mirror_us);
    return OK;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fputs("bench_blocking WORKSPACES ENTRIES\n", stderr);
        return 2;
    }
    struct bench bench = {.arena = arena_open()};
    rand_open(&bench.rand, 1);
    enum err err =
        prepare(&bench, strtoul(argv[1], NULL, NUMBER_BASE), strtoul(argv[2], NULL, NUMBER_BASE));
    if (err == OK)
        err = measure(&bench);
    if (err != OK)
        fprintf(stderr, "bench_blocking: %s\n", arena_failure(bench.arena)->detail);
    arena_close(bench.arena);
    return err == OK ? 0 : 1;
}
