/* Reading documents in this process, for tests of what is read. */
#ifndef SLUICE_TESTS_READING_SUPPORT_H
#define SLUICE_TESTS_READING_SUPPORT_H

#include "connectors/document/reading/reading.h"

enum { FILE_BYTES_MAX = 1024 * 1024 };

static inline struct bytes file_bytes(struct arena *arena, const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        fail_msg("cannot read %s", path);
    uint8_t *data = arena_alloc(arena, FILE_BYTES_MAX);
    size_t n = fread(data, 1, FILE_BYTES_MAX - 1, file);
    fclose(file);
    assert_true(n < FILE_BYTES_MAX - 1);
    return (struct bytes){data, n};
}

static inline struct reading read_bytes(struct arena *arena, struct bytes document)
{
    struct reading_limits limits = reading_limits_default();
    struct reading reading;
    reading_extract(arena, document, &limits, &reading);
    return reading;
}

static inline struct reading read_text(struct arena *arena, const char *text)
{
    return read_bytes(arena, (struct bytes){(const uint8_t *)text, strlen(text)});
}

static inline void assert_reason(const struct reading *reading, enum reading_reason reason)
{
    assert_string_equal(reading_reason_slug(reading->reason), reading_reason_slug(reason));
}

#define CBC " xmlns:cbc=\"urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2\""
#define CAC                                                                                        \
    " xmlns:cac=\"urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2\""
#define UBL "urn:oasis:names:specification:ubl:schema:xsd:"

#endif
