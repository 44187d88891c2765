#include "http/json_out.h"

#include "base/text.h"

struct json_out json_out_new(struct arena *arena, size_t bytes_max)
{
    return (struct json_out){.buf = buf_new(arena, bytes_max), .first = true};
}

/* Runs of bytes that need no escape are copied whole; the rest goes the careful way. */
static void add_text(struct buf *buf, const char *text)
{
    const char *run = text;
    while ((unsigned char)*run >= 0x20 && (unsigned char)*run < 0x7f && *run != '"' && *run != '\\')
        run++;
    if (*run) {
        buf_add_json(buf, text);
        return;
    }
    buf_add_char(buf, '"');
    buf_add(buf, text, (size_t)(run - text));
    buf_add_char(buf, '"');
}

static void begin_value(struct json_out *out, const char *name)
{
    if (!out->first)
        buf_add_char(&out->buf, ',');
    out->first = false;
    if (name) {
        assert(out->depth > 0 && out->closing[out->depth - 1] == '}');
        add_text(&out->buf, name);
        buf_add_char(&out->buf, ':');
    }
}

static void open_container(struct json_out *out, const char *name, char opening, char closing)
{
    begin_value(out, name);
    assert(out->depth < OUT_DEPTH_MAX);
    out->closing[out->depth++] = closing;
    out->first = true;
    buf_add_char(&out->buf, opening);
}

void out_object(struct json_out *out, const char *name)
{
    open_container(out, name, '{', '}');
}

void out_array(struct json_out *out, const char *name)
{
    open_container(out, name, '[', ']');
}

void out_end(struct json_out *out)
{
    assert(out->depth > 0);
    buf_add_char(&out->buf, out->closing[--out->depth]);
    out->first = false;
}

void out_null(struct json_out *out, const char *name)
{
    begin_value(out, name);
    buf_add(&out->buf, "null", 4);
}

void out_text(struct json_out *out, const char *name, const char *text)
{
    if (!text) {
        out_null(out, name);
        return;
    }
    begin_value(out, name);
    add_text(&out->buf, text);
}

static void add_number(struct buf *buf, int64_t value)
{
    char digits[24];
    size_t at = sizeof digits;
    uint64_t left = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    do {
        digits[--at] = (char)('0' + left % 10);
        left /= 10;
    } while (left > 0);
    if (value < 0)
        digits[--at] = '-';
    buf_add(buf, digits + at, sizeof digits - at);
}

void out_int(struct json_out *out, const char *name, int64_t value)
{
    begin_value(out, name);
    add_number(&out->buf, value);
}

void out_bool(struct json_out *out, const char *name, bool value)
{
    begin_value(out, name);
    buf_add_text(&out->buf, value ? "true" : "false");
}

void out_uuid(struct json_out *out, const char *name, struct uuid uuid)
{
    char text[UUID_TEXT_BYTES + 1];
    size_t at = 0;
    text[at++] = '"';
    for (size_t i = 0; i < sizeof uuid.b; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            text[at++] = '-';
        text[at++] = "0123456789abcdef"[uuid.b[i] >> 4];
        text[at++] = "0123456789abcdef"[uuid.b[i] & 15];
    }
    text[at++] = '"';
    begin_value(out, name);
    buf_add(&out->buf, text, at);
}

void out_uuid_or_null(struct json_out *out, const char *name, struct uuid uuid)
{
    if (uuid_is_nil(uuid))
        out_null(out, name);
    else
        out_uuid(out, name, uuid);
}

void out_instant(struct json_out *out, const char *name, struct instant at)
{
    out_text(out, name, at.us ? instant_format(out->buf.arena, at) : NULL);
}

void out_date(struct json_out *out, const char *name, struct date date)
{
    out_text(out, name, date.days == DATE_NONE ? NULL : date_format(out->buf.arena, date));
}

void out_money(struct json_out *out, const char *name, struct money money)
{
    if (!money.currency[0]) {
        out_null(out, name);
        return;
    }
    out_object(out, name);
    out_int(out, "minor", money.minor);
    out_text(out, "currency", money.currency);
    out_text(out, "decimal", money_decimal(out->buf.arena, money));
    out_end(out);
}

void out_millionths(struct json_out *out, const char *name, int64_t millionths)
{
    uint64_t size = millionths < 0 ? 0 - (uint64_t)millionths : (uint64_t)millionths;
    uint64_t rounded = (size + 50) / 100;
    char fraction[] = ".0000";
    for (uint64_t i = 4, left = rounded % 10000; i > 0; i--, left /= 10)
        fraction[i] = (char)('0' + left % 10);
    begin_value(out, name);
    if (millionths < 0 && rounded > 0)
        buf_add_char(&out->buf, '-');
    add_number(&out->buf, (int64_t)(rounded / 10000));
    buf_add_text(&out->buf, fraction);
}

void out_json(struct json_out *out, const char *name, const char *json)
{
    begin_value(out, name);
    buf_add_text(&out->buf, json ? json : "null");
}

bool json_out_complete(const struct json_out *out)
{
    return out->depth == 0 && !out->first && !out->buf.overflowed;
}
