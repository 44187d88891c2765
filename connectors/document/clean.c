#include "base/base.h"

#include "connectors/document/clean.h"

#include "base/buf.h"
#include "base/text.h"

static const char ellipsis[] = "\xe2\x80\xa6";
static const char replacement[] = "\xef\xbf\xbd";

enum character { CHARACTER_KEEP, CHARACTER_BLANK, CHARACTER_DROP };

/* `n` is the length of the sequence, so that the code point needs no decoding. */
static enum character character_of(const unsigned char *at, size_t n)
{
    if (n == 1)
        return at[0] <= 0x20 || at[0] == 0x7f ? CHARACTER_BLANK : CHARACTER_KEEP;
    if (n == 2) /* C1 controls and the no-break space */
        return at[0] == 0xc2 && at[1] <= 0xa0 ? CHARACTER_BLANK : CHARACTER_KEEP;
    if (n == 3 && at[0] == 0xe2 && at[1] == 0x80) {
        if (at[2] == 0xa8 || at[2] == 0xa9) /* U+2028, U+2029: line and paragraph separators */
            return CHARACTER_BLANK;
        bool mark = at[2] == 0x8e || at[2] == 0x8f;      /* U+200E, U+200F */
        bool embedding = at[2] >= 0xaa && at[2] <= 0xae; /* U+202A to U+202E */
        return mark || embedding ? CHARACTER_DROP : CHARACTER_KEEP;
    }
    if (n == 3 && at[0] == 0xe2 && at[1] == 0x81) /* U+2066 to U+2069: isolates */
        return at[2] >= 0xa6 && at[2] <= 0xa9 ? CHARACTER_DROP : CHARACTER_KEEP;
    if (n == 3 && at[0] == 0xef && at[1] == 0xbb && at[2] == 0xbf) /* U+FEFF */
        return CHARACTER_DROP;
    if (n == 3 && at[0] == 0xef && at[1] == 0xbf && at[2] >= 0xbe) /* U+FFFE, U+FFFF */
        return CHARACTER_DROP;
    return CHARACTER_KEEP;
}

static bool add_character(struct buf *into, const char *at, size_t n)
{
    if (n == 0)
        return buf_add_text(into, replacement);
    switch (character_of((const unsigned char *)at, n)) {
    case CHARACTER_KEEP:
        return buf_add(into, at, n);
    case CHARACTER_BLANK:
        return into->n == 0 || into->data[into->n - 1] == ' ' || buf_add_char(into, ' ');
    case CHARACTER_DROP:
        return true;
    }
    return true;
}

char *document_clean(struct arena *arena, const char *text, size_t bytes_max)
{
    struct buf into = buf_new(arena, bytes_max);
    bool whole = true;
    while (text && *text && whole) {
        size_t n = utf8_sequence(text);
        whole = add_character(&into, text, n);
        text += n ? n : 1;
    }
    while (into.n > 0 && into.data[into.n - 1] == ' ')
        into.data[--into.n] = '\0';
    if (into.n == 0)
        return NULL;
    return whole ? into.data : arena_format(arena, "%s%s", into.data, ellipsis);
}
