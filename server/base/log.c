#include "base/log.h"

#include <unistd.h>

#include "base/buf.h"
#include "base/text.h"

enum { LINE_BYTES_MAX = 16 * 1024, TEXT_BYTES_MAX = 2048 };

static const char *const level_names[] = {"debug", "info", "warn", "error"};

bool log_level_parse(const char *text, enum log_level *into)
{
    for (size_t i = 0; i < COUNT(level_names); i++) {
        if (text_equal(text, level_names[i])) {
            *into = (enum log_level)i;
            return true;
        }
    }
    return false;
}

static void add_field(struct buf *line, const struct log_field *field)
{
    if (field->kind == LOG_TEXT && !field->text)
        return;
    buf_add_char(line, ',');
    buf_add_json(line, field->name);
    buf_add_char(line, ':');
    switch (field->kind) {
    case LOG_TEXT:
        buf_add_json(line,
                     arena_text_n(line->arena, field->text, strnlen(field->text, TEXT_BYTES_MAX)));
        break;
    case LOG_INT:
        buf_format(line, "%" PRId64, field->number);
        break;
    case LOG_UUID:
        buf_add_json(line, uuid_format(line->arena, field->uuid));
        break;
    }
}

void log_write(const struct log *log, enum log_level level, const char *event,
               const struct log_field *fields, size_t count)
{
    if (!log || level < log->least)
        return;
    struct arena *arena = arena_open();
    struct buf line = buf_new(arena, LINE_BYTES_MAX);
    buf_format(&line, "{\"at\":\"%s\",\"level\":\"%s\",\"event\":\"%s\"",
               instant_format(arena, clock_now(log->clock)), level_names[level], event);
    for (size_t i = 0; i < count; i++)
        add_field(&line, &fields[i]);
    buf_add_text(&line, "}\n");
    if (line.overflowed) { /* say so rather than write half a line */
        line = buf_new(arena, LINE_BYTES_MAX);
        buf_format(&line, "{\"event\":\"%s\",\"cut\":true}\n", event);
    }
    ssize_t written = write(log->fd, line.data, line.n);
    (void)written; /* nowhere to report that the log cannot be written */
    arena_close(arena);
}
