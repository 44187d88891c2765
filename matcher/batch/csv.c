#include "base/base.h"

#include "base/text.h"
#include "matcher/batch/csv.h"

static const char separators[] = ",;\t";

enum err csv_fail(const struct csv *csv, int64_t line, size_t column, const char *header,
                  const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const char *detail = arena_vformat(csv->arena, format, args);
    va_end(args);
    return arena_fail(csv->arena, ERR_FIELD_INVALID, NULL,
                      "%s, line %" PRId64 ", column %zu%s%s%s: %s", csv->name, line, column + 1,
                      header ? " (" : "", header ? header : "", header ? ")" : "", detail);
}

/* The one that stands in the first line most often, outside quotes; a comma where none does. */
static char separator_find(const char *at, const char *end)
{
    size_t seen[sizeof separators] = {0}, best = 0;
    bool quoted = false;
    for (; at < end && (quoted || (*at != '\n' && *at != '\r')); at++) {
        const char *found = strchr(separators, *at);
        if (*at == '"')
            quoted = !quoted;
        else if (found && *at && !quoted)
            seen[found - separators]++;
    }
    for (size_t i = 1; i + 1 < sizeof separators; i++)
        best = seen[i] > seen[best] ? i : best;
    return separators[best];
}

enum err csv_open(struct arena *arena, const char *name, char *text, size_t n, struct csv *into)
{
    static const char mark[] = {'\xef', '\xbb', '\xbf'};
    *into = (struct csv){.arena = arena, .name = name, .at = text, .end = text + n, .line = 1};
    *into->end = '\0';
    if (n > CSV_FILE_BYTES_MAX)
        return arena_fail(arena, ERR_LIMIT, NULL, "%s is larger than %d MiB.", name,
                          CSV_FILE_BYTES_MAX >> 20);
    bool utf16 = n >= 2 && (memcmp(text, "\xff\xfe", 2) == 0 || memcmp(text, "\xfe\xff", 2) == 0);
    if (utf16)
        return arena_fail(arena, ERR_FIELD_INVALID, NULL,
                          "%s, line 1, column 1: The file is UTF-16; export it as UTF-8.", name);
    if (n >= sizeof mark && memcmp(text, mark, sizeof mark) == 0)
        into->at += sizeof mark;
    into->separator = separator_find(into->at, into->end);
    return OK;
}

static bool ends_line(const struct csv *csv)
{
    return csv->at == csv->end || *csv->at == '\n' || *csv->at == '\r';
}

static bool ends_field(const struct csv *csv)
{
    return ends_line(csv) || *csv->at == csv->separator;
}

static void count_line(struct csv *csv)
{
    bool one = *csv->at == '\n' || (*csv->at == '\r' && csv->at[1] != '\n');
    csv->line += one;
}

/* From behind the opening quote to behind the closing one; doubled quotes become one. */
static bool quoted_take(struct csv *csv, char **to)
{
    char *into = csv->at;
    for (; csv->at < csv->end; csv->at++) {
        if (*csv->at == '"' && csv->at[1] != '"') {
            csv->at++;
            *to = into;
            return true;
        }
        csv->at += *csv->at == '"';
        count_line(csv);
        *into++ = *csv->at;
    }
    return false;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Cuts white space off both ends; `end` may be written. */
static char *trimmed(char *start, char *end)
{
    while (start < end && is_blank(*start))
        start++;
    while (end > start && is_blank(end[-1]))
        end--;
    *end = '\0';
    return start;
}

static enum err field_check(const struct csv *csv, int64_t line, size_t column, const char *start,
                            const char *end)
{
    size_t n = (size_t)(end - start);
    if (n > CSV_FIELD_BYTES_MAX)
        return csv_fail(csv, line, column, NULL, "A field is longer than %d bytes.",
                        CSV_FIELD_BYTES_MAX);
    if (memchr(start, '\0', n))
        return csv_fail(csv, line, column, NULL, "A field holds a zero byte.");
    if (!utf8_valid(start, n))
        return csv_fail(csv, line, column, NULL,
                        "The text is not UTF-8; export the file as \"CSV UTF-8\".");
    return OK;
}

/* One field, decoded. `at` is left at what ends it, which is returned in `stop`: the zero that
 * terminates the field may be written over it. */
static enum err field_take(struct csv *csv, struct csv_row *row, char *stop)
{
    size_t column = row->count;
    int64_t line = csv->line;
    while (*csv->at == ' ')
        csv->at++;
    bool quoted = csv->at < csv->end && *csv->at == '"';
    csv->at += quoted;
    char *start = csv->at, *end = start;
    if (quoted && !quoted_take(csv, &end))
        return csv_fail(csv, line, column, NULL, "A quote is opened and never closed.");
    while (quoted && *csv->at == ' ')
        csv->at++;
    if (quoted && !ends_field(csv))
        return csv_fail(csv, csv->line, column, NULL,
                        "Text follows a closing quote; a quote inside a field is written twice.");
    while (!ends_field(csv))
        csv->at++;
    if (!quoted)
        end = csv->at;
    TRY(field_check(csv, line, column, start, end));
    *stop = *csv->at;
    row->line[column] = line;
    row->field[column] = trimmed(start, end);
    row->count++;
    return OK;
}

/* Past a line feed, a carriage return, or both. */
static void line_end(struct csv *csv, char stop)
{
    if (csv->at == csv->end)
        return;
    csv->at += stop == '\r' && csv->at[1] == '\n' ? 2 : 1;
    csv->line++;
}

static enum err row_take(struct csv *csv, struct csv_row *row)
{
    row->count = 0;
    for (;;) {
        char stop = 0;
        if (row->count == CSV_COLUMNS_MAX)
            return csv_fail(csv, csv->line, row->count, NULL, "A row has more than %d columns.",
                            CSV_COLUMNS_MAX);
        TRY(field_take(csv, row, &stop));
        if (csv->at == csv->end || stop != csv->separator) {
            line_end(csv, stop);
            return OK;
        }
        csv->at++;
    }
}

static bool row_empty(const struct csv_row *row)
{
    for (size_t i = 0; i < row->count; i++) {
        if (*row->field[i])
            return false;
    }
    return true;
}

enum err csv_next(struct csv *csv, struct csv_row *into)
{
    while (csv->at < csv->end) {
        TRY(row_take(csv, into));
        if (!row_empty(into))
            return OK;
    }
    into->count = 0;
    return OK;
}
