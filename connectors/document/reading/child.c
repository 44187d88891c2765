#include <errno.h>
#include <libxml/parser.h>
#include <unistd.h>

#include "base/base.h"

#include "base/text.h"
#include "connectors/document/reading/child.h"
#include "connectors/document/reading/confine.h"
#include "connectors/document/reading/reading.h"

enum { STATUS_BROKEN_PIPE = 71 };

static bool limits_parse(char *const *arguments, int count, struct reading_limits *into)
{
#define LIMIT_PLACE(name, value) &into->name,
    int64_t *const places[] = {READING_LIMIT_TABLE(LIMIT_PLACE)};
    if (count != (int)COUNT(places))
        return false;
    for (size_t i = 0; i < COUNT(places); i++) {
        if (!int64_parse(arguments[i], 1, INT64_MAX / 2, places[i]))
            return false;
    }
    return true;
}

/* One byte more than is allowed, so that more can be told from enough. Untouched pages cost
 * nothing. */
static struct bytes read_all(int64_t bytes_max)
{
    size_t room = (size_t)bytes_max + 1;
    size_t n = 0;
    uint8_t *data = malloc(room);
    if (!data)
        _exit(CHILD_STATUS_UNCONFINED);
    while (n < room) {
        ssize_t got = read(STDIN_FILENO, data + n, room - n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            _exit(STATUS_BROKEN_PIPE);
        if (got == 0)
            break;
        n += (size_t)got;
    }
    return (struct bytes){data, n};
}

static void write_all(const char *text, size_t n)
{
    while (n > 0) {
        ssize_t put = write(STDOUT_FILENO, text, n);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            _exit(STATUS_BROKEN_PIPE);
        text += put;
        n -= (size_t)put;
    }
}

/* Decoders that the C library keeps in files of their own; a confined process opens none. UTF-8,
 * UTF-16, ISO-8859-1 and ASCII need no file. */
static void load_encodings(void)
{
    static const char *const names[] = {"windows-1252", "ISO-8859-15"};
    for (size_t i = 0; i < COUNT(names); i++)
        xmlFindCharEncodingHandler(names[i]);
}

/* Ends without running anybody's exit handlers: they belong to a program that serves. */
void reading_child(char *const *arguments, int argument_count)
{
    struct reading_limits limits;
    struct reading reading;
    xmlInitParser();
    load_encodings();
    if (!limits_parse(arguments, argument_count, &limits) || !confine(&limits))
        _exit(CHILD_STATUS_UNCONFINED);
    struct arena *arena = arena_open();
    reading_extract(arena, read_all(limits.bytes), &limits, &reading);
    const char *answer = json_write(arena, reading_json(arena, &reading));
    write_all(answer, strlen(answer));
    _exit(0);
}
