#include "base/buf.h"

#include "base/text.h"

struct buf buf_new(struct arena *arena, size_t bytes_max)
{
    return (struct buf){.arena = arena, .data = arena_alloc(arena, 1), .bytes_max = bytes_max};
}

static bool reserve(struct buf *buf, size_t n)
{
    if (buf->overflowed || n > buf->bytes_max - buf->n) {
        buf->overflowed = true;
        return false;
    }
    if (buf->n + n < buf->capacity)
        return true;
    size_t capacity = buf->capacity ? buf->capacity : 128;
    while (capacity <= buf->n + n)
        capacity *= 2;
    char *data = arena_alloc(buf->arena, capacity);
    memcpy(data, buf->data, buf->n);
    buf->data = data;
    buf->capacity = capacity;
    return true;
}

bool buf_add(struct buf *buf, const void *data, size_t n)
{
    if (!reserve(buf, n))
        return false;
    if (n)
        memcpy(buf->data + buf->n, data, n);
    buf->n += n;
    buf->data[buf->n] = '\0';
    return true;
}

bool buf_add_text(struct buf *buf, const char *text)
{
    return buf_add(buf, text, strlen(text));
}

bool buf_add_char(struct buf *buf, char c)
{
    return buf_add(buf, &c, 1);
}

bool buf_format(struct buf *buf, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = arena_vformat(buf->arena, format, args);
    va_end(args);
    return buf_add_text(buf, text);
}

static void add_json_char(struct buf *buf, unsigned char c)
{
    static const char escapes[] = "\"\"\\\\\bb\ff\nn\rr\tt";
    for (size_t i = 0; i + 1 < sizeof escapes; i += 2) {
        if (c == (unsigned char)escapes[i]) {
            buf_add_char(buf, '\\');
            buf_add_char(buf, escapes[i + 1]);
            return;
        }
    }
    if (c < 0x20 || c == 0x7f)
        buf_format(buf, "\\u%04x", c);
    else
        buf_add_char(buf, (char)c);
}

bool buf_add_json(struct buf *buf, const char *text)
{
    buf_add_char(buf, '"');
    while (*text) {
        size_t n = utf8_sequence(text);
        if (n == 0) {
            buf_add_text(buf, "\xef\xbf\xbd");
            text++;
        } else if (n == 1) {
            add_json_char(buf, (unsigned char)*text++);
        } else {
            buf_add(buf, text, n);
            text += n;
        }
    }
    return buf_add_char(buf, '"');
}

struct bytes buf_bytes(const struct buf *buf)
{
    return (struct bytes){(const uint8_t *)buf->data, buf->n};
}
