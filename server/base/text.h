/* Small text helpers: comparison, UTF-8, base64url (RFC 4648 §5, no padding), hex, whole numbers.
 */
#ifndef SLUICE_TEXT_H
#define SLUICE_TEXT_H

#include "base/arena.h"

bool text_equal(const char *a, const char *b); /* NULL equals only NULL */
bool text_starts(const char *text, const char *prefix);
bool text_ends(const char *text, const char *suffix);
bool text_contains_ci(const char *text, const char *needle); /* ASCII case folded */
bool text_blank(const char *text);                           /* NULL, empty or only white space */

/* Length in bytes of the well-formed UTF-8 sequence at `at`; 0 when it is not well-formed. */
size_t utf8_sequence(const char *at);
bool utf8_valid(const char *text, size_t n);
size_t utf8_length(const char *text); /* code points; `text` must be valid */

char *base64url_encode(struct arena *arena, struct bytes from);
bool base64url_decode(struct arena *arena, const char *text, struct bytes *into);
char *base64_encode(struct arena *arena, struct bytes from);
char *hex_encode(struct arena *arena, struct bytes from);
bool hex_decode(struct arena *arena, const char *text, struct bytes *into);

/* The whole text must be one decimal number within the bounds. */
bool int64_parse(const char *text, int64_t min, int64_t max, int64_t *into);

#endif
