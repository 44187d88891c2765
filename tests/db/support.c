#include <unistd.h>

#include "support.h"

static char *cluster_value(struct arena *arena, const char *key)
{
    FILE *file = fopen(TEST_CLUSTER "/env", "re");
    char line[512];
    char *found = NULL;
    if (!file)
        fail_msg("no cluster: run tests/db/cluster start %s", TEST_CLUSTER);
    while (fgets(line, sizeof(line), file)) {
        size_t n = strlen(key);
        line[strcspn(line, "\n")] = '\0';
        if (strncmp(line, key, n) == 0 && line[n] == '=') {
            char *value = arena_text(arena, line + n + 1);
            size_t value_n = strlen(value);
            if (value[0] == '\'' && value_n >= 2) {
                value[value_n - 1] = '\0';
                value++;
            }
            found = value;
        }
    }
    (void)fclose(file);
    if (!found)
        fail_msg("the cluster's env lacks %s", key);
    return found;
}

static struct db *connect_to(struct fixture *fixture, const char *user, const char *database)
{
    struct db_settings settings = {
        .conninfo = arena_format(fixture->arena, "host=%s port=%s dbname=%s user=%s",
                                 cluster_value(fixture->arena, "PGHOST"),
                                 cluster_value(fixture->arena, "PGPORT"), database, user),
        .application = "tests",
        .clock = &fixture->clock,
        .rand = &fixture->rand,
    };
    struct db *db = NULL;
    assert_ok(fixture, db_open(fixture->arena, &settings, &db));
    return db;
}

struct db_settings fixture_settings(struct fixture *fixture, const char *role)
{
    return (struct db_settings){
        .conninfo = arena_format(fixture->arena, "host=%s port=%s dbname=%s user=sluice_%s",
                                 cluster_value(fixture->arena, "PGHOST"),
                                 cluster_value(fixture->arena, "PGPORT"), fixture->database, role),
        .application = "tests",
        .clock = &fixture->clock,
        .rand = &fixture->rand,
    };
}

struct db *fixture_connect(struct fixture *fixture, const char *role)
{
    struct db_settings settings = fixture_settings(fixture, role);
    struct db *db = NULL;
    assert_ok(fixture, db_open(fixture->arena, &settings, &db));
    return db;
}

static void server_script(struct fixture *fixture, const char *sql)
{
    struct db *db = connect_to(fixture, "postgres", "postgres");
    assert_ok(fixture, db_script(db, fixture->arena, "SET statement_timeout = 0"));
    assert_ok(fixture, db_script(db, fixture->arena, sql));
    db_close(db);
}

struct db *fixture_superuser_connect(struct fixture *fixture)
{
    return connect_to(fixture, "postgres", fixture->database);
}

void fixture_superuser(struct fixture *fixture, const char *sql)
{
    struct db *db = fixture_superuser_connect(fixture);
    assert_ok(fixture, db_script(db, fixture->arena, sql));
    db_close(db);
}

static void drop_database(struct fixture *fixture)
{
    server_script(fixture, arena_format(fixture->arena, "DROP DATABASE IF EXISTS %s WITH (FORCE)",
                                        fixture->database));
}

static void database_new(struct fixture *fixture, const char *name, const char *template)
{
    *fixture = (struct fixture){.arena = arena_open()};
    rand_open(&fixture->rand, 0);
    snprintf(fixture->database, sizeof(fixture->database), "%s", name);
    drop_database(fixture);
    server_script(fixture,
                  arena_format(fixture->arena, "CREATE DATABASE %s OWNER sluice_owner TEMPLATE %s",
                               name, template));
    server_script(fixture,
                  arena_format(fixture->arena,
                               "GRANT CONNECT ON DATABASE %s TO sluice_app, sluice_queue", name));
    fixture->owner = fixture_connect(fixture, "owner");
}

void fixture_open_empty(struct fixture *fixture, const char *name)
{
    database_new(fixture, name, "template0");
}

void fixture_open(struct fixture *fixture, const char *name)
{
    database_new(fixture, name, TEST_TEMPLATE);
    fixture->app = fixture_connect(fixture, "app");
    fixture->queue = fixture_connect(fixture, "queue");
    fixture->workspace = uuid_v7(&fixture->rand, clock_now(&fixture->clock));
    fixture->other_workspace = uuid_v7(&fixture->rand, clock_now(&fixture->clock));
}

void fixture_close(struct fixture *fixture)
{
    db_close(fixture->owner);
    db_close(fixture->app);
    db_close(fixture->queue);
    drop_database(fixture);
    rand_close(&fixture->rand);
    arena_close(fixture->arena);
}

struct scope fixture_scope(struct fixture *fixture)
{
    return scope_make(fixture->app, fixture->arena, fixture->workspace);
}

struct scope fixture_other_scope(struct fixture *fixture)
{
    return scope_make(fixture->app, fixture->arena, fixture->other_workspace);
}

struct untenanted fixture_untenanted(struct fixture *fixture)
{
    return db_untenanted(fixture->app, fixture->arena);
}

void assert_err_at(struct fixture *fixture, enum err expected, enum err actual, int line)
{
    if (actual == expected)
        return;
    const struct failure *failure = arena_failure(fixture->arena);
    fail_msg("line %d: expected %s, was %s: %s [%s]", line, err_slug(expected), err_slug(actual),
             failure->detail ? failure->detail : "", failure->field ? failure->field : "");
}
