/* A database of one's own for a test program, and the connections of the three roles. */
#ifndef SLUICE_TEST_DB_SUPPORT_H
#define SLUICE_TEST_DB_SUPPORT_H

#include "db/db.h"
#include "db/migrate.h"
#include "store/scope_make.h"

/* cmocka's header needs these first. */
#include <setjmp.h>
#include <cmocka.h>

#define TEST_TEMPLATE "sluice_template"

struct fixture {
    struct arena *arena;
    struct clock clock;
    struct rand_source rand;
    char database[64];
    struct db *owner;
    struct db *app;
    struct db *queue;
    struct uuid workspace; /* two tenants that every test may use */
    struct uuid other_workspace;
};

/* Copies the template into a database of this name. */
void fixture_open(struct fixture *fixture, const char *name);
/* The same from an empty database: no schema at all, owner only. */
void fixture_open_empty(struct fixture *fixture, const char *name);
void fixture_close(struct fixture *fixture);

struct db *fixture_connect(struct fixture *fixture, const char *role);
struct db_settings fixture_settings(struct fixture *fixture, const char *role);
struct scope fixture_scope(struct fixture *fixture);       /* of `workspace`, by the application */
struct scope fixture_other_scope(struct fixture *fixture); /* of `other_workspace` */
struct untenanted fixture_untenanted(struct fixture *fixture);
/* Runs a script as the superuser in this database; fails the test when it fails. */
void fixture_superuser(struct fixture *fixture, const char *sql);
struct db *fixture_superuser_connect(struct fixture *fixture);

/* Prints the failure when it is not what was expected. */
#define assert_err(fixture, expected, call) assert_err_at(fixture, expected, call, __LINE__)
#define assert_ok(fixture, call)            assert_err(fixture, OK, call)
void assert_err_at(struct fixture *fixture, enum err expected, enum err actual, int line);

#endif
