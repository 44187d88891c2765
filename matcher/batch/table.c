#include "base/base.h"

#include "base/buf.h"
#include "base/text.h"
#include "matcher/batch/table.h"

enum { UNUSED_BYTES_MAX = 1024, NOT_KNOWN = -1 };

static const char *const column_names[] = {
#define TABLE_COLUMN_NAME(id, name) name,
    TABLE_COLUMNS(TABLE_COLUMN_NAME)
#undef TABLE_COLUMN_NAME
};

/* Which place of a row holds which column. */
struct layout {
    struct csv csv;
    int column[CSV_COLUMNS_MAX]; /* NOT_KNOWN or enum table_column */
    const char *header[CSV_COLUMNS_MAX];
    size_t count;
};

/* ---- header ---- */

static int column_named(const char *header)
{
    for (int i = 0; i < TABLE_COLUMN_COUNT; i++) {
        if (strcasecmp(header, column_names[i]) == 0)
            return i;
    }
    return NOT_KNOWN;
}

static enum err header_take(struct arena *arena, struct layout *layout, const struct csv_row *row,
                            struct table *table)
{
    struct buf unused = buf_new(arena, UNUSED_BYTES_MAX);
    layout->count = row->count;
    for (size_t i = 0; i < row->count; i++) {
        int column = column_named(row->field[i]);
        layout->header[i] = row->field[i];
        layout->column[i] = column;
        if (column != NOT_KNOWN && table->has[column])
            return csv_fail(&layout->csv, row->line[i], i, row->field[i],
                            "The header names this column twice.");
        if (column != NOT_KNOWN)
            table->has[column] = true;
        else if (*row->field[i])
            buf_format(&unused, "%s%s", unused.n ? ", " : "", row->field[i]);
    }
    table->unused = unused.n ? unused.data : NULL;
    if (!table->has[TABLE_ID])
        return csv_fail(&layout->csv, row->line[0], 0, NULL,
                        "The first line must name the columns, among them \"id\"; it is read with "
                        "the separator %s.",
                        layout->csv.separator == '\t'  ? "tab"
                        : layout->csv.separator == ';' ? "semicolon"
                                                       : "comma");
    return OK;
}

/* ---- values ---- */

/* A field that is being read, for messages. */
struct cell {
    const struct layout *layout;
    const struct csv_row *row;
    size_t place;
};

static enum err cell_fail(const struct cell *cell, const char *must)
{
    enum { SHOWN_BYTES = 40 };
    const char *text = cell->row->field[cell->place];
    size_t n = 0;
    while (text[n] && n + utf8_sequence(text + n) <= SHOWN_BYTES)
        n += utf8_sequence(text + n);
    return csv_fail(&cell->layout->csv, cell->row->line[cell->place], cell->place,
                    cell->layout->header[cell->place], "\"%.*s%s\" %s.", (int)n, text,
                    text[n] ? "…" : "", must);
}

static enum err read_date(const struct cell *cell, struct table_row *into)
{
    if (!date_parse(into->text[TABLE_DATE], &into->date))
        return cell_fail(cell, "is no date of the years 1970 to 9999, written 2026-11-20");
    return OK;
}

static enum err read_currency(struct arena *arena, const struct cell *cell, struct table_row *into)
{
    char *code = arena_text(arena, into->text[TABLE_CURRENCY]);
    for (char *at = code; *at; at++) {
        if (*at >= 'a' && *at <= 'z')
            *at = (char)(*at - 'a' + 'A');
    }
    if (!currency_valid(code))
        return cell_fail(cell, "is no currency: three letters such as EUR");
    memcpy(into->amount.currency, code, sizeof into->amount.currency);
    into->has_currency = true;
    return OK;
}

static int64_t amount_max(void)
{
    int64_t max = 1;
    for (int i = 0; i < TABLE_AMOUNT_MINOR_MAX_LOG10; i++)
        max *= 10;
    return max;
}

static enum err read_amount(const struct cell *cell, struct table_row *into)
{
    const char *decimal = into->text[TABLE_AMOUNT];
    static const char no_currency[] = "XXX"; /* ISO 4217: no currency involved; two digits */
    const char *currency = into->has_currency ? into->amount.currency : no_currency;
    struct money money;
    decimal += *decimal == '+' && decimal[1] != '-';
    if (!money_parse(decimal, currency, &money))
        return cell_fail(cell, into->has_currency
                                   ? "is no amount such as -1234.50: digits with a dot, no more "
                                     "decimals than its currency has"
                                   : "is no amount such as -1234.50: digits with a dot, two "
                                     "decimals at most where no currency is given");
    if (money.minor > amount_max() || money.minor < -amount_max())
        return cell_fail(cell, "is larger than any amount that is read");
    into->amount.minor = money.minor;
    into->has_amount = true;
    return OK;
}

/* ---- rows ---- */

static enum err read_row_values(struct arena *arena, const struct layout *layout,
                                const struct csv_row *row, struct table_row *into)
{
    struct cell cells[TABLE_COLUMN_COUNT] = {0};
    *into = (struct table_row){.date = {DATE_NONE}};
    for (size_t i = 0; i < row->count && i < layout->count; i++) {
        if (layout->column[i] == NOT_KNOWN)
            continue;
        cells[layout->column[i]] = (struct cell){layout, row, i};
        into->text[layout->column[i]] = *row->field[i] ? row->field[i] : NULL;
    }
    const char *id = into->text[TABLE_ID];
    if (!id)
        return csv_fail(&layout->csv, row->line[0], cells[TABLE_ID].place, "id",
                        "The row has no id.");
    if (strlen(id) > TABLE_ID_BYTES_MAX)
        return cell_fail(&cells[TABLE_ID], "is too long for an id: 256 bytes at most");
    if (into->text[TABLE_DATE])
        TRY(read_date(&cells[TABLE_DATE], into));
    if (into->text[TABLE_CURRENCY])
        TRY(read_currency(arena, &cells[TABLE_CURRENCY], into));
    if (into->text[TABLE_AMOUNT])
        TRY(read_amount(&cells[TABLE_AMOUNT], into));
    return OK;
}

/* As many fields as the header has names; spreadsheets may leave empty ones behind them. */
static enum err read_row(struct arena *arena, const struct layout *layout,
                         const struct csv_row *row, struct table_row *into)
{
    if (row->count < layout->count)
        return csv_fail(&layout->csv, row->line[row->count - 1], row->count - 1, NULL,
                        "The row ends after %zu of %zu columns.", row->count, layout->count);
    for (size_t i = layout->count; i < row->count; i++) {
        if (*row->field[i])
            return csv_fail(&layout->csv, row->line[i], i, NULL,
                            "The row has more columns than the header; text that holds the "
                            "separator must be quoted.");
    }
    return read_row_values(arena, layout, row, into);
}

/* ---- ids ---- */

struct id_place {
    const char *id;
    size_t row;
    int64_t line;
};

static int id_order(const void *left, const void *right)
{
    const struct id_place *a = left, *b = right;
    int order = strcmp(a->id, b->id);
    if (order)
        return order;
    return a->row < b->row ? -1 : a->row > b->row;
}

/* Gives every row the rank of its id, and refuses an id that stands twice. */
static enum err ids_rank(struct arena *arena, const struct layout *layout, struct id_place *ids,
                         struct table *table)
{
    size_t place = 0;
    while (place < layout->count && layout->column[place] != TABLE_ID)
        place++;
    if (table->count > 1)
        qsort(ids, table->count, sizeof *ids, id_order);
    const struct id_place *second = NULL, *first = NULL;
    for (size_t i = 0; i < table->count; i++) {
        table->rows[ids[i].row].rank = (uint32_t)i;
        bool again = i > 0 && strcmp(ids[i].id, ids[i - 1].id) == 0;
        if (!again || (second && second->row < ids[i].row))
            continue;
        second = &ids[i];
        first = &ids[i - 1];
    }
    if (second)
        return csv_fail(&layout->csv, second->line, place, "id",
                        "The id \"%s\" stands on line %" PRId64 " already.",
                        arena_text(arena, second->id), first->line);
    return OK;
}

/* ---- the table ---- */

/* Line breaks outside quotes at most, plus one: no row needs more. */
static size_t rows_bound(const char *text, size_t n)
{
    size_t lines = 1;
    for (size_t i = 0; i < n; i++)
        lines += text[i] == '\n' || text[i] == '\r';
    return lines < TABLE_ROWS_MAX ? lines : TABLE_ROWS_MAX;
}

enum err table_read(struct arena *arena, const char *name, char *text, size_t n, struct table *into)
{
    struct layout *layout = arena_alloc(arena, sizeof *layout);
    struct csv_row *row = arena_alloc(arena, sizeof *row);
    size_t capacity = rows_bound(text, n);
    *into = (struct table){.name = name};
    TRY(csv_open(arena, name, text, n, &layout->csv));
    TRY(csv_next(&layout->csv, row));
    if (row->count == 0)
        return csv_fail(&layout->csv, 1, 0, NULL, "The file is empty.");
    TRY(header_take(arena, layout, row, into));
    into->rows = arena_array(arena, capacity, sizeof *into->rows);
    struct id_place *ids = arena_array(arena, capacity, sizeof *ids);
    for (;;) {
        TRY(csv_next(&layout->csv, row));
        if (row->count == 0)
            return ids_rank(arena, layout, ids, into);
        if (into->count == TABLE_ROWS_MAX)
            return csv_fail(&layout->csv, row->line[0], 0, NULL,
                            "The file has more than %d rows; match it in parts.", TABLE_ROWS_MAX);
        TRY(read_row(arena, layout, row, &into->rows[into->count]));
        ids[into->count] =
            (struct id_place){into->rows[into->count].text[TABLE_ID], into->count, row->line[0]};
        into->count++;
    }
}

/* ---- signs ---- */

struct signs {
    size_t positive, negative;
};

static struct signs signs_of(const struct table *table)
{
    struct signs signs = {0};
    for (size_t i = 0; i < table->count; i++) {
        signs.positive += table->rows[i].has_amount && table->rows[i].amount.minor > 0;
        signs.negative += table->rows[i].has_amount && table->rows[i].amount.minor < 0;
    }
    return signs;
}

bool table_signs_align(const struct table *records, struct table *ledger)
{
    struct signs mine = signs_of(records), theirs = signs_of(ledger);
    bool up = mine.positive >= TABLE_SIGNED_ROWS_MIN && mine.negative == 0 &&
              theirs.negative >= TABLE_SIGNED_ROWS_MIN && theirs.positive == 0;
    bool down = mine.negative >= TABLE_SIGNED_ROWS_MIN && mine.positive == 0 &&
                theirs.positive >= TABLE_SIGNED_ROWS_MIN && theirs.negative == 0;
    for (size_t i = 0; i < ledger->count && (up || down); i++)
        ledger->rows[i].amount.minor = -ledger->rows[i].amount.minor;
    return up || down;
}
