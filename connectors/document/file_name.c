#include <glib.h>

#include "base/base.h"

#include "connectors/document/document.h"

#include "base/buf.h"
#include "connectors/document/clean.h"
#include "crypto/crypto.h"

enum {
    SLUG_CHARS_MAX = 24,
    ID_CHARS_MAX = 40, /* Stripe's ids have 27 and more; longer ones end in a part of their hash */
    ID_HASH_CHARS = 8,
    SUFFIX_CHARS_MAX = 22, /* "_v2147483647_reversal" */
};
static_assert(10 + 1 + SLUG_CHARS_MAX + 1 + ID_CHARS_MAX + SUFFIX_CHARS_MAX <=
                  DOCUMENT_FILE_NAME_MAX - 2,
              "the parts of a file name must fit into it");

static bool is_capital(char c)
{
    return c >= 'A' && c <= 'Z';
}

static bool is_letter_or_digit(char c)
{
    return (c >= 'a' && c <= 'z') || is_capital(c) || (c >= '0' && c <= '9');
}

/* "acme-sas" from "ACME, S.A.S."; accents fall off, other scripts leave nothing: then "document".
 */
static const char *slug_of(struct arena *arena, const char *name)
{
    const char *clean = document_clean(arena, name, DOCUMENT_TEXT_BYTES_MAX);
    char *bare = clean ? g_utf8_normalize(clean, -1, G_NORMALIZE_NFKD) : NULL;
    struct buf into = buf_new(arena, SLUG_CHARS_MAX);
    for (const char *at = bare; at && *at && into.n < SLUG_CHARS_MAX; at++) {
        bool hyphen = into.n > 0 && into.data[into.n - 1] == '-';
        if (is_capital(*at))
            buf_add_char(&into, (char)(*at - 'A' + 'a'));
        else if (is_letter_or_digit(*at))
            buf_add_char(&into, *at);
        else if ((*at == ' ' || *at == '-' || *at == '&' || *at == '_') && into.n > 0 && !hyphen)
            buf_add_char(&into, '-');
    }
    g_free(bare);
    while (into.n > 0 && into.data[into.n - 1] == '-')
        into.data[--into.n] = '\0';
    return into.n > 0 ? into.data : "document";
}

/* The id itself where a file name can hold it; else as much as fits, and a part of its hash. */
static const char *id_part(struct arena *arena, const char *id)
{
    struct buf into = buf_new(arena, DOCUMENT_ID_BYTES_MAX);
    bool changed = strlen(id) > ID_CHARS_MAX;
    for (const char *at = id; *at; at++) {
        bool plain = is_letter_or_digit(*at) || *at == '_' || *at == '-';
        buf_add(&into, plain ? at : "-", 1);
        changed = changed || !plain;
    }
    if (!changed)
        return into.data;
    return arena_format(arena, "%.*s-%.*s", ID_CHARS_MAX - ID_HASH_CHARS - 1, into.data,
                        ID_HASH_CHARS, sha256_text_hex(arena, id));
}

enum err document_file_name(struct arena *arena, const struct document_input *input,
                            const char **into)
{
    TRY(document_check(arena, input));
    const char *version = input->version > 1 ? arena_format(arena, "_v%d", input->version) : "";
    *into = arena_format(arena, "%s_%s_%s%s%s.pdf", date_format(arena, input->date),
                         slug_of(arena, input->counterparty.name), id_part(arena, input->source_id),
                         version, input->reverses ? "_reversal" : "");
    return OK;
}
