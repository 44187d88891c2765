#include "base/base.h"

#include "matcher/levels.h"

bool levels_write(struct buf *into, level_scale_of *scale_of, const uint8_t *levels, int count)
{
    for (int i = 0; i < count; i++)
        buf_format(into, "%s%s=%d", i ? " " : "", scale_of(i).name, levels[i]);
    return !into->overflowed;
}

bool levels_parse(const char *text, size_t n, level_scale_of *scale_of, uint8_t *into, int count)
{
    const char *at = text, *end = text + n;
    for (int i = 0; i < count; i++) {
        struct level_scale scale = scale_of(i);
        size_t name = strlen(scale.name);
        if (i > 0 && (at == end || *at++ != ' '))
            return false;
        if ((size_t)(end - at) < name + 2 || memcmp(at, scale.name, name) != 0 || at[name] != '=')
            return false;
        int level = at[name + 1] - '0';
        if (level < 0 || level > scale.max)
            return false;
        into[i] = (uint8_t)level;
        at += name + 2;
    }
    return at == end;
}
