/* Input is declared: a table of fields, each with its type, its bounds and its place in a struct.
 * Bodies and queries are read by the same tables. What the table does not name is refused, and the
 * failure names the field by its path: `settings.thresholds.flow`, `mapping.0.name`.
 *
 *   struct rename { const char *name; bool name_given; int64_t period_s; };
 *   static const struct input_field rename_fields[] = {
 *       FIELD_TEXT("name", struct rename, name, 1, 200, GIVEN(struct rename, name_given)),
 *       FIELD_INT("poll_period_s", struct rename, period_s, 60, 86400, OPTIONAL),
 *   };
 *
 * The struct holds the defaults before the call; an absent optional field leaves its member alone.
 * The macros check the member's C type when they are compiled. */
#ifndef SLUICE_JSON_IN_H
#define SLUICE_JSON_IN_H

#include "base/money.h"
#include "base/secret.h"
#include "base/time.h"
#include "base/uuid.h"
#include "json/json.h"

enum input_type {
    INPUT_TEXT,   /* const char *, one line; bounds in code points; white space alone is empty */
    INPUT_NOTE,   /* the same, with line breaks and tabs */
    INPUT_SECRET, /* const struct secret *; bounds in bytes */
    INPUT_INT,    /* int64_t */
    INPUT_BOOL,   /* bool */
    INPUT_MILLIONTHS, /* int64_t from a JSON number such as 0.85; bounds in millionths */
    INPUT_UUID,       /* struct uuid */
    INPUT_DATE,       /* struct date, "2026-11-20" */
    INPUT_INSTANT,    /* struct instant, RFC 3339 */
    INPUT_WORD,       /* an enum (of the size of int): the index of the word in `words` */
    INPUT_DECIMAL,    /* const char *: decimal text kept verbatim; max: digits after the point */
    INPUT_TEXTS,      /* struct input_texts; bounds in elements, each 1..TEXTS_ELEMENT_MAX long */
    INPUT_UUIDS,      /* struct input_uuids; bounds in elements */
    INPUT_OBJECT,     /* a struct, by `fields` */
    INPUT_ARRAY,      /* struct input_array of structs, by `fields`; bounds in elements */
    INPUT_JSON,       /* const json_t *: any object; max: bytes of its compact form */
};

struct input_texts {
    const char **at;
    size_t n;
};
struct input_uuids {
    struct uuid *at;
    size_t n;
};
struct input_array {
    void *at; /* n structs of `element_size` */
    size_t n;
};

struct input_field {
    const char *name;
    enum input_type type;
    size_t offset;
    int64_t min, max;
    const char *const *words; /* INPUT_WORD, NULL-terminated */
    const struct input_field *fields;
    size_t field_count;
    size_t element_size;
    bool required;
    bool nullable; /* null is taken: sets `given` and leaves the member as it is */
    size_t given;  /* offset + 1 of a bool that says that the field was there; 0: none */
};

enum { TEXTS_ELEMENT_MAX = 500, INPUT_FIELDS_MAX = 64, DECIMAL_DIGITS_MAX = 18 };

/* The last argument of each macro. */
#define REQUIRED           .required = true
#define OPTIONAL           .required = false
#define GIVEN(owner, flag) .given = MEMBER_OF(owner, flag, bool) + 1

/* Offset of a member that must have this type, or nothing compiles. */
#define MEMBER_OF(owner, member, expected)                                                         \
    (offsetof(owner, member) + 0 * sizeof(_Generic(&((owner *)0)->member, expected * : 0)))
#define MEMBER_ENUM(owner, member)                                                                 \
    (offsetof(owner, member) +                                                                     \
     0 * sizeof(char[sizeof(((owner *)0)->member) == sizeof(int) ? 1 : -1]))

#define FIELD_(key, kind, owner, member, expected, low, high, ...)                                 \
    {                                                                                              \
        .name = (key), .type = (kind), .offset = MEMBER_OF(owner, member, expected), .min = (low), \
        .max = (high), __VA_ARGS__                                                                 \
    }
#define FIELD_TEXT(key, owner, member, low, high, ...)                                             \
    FIELD_(key, INPUT_TEXT, owner, member, const char *, low, high, __VA_ARGS__)
#define FIELD_NOTE(key, owner, member, low, high, ...)                                             \
    FIELD_(key, INPUT_NOTE, owner, member, const char *, low, high, __VA_ARGS__)
#define FIELD_SECRET(key, owner, member, low, high, ...)                                           \
    FIELD_(key, INPUT_SECRET, owner, member, const struct secret *, low, high, __VA_ARGS__)
#define FIELD_INT(key, owner, member, low, high, ...)                                              \
    FIELD_(key, INPUT_INT, owner, member, int64_t, low, high, __VA_ARGS__)
#define FIELD_MILLIONTHS(key, owner, member, low, high, ...)                                       \
    FIELD_(key, INPUT_MILLIONTHS, owner, member, int64_t, low, high, __VA_ARGS__)
#define FIELD_BOOL(key, owner, member, ...)                                                        \
    FIELD_(key, INPUT_BOOL, owner, member, bool, 0, 1, __VA_ARGS__)
#define FIELD_UUID(key, owner, member, ...)                                                        \
    FIELD_(key, INPUT_UUID, owner, member, struct uuid, 0, 0, __VA_ARGS__)
#define FIELD_DATE(key, owner, member, ...)                                                        \
    FIELD_(key, INPUT_DATE, owner, member, struct date, 0, 0, __VA_ARGS__)
#define FIELD_INSTANT(key, owner, member, ...)                                                     \
    FIELD_(key, INPUT_INSTANT, owner, member, struct instant, 0, 0, __VA_ARGS__)
#define FIELD_DECIMAL(key, owner, member, fraction_digits_max, ...)                                \
    FIELD_(key, INPUT_DECIMAL, owner, member, const char *, 0, fraction_digits_max, __VA_ARGS__)
#define FIELD_TEXTS(key, owner, member, low, high, ...)                                            \
    FIELD_(key, INPUT_TEXTS, owner, member, struct input_texts, low, high, __VA_ARGS__)
#define FIELD_UUIDS(key, owner, member, low, high, ...)                                            \
    FIELD_(key, INPUT_UUIDS, owner, member, struct input_uuids, low, high, __VA_ARGS__)
#define FIELD_JSON(key, owner, member, bytes_max, ...)                                             \
    FIELD_(key, INPUT_JSON, owner, member, const json_t *, 0, bytes_max, __VA_ARGS__)
#define FIELD_WORD(key, owner, member, table, ...)                                                 \
    {                                                                                              \
        .name = (key), .type = INPUT_WORD, .offset = MEMBER_ENUM(owner, member), .words = (table), \
        __VA_ARGS__                                                                                \
    }
#define FIELD_OBJECT(key, owner, member, table, ...)                                               \
    {                                                                                              \
        .name = (key), .type = INPUT_OBJECT, .offset = offsetof(owner, member), .fields = (table), \
        .field_count = COUNT(table), __VA_ARGS__                                                   \
    }
#define FIELD_ARRAY(key, owner, member, element, table, low, high, ...)                            \
    {                                                                                              \
        .name = (key), .type = INPUT_ARRAY,                                                        \
        .offset = MEMBER_OF(owner, member, struct input_array), .min = (low), .max = (high),       \
        .fields = (table), .field_count = COUNT(table), .element_size = sizeof(element),           \
        __VA_ARGS__                                                                                \
    }

/* A JSON object. ERR_JSON_MALFORMED, ERR_FIELD_UNKNOWN, ERR_FIELD_MISSING, ERR_FIELD_DUPLICATE,
 * ERR_FIELD_INVALID. */
enum err input_read_json(struct arena *arena, struct bytes body, const struct input_field *fields,
                         size_t count, void *into) MUST_USE;
/* name=value pairs of a URL's query: texts, numbers, booleans (true, false), ids, dates, instants,
 * words, decimals. ERR_PARAMETER_INVALID names the parameter. */
enum err input_read_query(struct arena *arena, const char *query, const struct input_field *fields,
                          size_t count, void *into) MUST_USE;
/* "application/json", also with parameters such as a charset; any case. */
bool media_type_json(const char *content_type);

#endif
