#include "store/json_rows.h"

json_t *rows_new(struct arena *arena)
{
    return json_keep(arena, json_array());
}

json_t *rows_add(json_t *rows)
{
    json_t *row = json_object();
    json_array_append_new(rows, row);
    return row;
}

const char *rows_text(struct arena *arena, const json_t *rows)
{
    return json_array_size(rows) > 0 ? json_write(arena, rows) : NULL;
}

void row_text(json_t *row, const char *key, const char *value)
{
    json_object_set_new(row, key, value ? json_string(value) : json_null());
}

void row_int(json_t *row, const char *key, int64_t value)
{
    json_object_set_new(row, key, json_integer(value));
}

void row_bool(json_t *row, const char *key, bool value)
{
    json_object_set_new(row, key, json_boolean(value));
}

void row_uuid(struct arena *arena, json_t *row, const char *key, struct uuid value)
{
    row_text(row, key, uuid_is_nil(value) ? NULL : uuid_format(arena, value));
}

void row_date(struct arena *arena, json_t *row, const char *key, struct date value)
{
    row_text(row, key, value.days == DATE_NONE ? NULL : date_format(arena, value));
}

void row_time(struct arena *arena, json_t *row, const char *key, struct instant value)
{
    row_text(row, key, value.us ? instant_format(arena, value) : NULL);
}

void row_money(json_t *row, const char *minor_key, const char *currency_key, struct money value)
{
    bool known = value.currency[0] != '\0';
    json_object_set_new(row, minor_key, known ? json_integer(value.minor) : json_null());
    row_text(row, currency_key, known ? value.currency : NULL);
}

void row_json(struct arena *arena, json_t *row, const char *key, const char *json)
{
    json_t *value = NULL;
    struct bytes text = {(const uint8_t *)json, json ? strlen(json) : 0};
    bool readable = json && json_parse(arena, text, &value) == OK;
    json_object_set_new(row, key, readable ? json_incref(value) : json_null());
}
