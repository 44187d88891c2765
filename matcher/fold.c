#include "base/base.h"

#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/uscript.h>
#include <unicode/ustring.h>
#include <unicode/utrans.h>

#include "base/buf.h"
#include "base/text.h"
#include "matcher/fold.h"
#include "matcher/record.h"

enum {
    FOLDED_BYTES_MAX = 4 * MATCH_TEXT_BYTES_MAX, /* after transliteration */
    UNITS_ON_STACK = 1024
};

struct units {
    UChar *at;
    int32_t n;
};

/* How many bytes of `raw` are looked at: whole sequences only. */
static size_t bounded_length(const char *raw)
{
    size_t n = strnlen(raw, MATCH_TEXT_BYTES_MAX + 1);
    if (n <= MATCH_TEXT_BYTES_MAX)
        return n;
    n = MATCH_TEXT_BYTES_MAX;
    while (n > 0 && ((unsigned char)raw[n] & 0xC0) == 0x80)
        n--;
    return n;
}

static bool all_ascii(const char *raw, size_t n)
{
    unsigned char seen = 0;
    for (size_t i = 0; i < n; i++)
        seen |= (unsigned char)raw[i];
    return seen < 0x80;
}

static char *fold_ascii(struct arena *arena, const char *raw, size_t n)
{
    char *folded = arena_alloc(arena, n + 1);
    for (size_t i = 0; i < n; i++) {
        folded[i] = raw[i];
        if (raw[i] >= 'A' && raw[i] <= 'Z')
            folded[i] = (char)(raw[i] - 'A' + 'a');
        else if (raw[i] < 0x20 || raw[i] == 0x7f)
            folded[i] = ' ';
    }
    return folded;
}

/* UTF-16; bytes that are no UTF-8 become spaces. */
static struct units units_of(struct arena *arena, const char *raw, size_t n)
{
    struct units units = {.at = arena_array(arena, n + 1, sizeof(UChar))};
    UErrorCode status = U_ZERO_ERROR;
    u_strFromUTF8WithSub(units.at, (int32_t)n + 1, &units.n, raw, (int32_t)n, ' ', NULL, &status);
    if (U_FAILURE(status))
        units.n = 0;
    return units;
}

/* The code point at *i, which moves on; a surrogate without its partner is a space. */
static UChar32 next_point(struct units units, int32_t *i)
{
    UChar32 unit = units.at[(*i)++];
    if (unit < 0xD800 || unit > 0xDFFF)
        return unit;
    UChar32 low = *i < units.n ? units.at[*i] : 0;
    if (unit > 0xDBFF || low < 0xDC00 || low > 0xDFFF)
        return ' ';
    (*i)++;
    return 0x10000 + ((unit - 0xD800) * 0x400) + (low - 0xDC00);
}

static struct units normalise_with(struct arena *arena, const UNormalizer2 *form, struct units from)
{
    UChar stack[UNITS_ON_STACK];
    UErrorCode status = U_ZERO_ERROR;
    int32_t n = unorm2_normalize(form, from.at, from.n, stack, UNITS_ON_STACK, &status);
    if (U_SUCCESS(status))
        return (struct units){arena_copy(arena, stack, (size_t)n * sizeof(UChar)), n};
    if (status != U_BUFFER_OVERFLOW_ERROR)
        return (struct units){from.at, 0};
    struct units into = {arena_array(arena, (size_t)n + 1, sizeof(UChar)), n};
    status = U_ZERO_ERROR;
    into.n = unorm2_normalize(form, from.at, from.n, into.at, n + 1, &status);
    if (U_FAILURE(status))
        into.n = 0;
    return into;
}

static struct units case_folded(struct arena *arena, struct units from)
{
    UErrorCode status = U_ZERO_ERROR;
    const UNormalizer2 *form = unorm2_getNFKCCasefoldInstance(&status);
    return U_SUCCESS(status) ? normalise_with(arena, form, from) : (struct units){from.at, 0};
}

static struct units decomposed(struct arena *arena, struct units from)
{
    UErrorCode status = U_ZERO_ERROR;
    const UNormalizer2 *form = unorm2_getNFDInstance(&status);
    return U_SUCCESS(status) ? normalise_with(arena, form, from) : (struct units){from.at, 0};
}

struct letter {
    UChar32 from;
    const char *to;
};

/* Sorted. Latin letters that do not decompose, then Greek and Cyrillic (after decomposition), which
 * are frequent enough in Europe not to open a transliterator for. */
static const struct letter letters[] = {
    {0x00E6, "ae"}, {0x00F0, "d"},  {0x00F8, "o"},  {0x00FE, "th"}, {0x0111, "d"},  {0x0127, "h"},
    {0x0131, "i"},  {0x0138, "k"},  {0x0142, "l"},  {0x014B, "n"},  {0x0153, "oe"}, {0x0167, "t"},
    {0x0180, "b"},  {0x0192, "f"},  {0x0219, "s"},  {0x021B, "t"},  {0x0259, "e"},  {0x03B1, "a"},
    {0x03B2, "v"},  {0x03B3, "g"},  {0x03B4, "d"},  {0x03B5, "e"},  {0x03B6, "z"},  {0x03B7, "i"},
    {0x03B8, "th"}, {0x03B9, "i"},  {0x03BA, "k"},  {0x03BB, "l"},  {0x03BC, "m"},  {0x03BD, "n"},
    {0x03BE, "x"},  {0x03BF, "o"},  {0x03C0, "p"},  {0x03C1, "r"},  {0x03C2, "s"},  {0x03C3, "s"},
    {0x03C4, "t"},  {0x03C5, "y"},  {0x03C6, "f"},  {0x03C7, "ch"}, {0x03C8, "ps"}, {0x03C9, "o"},
    {0x0430, "a"},  {0x0431, "b"},  {0x0432, "v"},  {0x0433, "g"},  {0x0434, "d"},  {0x0435, "e"},
    {0x0436, "zh"}, {0x0437, "z"},  {0x0438, "i"},  {0x043A, "k"},  {0x043B, "l"},  {0x043C, "m"},
    {0x043D, "n"},  {0x043E, "o"},  {0x043F, "p"},  {0x0440, "r"},  {0x0441, "s"},  {0x0442, "t"},
    {0x0443, "u"},  {0x0444, "f"},  {0x0445, "kh"}, {0x0446, "ts"}, {0x0447, "ch"}, {0x0448, "sh"},
    {0x0449, "sh"}, {0x044A, ""},   {0x044B, "y"},  {0x044C, ""},   {0x044D, "e"},  {0x044E, "yu"},
    {0x044F, "ya"}, {0x0452, "dj"}, {0x0454, "ye"}, {0x0455, "dz"}, {0x0456, "i"},  {0x0458, "j"},
    {0x0459, "lj"}, {0x045A, "nj"}, {0x045B, "c"},  {0x045F, "dz"}, {0x0491, "g"},
};

static const char *letter_latin(UChar32 c)
{
    size_t low = 0, high = COUNT(letters);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (letters[middle].from == c)
            return letters[middle].to;
        if (letters[middle].from < c)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static bool needs_transliterator(UChar32 c)
{
    if (c < 0x80 || !u_isalpha(c))
        return false;
    UErrorCode status = U_ZERO_ERROR;
    UScriptCode script = uscript_getScript(c, &status);
    return U_SUCCESS(status) && script != USCRIPT_LATIN && script != USCRIPT_CYRILLIC &&
           script != USCRIPT_GREEK && script != USCRIPT_COMMON && script != USCRIPT_INHERITED;
}

static bool any_needs_transliterator(struct units units)
{
    for (int32_t i = 0; i < units.n;) {
        if (needs_transliterator(next_point(units, &i)))
            return true;
    }
    return false;
}

static void close_transliterator(void *transliterator)
{
    utrans_close(transliterator);
}

/* Slow (opening costs milliseconds), and only for scripts that the table of letters lacks. */
static struct units transliterated(struct arena *arena, struct units from)
{
    static const UChar id[] = u"Any-Latin; Lower; NFD";
    UErrorCode status = U_ZERO_ERROR;
    UTransliterator *opened = utrans_openU(id, -1, UTRANS_FORWARD, NULL, 0, NULL, &status);
    if (U_FAILURE(status))
        return from;
    arena_defer(arena, close_transliterator, opened);
    struct units into = {arena_array(arena, FOLDED_BYTES_MAX, sizeof(UChar)), from.n};
    if (from.n >= FOLDED_BYTES_MAX / 4)
        into.n = FOLDED_BYTES_MAX / 4;
    memcpy(into.at, from.at, (size_t)into.n * sizeof(UChar));
    int32_t limit = into.n;
    utrans_transUChars(opened, into.at, &into.n, FOLDED_BYTES_MAX, 0, &limit, &status);
    return U_FAILURE(status) ? from : into;
}

/* From 0x80 on. */
static void add_utf8(struct buf *into, UChar32 c)
{
    if (c >= 0x10000) {
        buf_add_char(into, (char)(0xF0 | (c >> 18)));
        buf_add_char(into, (char)(0x80 | ((c >> 12) & 0x3F)));
    } else if (c >= 0x800) {
        buf_add_char(into, (char)(0xE0 | (c >> 12)));
    }
    if (c < 0x800)
        buf_add_char(into, (char)(0xC0 | (c >> 6)));
    else
        buf_add_char(into, (char)(0x80 | ((c >> 6) & 0x3F)));
    buf_add_char(into, (char)(0x80 | (c & 0x3F)));
}

static void add_folded(struct buf *folded, UChar32 c)
{
    if (c < 0x80) {
        if (c < 0x20 || c == 0x7f)
            c = ' ';
        buf_add_char(folded, (char)c);
        return;
    }
    int8_t type = u_charType(c);
    if (type == U_NON_SPACING_MARK || type == U_ENCLOSING_MARK || type == U_FORMAT_CHAR ||
        type == U_MODIFIER_LETTER)
        return; /* a modifier letter: the hamza and the soft sign of transliteration */
    const char *latin = letter_latin(c);
    if (latin) {
        buf_add_text(folded, latin);
        return;
    }
    if (u_charDigitValue(c) >= 0) {
        buf_add_char(folded, (char)('0' + u_charDigitValue(c)));
        return;
    }
    if (c == 0x2018 || c == 0x2019) {
        buf_add_char(folded, '\'');
        return;
    }
    if (!u_isalnum(c)) {
        buf_add_char(folded, ' ');
        return;
    }
    add_utf8(folded, c);
}

char *text_fold(struct arena *arena, const char *raw)
{
    size_t n = bounded_length(raw);
    if (all_ascii(raw, n))
        return fold_ascii(arena, raw, n);
    struct units units = decomposed(arena, case_folded(arena, units_of(arena, raw, n)));
    if (any_needs_transliterator(units))
        units = transliterated(arena, units);
    struct buf folded = buf_new(arena, FOLDED_BYTES_MAX);
    for (int32_t i = 0; i < units.n;) {
        add_folded(&folded, next_point(units, &i));
    }
    return folded.data;
}
