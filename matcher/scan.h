/* Reading of the matcher's own line-oriented texts: models, decisions. Every step says whether the
 * text went on as expected; the first that did not leaves the cursor at the line at fault. */
#ifndef SLUICE_MATCHER_SCAN_H
#define SLUICE_MATCHER_SCAN_H

#include "base/money.h"
#include "base/time.h"
#include "base/uuid.h"

struct scan {
    const char *at;
    const char *end;
    int line; /* from 1 */
};

enum { SCAN_WORD_BYTES = 80 };

struct scan scan_of(const char *text, size_t n);
/* Takes `literal` if the text goes on with it; a newline in it counts a line. */
bool scan_literal(struct scan *scan, const char *literal);
bool scan_int(struct scan *scan, int64_t min, int64_t max, int64_t *into);
bool scan_flag(struct scan *scan, bool *into); /* 0 or 1 */
/* Up to the next space or newline; at least one byte, fewer than SCAN_WORD_BYTES. */
bool scan_word(struct scan *scan, char into[SCAN_WORD_BYTES]);
bool scan_uuid(struct scan *scan, struct uuid *into);
bool scan_date(struct scan *scan, struct date *into);   /* "-" is DATE_NONE */
bool scan_money(struct scan *scan, struct money *into); /* "1234 EUR"; "0 -" has no currency */
/* The rest of the line without its newline, which is taken as well. */
bool scan_line(struct scan *scan, const char **text, size_t *n);

#endif
