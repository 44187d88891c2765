/* Reading CSV as finance programs export it (RFC 4180 and what deviates from it in practice): a
 * byte order mark, CRLF, LF or CR, quoted fields with separators, newlines and doubled quotes, the
 * separator comma, semicolon or tab. Fields are decoded in place: the text belongs to the caller,
 * is changed, and must outlive the rows. Every failure names file, line and column. */
#ifndef SLUICE_MATCHER_BATCH_CSV_H
#define SLUICE_MATCHER_BATCH_CSV_H

#include "base/arena.h"

enum {
    CSV_COLUMNS_MAX = 256,
    CSV_FIELD_BYTES_MAX = 64 * 1024,
    CSV_FILE_BYTES_MAX = 256 * 1024 * 1024
};

struct csv {
    struct arena *arena; /* for failures */
    const char *name;    /* of the file, for failures */
    char *at;
    char *end; /* points at a byte that may be written */
    char separator;
    int64_t line; /* of `at`, from 1 */
};

struct csv_row {
    char *field[CSV_COLUMNS_MAX]; /* zero-terminated, valid UTF-8, white space around it cut off */
    int64_t line[CSV_COLUMNS_MAX];
    size_t count;
};

/* `text` has n bytes and room for one more. Looks past a byte order mark and finds the separator in
 * the first line. */
enum err csv_open(struct arena *arena, const char *name, char *text, size_t n,
                  struct csv *into) MUST_USE;

/* The next row that is not empty; a count of 0 is the end. */
enum err csv_next(struct csv *csv, struct csv_row *into) MUST_USE;

/* "records.csv, line 3, column 2 (amount): …". Column from 0; `header` may be NULL. */
enum err csv_fail(const struct csv *csv, int64_t line, size_t column, const char *header,
                  const char *format, ...) FORMAT_LIKE(5, 6);

#endif
