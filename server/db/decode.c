#include <arpa/inet.h>
#include <endian.h>

#include "base/base.h"
#include "db/internal.h"
#include "db/types.h"

/* One value as the server sent it, in binary. */
struct value {
    Oid type;
    const char *at;
    size_t n;
};

static int32_t get_32(const char *at)
{
    uint32_t big;
    memcpy(&big, at, sizeof(big));
    return (int32_t)ntohl(big);
}

static int64_t get_64(const char *at)
{
    uint64_t big;
    memcpy(&big, at, sizeof(big));
    return (int64_t)be64toh(big);
}

static bool read_int(struct value value, int64_t *into)
{
    uint16_t big;
    if (value.type == OID_INT8 && value.n == 8) {
        *into = get_64(value.at);
    } else if (value.type == OID_INT4 && value.n == 4) {
        *into = get_32(value.at);
    } else if (value.type == OID_OID && value.n == 4) {
        *into = (uint32_t)get_32(value.at);
    } else if (value.type == OID_INT2 && value.n == 2) {
        memcpy(&big, value.at, sizeof(big));
        *into = (int16_t)ntohs(big);
    } else {
        return false;
    }
    return true;
}

static bool read_int32(struct value value, int *into)
{
    int64_t number;
    if (!read_int(value, &number) || number < INT_MIN || number > INT_MAX)
        return false;
    *into = (int)number;
    return true;
}

static bool read_real(struct value value, double *into)
{
    if (value.type == OID_FLOAT8 && value.n == 8) {
        int64_t bits = get_64(value.at);
        memcpy(into, &bits, sizeof(bits));
        return true;
    }
    if (value.type == OID_FLOAT4 && value.n == 4) {
        int32_t bits = get_32(value.at);
        float narrow;
        memcpy(&narrow, &bits, sizeof(bits));
        *into = (double)narrow;
        return true;
    }
    return false;
}

static bool text_type(Oid type)
{
    return type == OID_TEXT || type == OID_VARCHAR || type == OID_BPCHAR || type == OID_NAME ||
           type == OID_CHAR || type == OID_JSON || type == OID_JSONB || type == OID_UNKNOWN;
}

static bool read_text(struct arena *arena, struct value value, const char **into)
{
    if (!text_type(value.type))
        return false;
    size_t skip = value.type == OID_JSONB && value.n > 0; /* jsonb_send's version byte */
    *into = arena_text_n(arena, value.at + skip, value.n - skip);
    return true;
}

static bool read_enum(struct value value, const char *const *names, unsigned *into)
{
    for (unsigned i = 0; names[i]; i++) {
        if (strlen(names[i]) == value.n && memcmp(names[i], value.at, value.n) == 0) {
            *into = i;
            return true;
        }
    }
    return false;
}

static bool read_currency(struct value value, char into[4])
{
    if (!text_type(value.type) || value.n > 3)
        return false;
    memset(into, 0, 4);
    memcpy(into, value.at, value.n);
    return true;
}

/* Calls back for each element of a one-dimensional array. */
struct array_reader {
    const char *at;
    const char *end;
    size_t n;
    Oid element;
};

static bool array_open(struct value value, struct array_reader *into)
{
    if (value.n < 12)
        return false;
    int32_t dimensions = get_32(value.at);
    into->element = (Oid)get_32(value.at + 8);
    into->end = value.at + value.n;
    into->at = value.at + 12;
    into->n = 0;
    if (dimensions == 0)
        return true;
    if (dimensions != 1 || value.n < 20)
        return false;
    into->n = (size_t)get_32(value.at + 12);
    into->at = value.at + 20;
    return into->n <= value.n / 4;
}

static bool array_next(struct array_reader *array, struct value *element, bool *null)
{
    if (array->end - array->at < 4)
        return false;
    int32_t n = get_32(array->at);
    array->at += 4;
    *null = n < 0;
    if (n < 0)
        return true;
    if (array->end - array->at < n)
        return false;
    *element = (struct value){.type = array->element, .at = array->at, .n = (size_t)n};
    array->at += n;
    return true;
}

static bool read_texts(struct arena *arena, struct value value, struct text_list *into)
{
    struct array_reader array;
    if (!array_open(value, &array))
        return false;
    const char **texts = arena_array(arena, array.n, sizeof(*texts));
    for (size_t i = 0; i < array.n; i++) {
        struct value element;
        bool null;
        if (!array_next(&array, &element, &null) ||
            (!null && !read_text(arena, element, &texts[i])))
            return false;
    }
    *into = (struct text_list){.at = texts, .n = array.n};
    return true;
}

static bool read_uuids(struct arena *arena, struct value value, struct uuid_list *into)
{
    struct array_reader array;
    if (!array_open(value, &array))
        return false;
    struct uuid *uuids = arena_array(arena, array.n, sizeof(*uuids));
    for (size_t i = 0; i < array.n; i++) {
        struct value element;
        bool null;
        if (!array_next(&array, &element, &null) || null || element.type != OID_UUID)
            return false;
        memcpy(uuids[i].b, element.at, sizeof(uuids[i].b));
    }
    *into = (struct uuid_list){.at = uuids, .n = array.n};
    return true;
}

static bool read_ints(struct arena *arena, struct value value, struct int_list *into)
{
    struct array_reader array;
    if (!array_open(value, &array))
        return false;
    int64_t *numbers = arena_array(arena, array.n, sizeof(*numbers));
    for (size_t i = 0; i < array.n; i++) {
        struct value element;
        bool null;
        if (!array_next(&array, &element, &null) || null || !read_int(element, &numbers[i]))
            return false;
    }
    *into = (struct int_list){.at = numbers, .n = array.n};
    return true;
}

static bool read_time(struct value value, struct instant *into)
{
    if (value.type != OID_TIMESTAMPTZ || value.n != 8)
        return false;
    int64_t us = get_64(value.at);
    /* infinity stays the largest instant instead of wrapping round */
    into->us = us > INT64_MAX - POSTGRES_EPOCH_US ? INT64_MAX : us + POSTGRES_EPOCH_US;
    return true;
}

static bool read_value(struct arena *arena, const struct column *column, struct value value,
                       void *field)
{
    switch (column->type) {
    case DB_UUID:
        if (value.type == OID_UUID && value.n == 16)
            memcpy(field, value.at, 16);
        return value.type == OID_UUID;
    case DB_INT:
        return read_int(value, field);
    case DB_INT32:
        return read_int32(value, field);
    case DB_BOOL:
        if (value.type == OID_BOOL && value.n == 1)
            *(bool *)field = value.at[0] != 0;
        return value.type == OID_BOOL;
    case DB_TEXT:
        return read_text(arena, value, field);
    case DB_BYTES:
        *(struct bytes *)field =
            (struct bytes){.at = arena_copy(arena, value.at, value.n), .n = value.n};
        return value.type == OID_BYTEA;
    case DB_TIME:
        return read_time(value, field);
    case DB_DATE:
        if (value.type == OID_DATE && value.n == 4)
            ((struct date *)field)->days = get_32(value.at) + POSTGRES_EPOCH_DAYS;
        return value.type == OID_DATE;
    case DB_REAL:
        return read_real(value, field);
    case DB_TEXTS:
        return read_texts(arena, value, field);
    case DB_UUIDS:
        return read_uuids(arena, value, field);
    case DB_ENUM:
        return read_enum(value, column->names, field);
    case DB_CURRENCY:
        return read_currency(value, field);
    case DB_INTS:
        return read_ints(arena, value, field);
    case DB_JSON:
    case DB_TIMES:
        break;
    }
    return false;
}

/* The struct is zeroed; the one absent value that is not zero bytes is that of a date. */
static void leave_null(const struct column *column, void *field)
{
    if (column->type == DB_DATE)
        ((struct date *)field)->days = DATE_NONE;
}

/* Exactly by name: PQfnumber would fold its case. */
static int column_at(const PGresult *result, const char *name)
{
    for (int i = 0; i < PQnfields(result); i++) {
        if (strcmp(PQfname(result, i), name) == 0)
            return i;
    }
    return -1;
}

enum err rows_decode(const struct scope *scope, const struct statement *statement,
                     const PGresult *result, const struct shape *shape, struct rows *into)
{
    struct arena *arena = scope->arena;
    size_t count = (size_t)PQntuples(result);
    uint8_t *rows = arena_array(arena, count, shape->size);
    *into = (struct rows){.at = rows, .count = count};
    for (size_t c = 0; c < shape->count; c++) {
        const struct column *column = &shape->columns[c];
        int at = column_at(result, column->name);
        if (at < 0)
            return arena_fail(arena, ERR_DB, column->name, "Statement %s lacks this column.",
                              statement->name);
        for (size_t r = 0; r < count; r++) {
            void *field = rows + r * shape->size + column->offset;
            if (PQgetisnull(result, (int)r, at)) {
                leave_null(column, field);
                continue;
            }
            struct value value = {.type = PQftype(result, at),
                                  .at = PQgetvalue(result, (int)r, at),
                                  .n = (size_t)PQgetlength(result, (int)r, at)};
            if (!read_value(arena, column, value, field))
                return arena_fail(arena, ERR_DB, column->name,
                                  "Statement %s: type %u does not fit the field.", statement->name,
                                  (unsigned)value.type);
        }
    }
    return OK;
}
