/* JSON as values in an arena, over jansson. Input is bounded before it is parsed; duplicate keys
 * are refused. Getters never fail: they answer NULL or a default for what is absent or of another
 * type, because providers leave fields out, send null and change types. */
#ifndef SLUICE_JSON_H
#define SLUICE_JSON_H

#include <jansson.h>

#include "base/arena.h"
#include "base/buf.h"

enum { JSON_DEPTH_MAX = 64 };

/* Values are wiped as they are freed: the passwords of a request and the tokens of a provider are
 * among them. For all of the process; to be called once, before the first value and any thread. */
void json_wipe_freed(void);

/* The value lives as long as the arena. ERR_JSON_MALFORMED says line and column. */
enum err json_parse(struct arena *arena, struct bytes text, json_t **into);
/* Compact, keys sorted: equal values give equal bytes. */
char *json_write(struct arena *arena, const json_t *value);
/* Gives a new reference to the arena, and the value back. */
json_t *json_keep(struct arena *arena, json_t *value);

/* `path` is dotted: "billing_details.address.country". */
json_t *json_at(const json_t *object, const char *path); /* borrowed; NULL when absent or null */
const char *json_text(const json_t *object, const char *path); /* NULL unless a string */
int64_t json_int(const json_t *object, const char *path, int64_t otherwise);
bool json_bool(const json_t *object, const char *path, bool otherwise);
const json_t *json_list(const json_t *object, const char *path); /* NULL unless an array */
const json_t *json_object_at(const json_t *object, const char *path);

#endif
