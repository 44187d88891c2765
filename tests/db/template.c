/* Makes the template database: empty, then every migration. */
#include "support.h"

static void template_made(void **state)
{
    (void)state;
    struct fixture fixture;
    struct migrate_report report;
    fixture_open_empty(&fixture, TEST_TEMPLATE);
    assert_ok(&fixture, migrate(fixture.owner, fixture.arena, SCHEMA_DIRECTORY,
                                SOURCE_ROOT "/migrations/directory", &report));
    assert_ok(&fixture, migrate(fixture.owner, fixture.arena, SCHEMA_REGION,
                                SOURCE_ROOT "/migrations/region", &report));
    db_close(fixture.owner);
    rand_close(&fixture.rand);
    arena_close(fixture.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(template_made)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
