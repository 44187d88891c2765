/* JSON written straight into a buffer, without a tree. A name is given inside objects and NULL
 * inside arrays; commas are ours. Absent values (NULL text, instant 0, DATE_NONE, currency "")
 * become null.
 *
 *   struct json_out out = json_out_new(arena, BYTES_MAX);
 *   out_object(&out, NULL);
 *   out_uuid(&out, "id", x.id);
 *   out_money(&out, "amount", x.amount);
 *   out_end(&out);
 */
#ifndef SLUICE_JSON_OUT_H
#define SLUICE_JSON_OUT_H

#include "base/buf.h"
#include "base/money.h"
#include "base/time.h"
#include "base/uuid.h"

enum { OUT_DEPTH_MAX = 32 };

struct json_out {
    struct buf buf;
    int depth;
    bool first; /* nothing stands before the next value in its container */
    char closing[OUT_DEPTH_MAX];
};

struct json_out json_out_new(struct arena *arena, size_t bytes_max);

void out_object(struct json_out *out, const char *name);
void out_array(struct json_out *out, const char *name);
void out_end(struct json_out *out); /* closes the innermost object or array */

void out_null(struct json_out *out, const char *name);
void out_text(struct json_out *out, const char *name, const char *text);
void out_int(struct json_out *out, const char *name, int64_t value);
void out_bool(struct json_out *out, const char *name, bool value);
void out_uuid(struct json_out *out, const char *name, struct uuid uuid);
void out_uuid_or_null(struct json_out *out, const char *name, struct uuid uuid); /* nil: null */
void out_instant(struct json_out *out, const char *name, struct instant at);
void out_date(struct json_out *out, const char *name, struct date date);
/* {"minor":1234,"currency":"EUR","decimal":"12.34"}: minor units for machines, decimal text for
 * people. */
void out_money(struct json_out *out, const char *name, struct money money);
/* Probabilities and log-odds: millionths in, four decimals out (0.8532). */
void out_millionths(struct json_out *out, const char *name, int64_t millionths);
/* Text that is JSON already (stored raw); NULL becomes null. */
void out_json(struct json_out *out, const char *name, const char *json);

/* Everything was closed and fitted. */
bool json_out_complete(const struct json_out *out);

#endif
