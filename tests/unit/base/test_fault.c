/* Fault points: plans, counts, and what is no plan. */
#include "base/base.h"
#include "base/fault.h"

#include <setjmp.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

static int clear(void **state)
{
    (void)state;
    return fault_plan(NULL) ? 0 : 1;
}

static void a_point_fails_the_time_that_was_asked_for(void **state)
{
    (void)state;
    assert_true(fault_plan("db.commit:2"));
    assert_false(fault_point(FAULT_DB_COMMIT));
    assert_true(fault_point(FAULT_DB_COMMIT));
    assert_false(fault_point(FAULT_DB_COMMIT));
    assert_int_equal(fault_reached(FAULT_DB_COMMIT), 3);
    assert_false(fault_point(FAULT_DB_COMMITTED)); /* whose name begins alike */
}

static void a_plus_means_from_then_on(void **state)
{
    (void)state;
    assert_true(fault_plan("net.send:2+,db.send:1"));
    assert_false(fault_point(FAULT_NET_SEND));
    assert_true(fault_point(FAULT_NET_SEND));
    assert_true(fault_point(FAULT_NET_SEND));
    assert_true(fault_point(FAULT_DB_SEND));
}

static void a_kill_ends_the_process_as_if_by_signal(void **state)
{
    (void)state;
    pid_t child = fork();
    if (child == 0) {
        (void)fault_plan("delivery.sent:1:kill");
        (void)fault_point(FAULT_DELIVERY_SENT);
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void what_is_no_plan_is_refused(void **state)
{
    (void)state;
    const char *wrong[] = {"db.commit",    "db.commit:",   "db.commit:0", "db.commit:x",
                           "no.such:1",    "db.commit:1x", ":1",          "db.commit:1:kil",
                           "db.commit:-1", "db.commit:1,,"};
    for (size_t i = 0; i < COUNT(wrong); i++)
        assert_false(fault_plan(wrong[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_point_fails_the_time_that_was_asked_for, clear),
        cmocka_unit_test_setup(a_plus_means_from_then_on, clear),
        cmocka_unit_test_setup(a_kill_ends_the_process_as_if_by_signal, clear),
        cmocka_unit_test_setup(what_is_no_plan_is_refused, clear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
