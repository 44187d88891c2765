/* Rows as JSON: the one parameter of a statement that writes or asks for many rows at once
 * (jsonb_to_recordset). Absent values become null. */
#ifndef SLUICE_STORE_JSON_ROWS_H
#define SLUICE_STORE_JSON_ROWS_H

#include "base/money.h"
#include "base/uuid.h"
#include "json/json.h"

json_t *rows_new(struct arena *arena);
json_t *rows_add(json_t *rows); /* a new row at the end; borrowed */
/* The array as text; NULL when it has no rows. */
const char *rows_text(struct arena *arena, const json_t *rows);

void row_text(json_t *row, const char *key, const char *value);
void row_int(json_t *row, const char *key, int64_t value);
void row_bool(json_t *row, const char *key, bool value);
void row_uuid(struct arena *arena, json_t *row, const char *key, struct uuid value);
void row_date(struct arena *arena, json_t *row, const char *key, struct date value);
void row_time(struct arena *arena, json_t *row, const char *key, struct instant value);
void row_money(json_t *row, const char *minor_key, const char *currency_key, struct money value);
void row_json(struct arena *arena, json_t *row, const char *key, const char *json);

#endif
