/* Migrations: from empty, twice, changed, missing; directory and region in two databases. */
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support.h"
#include "base/text.h"

#define DIRECTORY_FILES SOURCE_ROOT "/migrations/directory"
#define REGION_FILES    SOURCE_ROOT "/migrations/region"

static void from_empty_and_then_nothing(void **state)
{
    (void)state;
    struct fixture fixture;
    struct migrate_report first, again;
    bool behind = false;
    fixture_open_empty(&fixture, "test_migrate");
    assert_ok(&fixture,
              migrate_behind(fixture.owner, fixture.arena, SCHEMA_REGION, REGION_FILES, &behind));
    assert_true(behind);
    assert_ok(&fixture, migrate(fixture.owner, fixture.arena, SCHEMA_REGION, REGION_FILES, &first));
    assert_true(first.applied > 0 && first.applied == first.total);
    assert_ok(&fixture, migrate(fixture.owner, fixture.arena, SCHEMA_REGION, REGION_FILES, &again));
    assert_true(again.applied == 0 && again.total == first.total);
    /* serve asks with the application's rights */
    fixture.app = fixture_connect(&fixture, "app");
    assert_ok(&fixture,
              migrate_behind(fixture.app, fixture.arena, SCHEMA_REGION, REGION_FILES, &behind));
    assert_false(behind);
    fixture_close(&fixture);
}

static void write_file(const char *directory, const char *name, const char *text)
{
    char path[300];
    snprintf(path, sizeof(path), "%s/%s", directory, name);
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *level)
{
    (void)status;
    (void)kind;
    (void)level;
    return remove(path);
}

static void what_was_applied_must_stay_as_it_was(void **state)
{
    (void)state;
    struct fixture fixture;
    struct migrate_report report;
    char files[] = "/tmp/sluice-migrate.XXXXXX";
    assert_non_null(mkdtemp(files));
    fixture_open_empty(&fixture, "test_migrate_changed");
    write_file(files, "0001_first.sql", "CREATE TABLE directory.a (n int);");
    write_file(files, "0002_second.sql", "CREATE TABLE directory.b (n int);");
    assert_ok(&fixture, migrate(fixture.owner, fixture.arena, SCHEMA_DIRECTORY, files, &report));
    assert_int_equal(report.applied, 2);
    /* one that fails leaves nothing of itself, and the earlier ones */
    write_file(files, "0003_third.sql", "CREATE TABLE directory.c (n int); SELECT nonsense;");
    assert_err(&fixture, ERR_DB,
               migrate(fixture.owner, fixture.arena, SCHEMA_DIRECTORY, files, &report));
    assert_non_null(strstr(arena_failure(fixture.arena)->detail, "0003_third"));
    write_file(files, "0003_third.sql", "CREATE TABLE directory.c (n int);");
    assert_ok(&fixture, migrate(fixture.owner, fixture.arena, SCHEMA_DIRECTORY, files, &report));
    assert_int_equal(report.applied, 1);
    /* a file that changed afterwards */
    write_file(files, "0002_second.sql", "CREATE TABLE directory.b (n bigint);");
    assert_err(&fixture, ERR_CONFIG,
               migrate(fixture.owner, fixture.arena, SCHEMA_DIRECTORY, files, &report));
    assert_non_null(strstr(arena_failure(fixture.arena)->detail, "0002_second"));
    /* a program that is older than its database */
    char third[300];
    snprintf(third, sizeof(third), "%s/0003_third.sql", files);
    assert_int_equal(unlink(third), 0);
    assert_err(&fixture, ERR_CONFIG,
               migrate(fixture.owner, fixture.arena, SCHEMA_DIRECTORY, files, &report));
    /* a gap in the numbers */
    write_file(files, "0007_seventh.sql", "SELECT 1;");
    assert_err(&fixture, ERR_CONFIG,
               migrate(fixture.owner, fixture.arena, SCHEMA_DIRECTORY, files, &report));
    fixture_close(&fixture);
    assert_int_equal(nftw(files, remove_one, 4, FTW_DEPTH | FTW_PHYS), 0);
}

STATEMENT(schema_count_sql, "SELECT count(*) FROM pg_catalog.pg_namespace WHERE nspname = $1");

static int64_t schemas_named(struct fixture *fixture, const char *name)
{
    struct untenanted at = db_untenanted(fixture->owner, fixture->arena);
    int64_t n = -1;
    assert_ok(fixture, db_int(&at.scope, &schema_count_sql, PARAMS(P(name)), &n));
    return n;
}

static void directory_and_region_may_live_apart(void **state)
{
    (void)state;
    struct fixture directory, region;
    struct migrate_report report;
    fixture_open_empty(&directory, "test_apart_directory");
    fixture_open_empty(&region, "test_apart_region");
    assert_ok(&directory, migrate(directory.owner, directory.arena, SCHEMA_DIRECTORY,
                                  DIRECTORY_FILES, &report));
    assert_ok(&region, migrate(region.owner, region.arena, SCHEMA_REGION, REGION_FILES, &report));
    assert_int_equal(schemas_named(&directory, "region"), 0);
    assert_int_equal(schemas_named(&region, "directory"), 0);
    fixture_close(&directory);
    fixture_close(&region);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(from_empty_and_then_nothing),
        cmocka_unit_test(what_was_applied_must_stay_as_it_was),
        cmocka_unit_test(directory_and_region_may_live_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
