/* Structured logs: one JSON object a line on a stream, an event name and fields, never a sentence
 * and never a secret. Thread-safe: one write(2) per line. */
#ifndef SLUICE_LOG_H
#define SLUICE_LOG_H

#include "base/time.h"
#include "base/uuid.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

struct log {
    int fd;
    enum log_level least;
    const struct clock *clock;
};

struct log_field {
    const char *name;
    enum { LOG_TEXT, LOG_INT, LOG_UUID } kind;
    const char *text;
    int64_t number;
    struct uuid uuid;
};

#define LOG_T(field, value)                                                                        \
    {                                                                                              \
        .name = (field), .kind = LOG_TEXT, .text = (value)                                         \
    }
#define LOG_N(field, value)                                                                        \
    {                                                                                              \
        .name = (field), .kind = LOG_INT, .number = (int64_t)(value)                               \
    }
#define LOG_U(field, value)                                                                        \
    {                                                                                              \
        .name = (field), .kind = LOG_UUID, .uuid = (value)                                         \
    }

/* log_event(log, LOG_INFO, "page.stored", LOG_N("rows", n), LOG_U("workspace", id)); text fields
 * are cut at 2 KiB, a NULL text is left out. */
#define log_event(log, level, event, ...)                                                          \
    log_write(log, level, event, (struct log_field[]){__VA_ARGS__},                                \
              sizeof((struct log_field[]){__VA_ARGS__}) / sizeof(struct log_field))

void log_write(const struct log *log, enum log_level level, const char *event,
               const struct log_field *fields, size_t count);
bool log_level_parse(const char *text, enum log_level *into); /* debug, info, warn, error */

#endif
