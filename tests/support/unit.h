/* What every cmocka program of ours starts with. */
#ifndef SLUICE_TEST_UNIT_H
#define SLUICE_TEST_UNIT_H

#include "base/base.h"

#include <setjmp.h>

#include <cmocka.h>

#include "base/arena.h"

#define RUN(tests) cmocka_run_group_tests(tests, NULL, NULL)

/* An arena per test, closed also when the test fails. */
static inline int unit_arena_open(void **state)
{
    *state = arena_open();
    return 0;
}

static inline int unit_arena_close(void **state)
{
    arena_close(*state);
    return 0;
}

#define WITH_ARENA(test) cmocka_unit_test_setup_teardown(test, unit_arena_open, unit_arena_close)

static inline struct bytes unit_bytes(const char *text)
{
    return (struct bytes){(const uint8_t *)text, strlen(text)};
}

#endif
