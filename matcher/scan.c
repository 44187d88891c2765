#include "base/base.h"

#include "base/text.h"
#include "matcher/scan.h"

struct scan scan_of(const char *text, size_t n)
{
    return (struct scan){text, text + n, 1};
}

bool scan_literal(struct scan *scan, const char *literal)
{
    size_t n = strlen(literal);
    if ((size_t)(scan->end - scan->at) < n || memcmp(scan->at, literal, n) != 0)
        return false;
    scan->at += n;
    for (const char *c = literal; *c; c++)
        scan->line += *c == '\n';
    return true;
}

bool scan_word(struct scan *scan, char into[SCAN_WORD_BYTES])
{
    size_t n = 0;
    while (scan->at + n < scan->end && scan->at[n] != ' ' && scan->at[n] != '\n' &&
           scan->at[n] != '\0') {
        if (n + 1 == SCAN_WORD_BYTES)
            return false;
        into[n] = scan->at[n];
        n++;
    }
    into[n] = '\0';
    scan->at += n;
    return n > 0;
}

bool scan_int(struct scan *scan, int64_t min, int64_t max, int64_t *into)
{
    char word[SCAN_WORD_BYTES];
    struct scan before = *scan;
    if (scan_word(scan, word) && int64_parse(word, min, max, into))
        return true;
    *scan = before;
    return false;
}

bool scan_flag(struct scan *scan, bool *into)
{
    int64_t value;
    if (!scan_int(scan, 0, 1, &value))
        return false;
    *into = value == 1;
    return true;
}

bool scan_uuid(struct scan *scan, struct uuid *into)
{
    char word[SCAN_WORD_BYTES];
    return scan_word(scan, word) && uuid_parse(word, into);
}

bool scan_date(struct scan *scan, struct date *into)
{
    char word[SCAN_WORD_BYTES];
    if (!scan_word(scan, word))
        return false;
    if (strcmp(word, "-") == 0) {
        into->days = DATE_NONE;
        return true;
    }
    return date_parse(word, into);
}

bool scan_money(struct scan *scan, struct money *into)
{
    char word[SCAN_WORD_BYTES];
    memset(into, 0, sizeof *into);
    if (!scan_int(scan, INT64_MIN, INT64_MAX, &into->minor) || !scan_literal(scan, " ") ||
        !scan_word(scan, word))
        return false;
    if (strcmp(word, "-") == 0)
        return true;
    if (!currency_valid(word))
        return false;
    memcpy(into->currency, word, sizeof into->currency);
    return true;
}

bool scan_line(struct scan *scan, const char **text, size_t *n)
{
    const char *newline = memchr(scan->at, '\n', (size_t)(scan->end - scan->at));
    if (!newline)
        return false;
    *text = scan->at;
    *n = (size_t)(newline - scan->at);
    scan->at = newline + 1;
    scan->line++;
    return true;
}
