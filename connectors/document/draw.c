#include "base/base.h"

#include "connectors/document/draw.h"

#include "base/buf.h"

/* Lengths in points. */
#define LEFT         58.0
#define WIDTH        (PAGE_WIDTH - 2 * LEFT)
#define RIGHT        (LEFT + WIDTH)
#define LABEL_WIDTH  126.0
#define VALUE_LEFT   (LEFT + LABEL_WIDTH)
#define VALUE_WIDTH  (WIDTH - LABEL_WIDTH)
#define AMOUNT_WIDTH 190.0 /* of a total */
#define PRICE_WIDTH  110.0 /* of a line */
#define TOTALS_LEFT  (LEFT + 200.0)
#define GUTTER       14.0
#define FOOTER_TOP   (PAGE_HEIGHT - 82.0)
#define TOP          52.0

static const struct page_style label_style = {.size = 8.5, .ink = INK_MUTED};
static const struct page_style value_style = {.size = 9.5, .ink = INK_TEXT};
static const struct page_style strong_style = {.size = 9.5, .ink = INK_TEXT, .bold = true};
static const struct page_style id_style = {.size = 8.5, .ink = INK_TEXT, .mono = true};

static const char *word(const struct drawing *drawing, enum document_word which)
{
    return document_word(drawing->arena, drawing->language, which, drawing->provider);
}

static const char *amount_text(const struct drawing *drawing, struct money money)
{
    return document_money(drawing->arena, drawing->language, money);
}

static bool present(struct money money)
{
    return money.currency[0] != '\0';
}

/* A label and its value, which may take several lines; with `lines` 0 it is never cut but becomes
 * smaller until it fits into one. Nothing when it is absent. */
static void draw_fact(struct drawing *drawing, const char *label, const char *value,
                      struct page_style style, int lines)
{
    if (!value)
        return;
    struct page *page = drawing->page;
    double lift = (value_style.size - label_style.size) * 0.9; /* common base line */
    page_text(page, (struct page_box){LEFT, drawing->y + lift, LABEL_WIDTH - GUTTER, 1},
              label_style, label);
    double down = style.size < value_style.size ? lift : 0;
    struct page_box box = {VALUE_LEFT, drawing->y + down, VALUE_WIDTH, lines};
    double height =
        lines > 0 ? page_text(page, box, style, value) : page_fit(page, box, style, value);
    drawing->y += height + 3.5;
}

static void draw_rule(struct drawing *drawing)
{
    drawing->y += 8;
    page_rule(drawing->page, LEFT, drawing->y, WIDTH, false);
    drawing->y += 11;
}

static void draw_head(struct drawing *drawing)
{
    struct page *page = drawing->page;
    const struct document_input *input = drawing->input;
    struct page_style small = {.size = 9, .ink = INK_MUTED, .bold = true};
    page_text(page, (struct page_box){LEFT, TOP, WIDTH * 0.62, 1}, small, input->company);
    if (input->testmode) {
        struct page_style warn = {.size = 8.5, .ink = INK_WARN, .bold = true, .right = true};
        page_text(page, (struct page_box){RIGHT - 190, TOP, 190, 1}, warn,
                  word(drawing, WORD_TESTMODE));
    }
    drawing->y = TOP + 34;
    bool reversal = input->reverses != NULL;
    struct page_style title = {.size = 20, .ink = INK_TEXT, .bold = true};
    drawing->y += page_text(page, (struct page_box){LEFT, drawing->y, WIDTH, 1}, title,
                            reversal ? word(drawing, WORD_REVERSAL_TITLE) : drawing->kind.title);
    struct page_style subtitle = {.size = 10, .ink = INK_MUTED};
    drawing->y += 3;
    drawing->y +=
        page_text(page, (struct page_box){LEFT, drawing->y, WIDTH, 1}, subtitle,
                  reversal ? word(drawing, WORD_REVERSAL_SUBTITLE) : drawing->kind.subtitle);
    drawing->y += 10;
}

static void draw_reversal(struct drawing *drawing)
{
    const struct document_reversal *reverses = drawing->input->reverses;
    if (!reverses)
        return;
    drawing->y += 6;
    const char *date = reverses->date.days == DATE_NONE
                           ? NULL
                           : document_date(drawing->arena, drawing->language, reverses->date);
    draw_fact(drawing, word(drawing, WORD_REVERSAL_OF), reverses->file_name, id_style, 0);
    draw_fact(drawing, word(drawing, WORD_REVERSAL_ENTRY), reverses->external_id, id_style, 0);
    draw_fact(drawing, word(drawing, WORD_REVERSAL_DATE), date, value_style, 1);
    draw_fact(drawing, word(drawing, WORD_REVERSAL_REASON), reverses->reason, value_style, 2);
}

/* Postcode and country stand behind the address unless it names them already. */
static const char *address_text(struct arena *arena, const struct party *party)
{
    const char *const parts[] = {party->address, party->postcode, party->country};
    struct buf into = buf_new(arena, (size_t)3 * DOCUMENT_TEXT_BYTES_MAX);
    for (size_t i = 0; i < COUNT(parts); i++) {
        if (!parts[i] || strstr(into.data, parts[i]))
            continue;
        if (into.n > 0)
            buf_add_text(&into, ", ");
        buf_add_text(&into, parts[i]);
    }
    return into.n > 0 ? into.data : NULL;
}

static void draw_counterparty(struct drawing *drawing, enum document_word role)
{
    const struct party *party = &drawing->input->counterparty;
    const char *name = party->name ? party->name : word(drawing, WORD_UNNAMED);
    draw_fact(drawing, word(drawing, role), name, strong_style, 2);
    drawing->y -= 2;
    draw_fact(drawing, "", address_text(drawing->arena, party), value_style, 2);
    draw_fact(drawing, word(drawing, WORD_VAT_ID), party->vat_id, value_style, 1);
    draw_fact(drawing, "E-mail", party->email, value_style, 1);
    draw_fact(drawing, "IBAN", party->iban, value_style, 1);
}

/* Of a purchase and of fees the counterparty is the supplier; of all else the company is. */
static bool company_buys(enum record_kind kind)
{
    return kind == KIND_FEE || kind == KIND_SUPPLIER_INVOICE;
}

static void draw_parties(struct drawing *drawing)
{
    draw_rule(drawing);
    const char *company = drawing->input->company;
    if (company_buys(drawing->input->kind)) {
        draw_counterparty(drawing, WORD_SUPPLIER);
        drawing->y += 4;
        draw_fact(drawing, word(drawing, WORD_CUSTOMER), company, strong_style, 2);
    } else {
        draw_fact(drawing, word(drawing, WORD_SUPPLIER), company, strong_style, 2);
        drawing->y += 4;
        draw_counterparty(drawing, WORD_CUSTOMER);
    }
}

static void draw_dates(struct drawing *drawing)
{
    const struct document_input *input = drawing->input;
    const char *due = input->due_date.days == DATE_NONE
                          ? NULL
                          : document_date(drawing->arena, drawing->language, input->due_date);
    draw_rule(drawing);
    draw_fact(drawing, word(drawing, WORD_NUMBER), input->number ? input->number : input->source_id,
              strong_style, 2);
    draw_fact(drawing, word(drawing, WORD_DATE),
              document_date(drawing->arena, drawing->language, input->date), value_style, 1);
    draw_fact(drawing, word(drawing, WORD_DUE_DATE), due, value_style, 1);
    draw_fact(drawing, word(drawing, WORD_REFERENCE), input->reference, value_style, 2);
}

static void draw_total_row(struct drawing *drawing, const char *label, const char *value,
                           struct page_style style)
{
    struct page_style name = style;
    if (!style.bold)
        name.ink = INK_MUTED;
    page_text(drawing->page,
              (struct page_box){TOTALS_LEFT, drawing->y, RIGHT - TOTALS_LEFT - AMOUNT_WIDTH, 1},
              name, label);
    style.right = true;
    drawing->y += page_fit(drawing->page,
                           (struct page_box){RIGHT - AMOUNT_WIDTH, drawing->y, AMOUNT_WIDTH, 1},
                           style, value);
    drawing->y += 4;
}

static double totals_height(const struct drawing *drawing)
{
    const struct document_input *input = drawing->input;
    return 66 + (present(input->fee) ? 18 : 0) + (present(input->net) ? 18 : 0);
}

static void draw_totals(struct drawing *drawing)
{
    const struct document_input *input = drawing->input;
    struct page_style row = {.size = 9.5, .ink = INK_TEXT};
    struct page_style none = {.size = 9.5, .ink = INK_MUTED};
    struct page_style total = {.size = 13, .ink = INK_TEXT, .bold = true};
    drawing->y += 4;
    if (present(input->tax))
        draw_total_row(drawing, word(drawing, WORD_TAX), amount_text(drawing, input->tax), row);
    else
        draw_total_row(drawing, word(drawing, WORD_TAX), word(drawing, WORD_TAX_NONE), none);
    drawing->y += 3;
    page_rule(drawing->page, TOTALS_LEFT, drawing->y, RIGHT - TOTALS_LEFT, true);
    drawing->y += 7;
    draw_total_row(drawing, word(drawing, WORD_TOTAL), amount_text(drawing, input->amount), total);
    drawing->y += 3;
    if (present(input->fee))
        draw_total_row(drawing, word(drawing, WORD_FEE), amount_text(drawing, input->fee), row);
    if (present(input->net))
        draw_total_row(drawing, word(drawing, WORD_NET), amount_text(drawing, input->net), row);
}

static double line_text_width(const struct document_line *line)
{
    return present(line->amount) ? WIDTH - PRICE_WIDTH - GUTTER : WIDTH;
}

static void draw_line(struct drawing *drawing, const struct document_line *line)
{
    struct page_box box = {LEFT, drawing->y, line_text_width(line), 2};
    double height = page_text(drawing->page, box, value_style, line->text);
    if (present(line->amount)) {
        struct page_style style = value_style;
        style.right = true;
        page_fit(drawing->page, (struct page_box){RIGHT - PRICE_WIDTH, drawing->y, PRICE_WIDTH, 1},
                 style, amount_text(drawing, line->amount));
    }
    drawing->y += height + 6;
    page_rule(drawing->page, LEFT, drawing->y, WIDTH, false);
    drawing->y += 6;
}

static void draw_lines_head(struct drawing *drawing)
{
    drawing->y += 18;
    struct page_box left = {LEFT, drawing->y, WIDTH - PRICE_WIDTH, 1};
    struct page_box right = {RIGHT - PRICE_WIDTH, drawing->y, PRICE_WIDTH, 1};
    struct page_style style = label_style;
    double height = page_text(drawing->page, left, style, word(drawing, WORD_DESCRIPTION));
    style.right = true;
    page_text(drawing->page, right, style, word(drawing, WORD_AMOUNT));
    drawing->y += height + 4;
    page_rule(drawing->page, LEFT, drawing->y, WIDTH, true);
    drawing->y += 7;
}

/* As many lines as fit above `bottom`; what does not fit is counted in words. */
static void draw_lines(struct drawing *drawing, double bottom)
{
    const struct document_input *input = drawing->input;
    struct document_line only = {drawing->kind.line, input->amount};
    const struct document_line *lines = input->line_count > 0 ? input->lines : &only;
    size_t count = input->line_count > 0 ? input->line_count : 1;
    draw_lines_head(drawing);
    size_t drawn = 0;
    for (; drawn < count && drawn < DOCUMENT_LINES_MAX; drawn++) {
        struct page_box box = {LEFT, drawing->y, line_text_width(&lines[drawn]), 2};
        double height = page_text_height(drawing->page, box, value_style, lines[drawn].text) + 12;
        double spare = drawn + 1 < count ? 18 : 0; /* for the sentence below */
        if (drawing->y + height + spare > bottom)
            break;
        draw_line(drawing, &lines[drawn]);
    }
    if (drawn == count)
        return;
    const char *more =
        arena_format(drawing->arena, "%s%zu", word(drawing, WORD_MORE_LINES), count - drawn);
    drawing->y +=
        page_text(drawing->page, (struct page_box){LEFT, drawing->y, WIDTH, 1}, label_style, more);
    drawing->y += 4;
}

struct reference_row {
    const char *label;
    const char *value;
};

enum { REFERENCE_ROWS_MAX = 8 };

static size_t reference_rows(const struct drawing *drawing,
                             struct reference_row rows[REFERENCE_ROWS_MAX])
{
    const struct document_input *input = drawing->input;
    const struct reference_row all[] = {
        {drawing->kind.id_label, input->source_id},
        {word(drawing, WORD_CHARGE_OF), input->parent_source_id},
        {word(drawing, WORD_TRANSACTION), input->source_txn_id},
        {word(drawing, WORD_EVENT), input->source_event_id},
        {word(drawing, WORD_ACCOUNT), input->account},
    };
    size_t count = 0;
    for (size_t i = 0; i < COUNT(all); i++) {
        if (all[i].value)
            rows[count++] = all[i];
    }
    return count;
}

#define REFERENCE_ROW_HEIGHT 14.5
#define REFERENCE_PAD        12.0

static double references_height(size_t count)
{
    return 2 * REFERENCE_PAD + 17 + (double)count * REFERENCE_ROW_HEIGHT;
}

/* Ids are never cut: they become smaller until they fit. */
static void draw_references(struct drawing *drawing, const struct reference_row *rows, size_t count,
                            double top)
{
    struct page *page = drawing->page;
    page_panel(page, (struct page_box){LEFT, top, WIDTH, 0}, references_height(count));
    double y = top + REFERENCE_PAD;
    struct page_style head = {.size = 8.5, .ink = INK_MUTED, .bold = true};
    page_text(page, (struct page_box){LEFT + REFERENCE_PAD, y, WIDTH - 2 * REFERENCE_PAD, 1}, head,
              word(drawing, WORD_REFERENCES));
    y += 17;
    for (size_t i = 0; i < count; i++) {
        page_text(page,
                  (struct page_box){LEFT + REFERENCE_PAD, y, LABEL_WIDTH - REFERENCE_PAD - 6, 1},
                  label_style, rows[i].label);
        page_fit(page, (struct page_box){VALUE_LEFT, y, VALUE_WIDTH - REFERENCE_PAD, 1}, id_style,
                 rows[i].value);
        y += REFERENCE_ROW_HEIGHT;
    }
}

static void draw_footer(struct drawing *drawing)
{
    struct page_style style = {.size = 7.5, .ink = INK_MUTED};
    page_rule(drawing->page, LEFT, FOOTER_TOP, WIDTH, false);
    double y = FOOTER_TOP + 8;
    y += page_text(drawing->page, (struct page_box){LEFT, y, WIDTH, 3}, style,
                   word(drawing, WORD_FOOTER));
    page_text(drawing->page, (struct page_box){LEFT, y + 5, WIDTH, 1}, style,
              word(drawing, WORD_FOOTER_MARK));
}

void draw_document(struct drawing *drawing)
{
    struct reference_row rows[REFERENCE_ROWS_MAX];
    size_t count = reference_rows(drawing, rows);
    double references_top = FOOTER_TOP - 14 - references_height(count);
    draw_head(drawing);
    draw_reversal(drawing);
    draw_parties(drawing);
    draw_dates(drawing);
    draw_lines(drawing, references_top - totals_height(drawing) - 12);
    draw_totals(drawing);
    draw_references(drawing, rows, count, references_top);
    draw_footer(drawing);
}
