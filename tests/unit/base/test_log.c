#include "unit.h"

#include <unistd.h>

#include "base/log.h"
#include "base/text.h"

static char *logged(struct arena *arena, void (*write_lines)(const struct log *log))
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    struct clock clock = {0};
    struct log log = {.fd = ends[1], .least = LOG_INFO, .clock = &clock};
    write_lines(&log);
    close(ends[1]);
    char *text = arena_alloc(arena, 32 * 1024);
    ssize_t n = read(ends[0], text, 32 * 1024 - 1);
    close(ends[0]);
    assert_true(n >= 0);
    return text;
}

static void write_some(const struct log *log)
{
    log_event(log, LOG_DEBUG, "not.seen", LOG_N("n", 1));
    log_event(log, LOG_WARN, "page.stored", LOG_N("rows", -3), LOG_T("name", "a\"b"),
              LOG_T("absent", (const char *)NULL));
}

static void lines_are_json_with_an_event_and_fields(void **state)
{
    char *text = logged(*state, write_some);
    assert_non_null(strstr(text, "\"level\":\"warn\",\"event\":\"page.stored\",\"rows\":-3,"
                                 "\"name\":\"a\\\"b\"}\n"));
    assert_null(strstr(text, "not.seen"));
    assert_null(strstr(text, "absent"));
}

static void write_long(const struct log *log)
{
    char text[5000];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    log_event(log, LOG_ERROR, "long", LOG_T("a", text));
}

static void long_texts_are_cut(void **state)
{
    char *text = logged(*state, write_long);
    assert_true(strlen(text) < 2200);
    assert_true(text_ends(text, "x\"}\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_ARENA(lines_are_json_with_an_event_and_fields),
        WITH_ARENA(long_texts_are_cut),
    };
    return RUN(tests);
}
