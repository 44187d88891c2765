#include "base/base.h"

#include "connectors/document/document.h"

#include "base/buf.h"
#include "base/text.h"
#include "connectors/document/clean.h"
#include "connectors/document/draw.h"
#include "connectors/document/metadata.h"

enum { DATE_DAYS_MAX = 2932896 }; /* 9999-12-31 */

static const char *clean(struct arena *arena, const char *text)
{
    return document_clean(arena, text, DOCUMENT_TEXT_BYTES_MAX);
}

struct money_rule {
    const char *field;
    struct money money;
    bool required;
};

static enum err check_money(struct arena *arena, const struct money_rule *rule)
{
    if (!rule->required && rule->money.currency[0] == '\0')
        return OK;
    if (!currency_valid(rule->money.currency))
        return arena_fail(arena, ERR_VALIDATION, rule->field,
                          "The %s of the document has no ISO 4217 currency.", rule->field);
    if (rule->money.minor == INT64_MIN)
        return arena_fail(arena, ERR_VALIDATION, rule->field,
                          "The %s of the document is beyond what can be stated.", rule->field);
    return OK;
}

static enum err check_id(struct arena *arena, const char *field, const char *id)
{
    if (id && strlen(id) > DOCUMENT_ID_BYTES_MAX)
        return arena_fail(arena, ERR_VALIDATION, field, "The %s is longer than %d bytes.", field,
                          DOCUMENT_ID_BYTES_MAX);
    return OK;
}

static enum err check_ids(struct arena *arena, const struct document_input *input)
{
    TRY(check_id(arena, "source_id", input->source_id));
    TRY(check_id(arena, "parent_source_id", input->parent_source_id));
    TRY(check_id(arena, "source_txn_id", input->source_txn_id));
    TRY(check_id(arena, "source_event_id", input->source_event_id));
    return check_id(arena, "account", input->account);
}

enum err document_check(struct arena *arena, const struct document_input *input)
{
    const struct money_rule money[] = {{"amount", input->amount, true},
                                       {"tax", input->tax, false},
                                       {"fee", input->fee, false},
                                       {"net", input->net, false}};
    if (input->kind < 0 || input->kind >= KIND_COUNT)
        return arena_fail(arena, ERR_VALIDATION, "kind", "The kind of the record is unknown.");
    if (!clean(arena, input->provider))
        return arena_fail(arena, ERR_VALIDATION, "provider", "The document names no provider.");
    if (!clean(arena, input->source_id))
        return arena_fail(arena, ERR_VALIDATION, "source_id", "The document names no record.");
    if (!clean(arena, input->company))
        return arena_fail(arena, ERR_VALIDATION, "company", "The document names no company.");
    if (input->date.days < 0 || input->date.days > DATE_DAYS_MAX)
        return arena_fail(arena, ERR_VALIDATION, "date", "The document has no date.");
    for (size_t i = 0; i < COUNT(money); i++)
        TRY(check_money(arena, &money[i]));
    for (size_t i = 0; i < input->line_count; i++)
        TRY(check_money(arena, &(struct money_rule){"lines", input->lines[i].amount, false}));
    return check_ids(arena, input);
}

static void clean_party(struct arena *arena, struct party *party)
{
    const char **const texts[] = {&party->name,    &party->email,    &party->country,
                                  &party->address, &party->postcode, &party->vat_id,
                                  &party->iban};
    for (size_t i = 0; i < COUNT(texts); i++)
        *texts[i] = clean(arena, *texts[i]);
}

/* Only the lines that may be drawn are copied; the count stays, so that the page can tell it. */
static struct document_line *clean_lines(struct arena *arena, struct document_input *input)
{
    struct document_line *lines = arena_array(arena, DOCUMENT_LINES_MAX, sizeof *lines);
    for (size_t i = 0; i < input->line_count && i < DOCUMENT_LINES_MAX; i++) {
        lines[i] = input->lines[i];
        const char *text = clean(arena, lines[i].text);
        lines[i].text = text ? text : "-";
    }
    input->lines = lines;
    return lines;
}

/* What a document takes back counts the other way. INT64_MIN was refused by document_check. */
static void negate_amounts(struct document_input *input, struct document_line *lines)
{
    struct money *const amounts[] = {&input->amount, &input->tax, &input->fee, &input->net};
    for (size_t i = 0; i < COUNT(amounts); i++)
        amounts[i]->minor = -amounts[i]->minor;
    for (size_t i = 0; i < input->line_count && i < DOCUMENT_LINES_MAX; i++)
        lines[i].amount.minor = -lines[i].amount.minor;
}

static void clean_input(struct arena *arena, struct document_input *input)
{
    const char **const texts[] = {
        &input->provider,      &input->company,         &input->reference,
        &input->number,        &input->source_id,       &input->parent_source_id,
        &input->source_txn_id, &input->source_event_id, &input->account};
    for (size_t i = 0; i < COUNT(texts); i++)
        *texts[i] = clean(arena, *texts[i]);
    clean_party(arena, &input->counterparty);
    struct document_line *lines = clean_lines(arena, input);
    if (!input->reverses)
        return;
    negate_amounts(input, lines);
    struct document_reversal *reverses =
        arena_copy(arena, input->reverses, sizeof *input->reverses);
    reverses->file_name = clean(arena, reverses->file_name);
    reverses->external_id = clean(arena, reverses->external_id);
    reverses->reason = clean(arena, reverses->reason);
    if (reverses->date.days < 0 || reverses->date.days > DATE_DAYS_MAX)
        reverses->date.days = DATE_NONE;
    input->reverses = reverses;
}

static const char *keywords_of(struct arena *arena, const struct document_input *input)
{
    const char *const words[] = {input->provider,         input->source_id,
                                 input->parent_source_id, input->source_txn_id,
                                 input->source_event_id,  input->reference};
    struct buf into = buf_new(arena, (size_t)COUNT(words) * (DOCUMENT_TEXT_BYTES_MAX + 8));
    for (size_t i = 0; i < COUNT(words); i++) {
        if (!words[i])
            continue;
        if (into.n > 0)
            buf_add_text(&into, ", ");
        buf_add_text(&into, words[i]);
    }
    return into.data;
}

static const char *money_field(struct arena *arena, struct money money)
{
    if (money.currency[0] == '\0')
        return NULL;
    return arena_format(arena, "%s %s", money_decimal(arena, money), money.currency);
}

static void add_fields(struct arena *arena, const struct document_input *input,
                       struct metadata *metadata)
{
    metadata_add(metadata, "recipe", arena_format(arena, "%d", DOCUMENT_RECIPE_VERSION));
    metadata_add(metadata, "provider", input->provider);
    metadata_add(metadata, "kind", record_kind_name(input->kind));
    metadata_add(metadata, "sourceId", input->source_id);
    metadata_add(metadata, "parentSourceId", input->parent_source_id);
    metadata_add(metadata, "sourceTransactionId", input->source_txn_id);
    metadata_add(metadata, "sourceEventId", input->source_event_id);
    metadata_add(metadata, "account", input->account);
    metadata_add(metadata, "reference", input->reference);
    metadata_add(metadata, "counterparty", input->counterparty.name);
    metadata_add(metadata, "date", date_format(arena, input->date));
    metadata_add(metadata, "amount", money_field(arena, input->amount));
    metadata_add(metadata, "version",
                 arena_format(arena, "%d", input->version > 1 ? input->version : 1));
    if (input->reverses)
        metadata_add(metadata, "reverses", input->reverses->file_name);
}

static struct metadata metadata_of(const struct drawing *drawing)
{
    struct arena *arena = drawing->arena;
    const struct document_input *input = drawing->input;
    const char *title = input->reverses ? document_word(arena, drawing->language,
                                                        WORD_REVERSAL_TITLE, drawing->provider)
                                        : drawing->kind.title;
    const char *name = input->counterparty.name;
    bool timed = input->occurred_at.us > 0 && date_of(input->occurred_at).days <= DATE_DAYS_MAX;
    struct metadata metadata = {
        .language = document_language_tag(drawing->language),
        .title = arena_format(arena, "%s %s", title, input->source_id),
        .subject = arena_format(arena, "%s, %s, %s %s", name ? name : input->company,
                                date_format(arena, input->date),
                                money_decimal(arena, input->amount), input->amount.currency),
        .keywords = keywords_of(arena, input),
        .author = input->company,
        .created_at =
            timed ? input->occurred_at : instant_from_unix_s((int64_t)input->date.days * 86400),
    };
    add_fields(arena, input, &metadata);
    return metadata;
}

enum err document_fonts_open(struct arena *arena, struct document_fonts **into)
{
    return page_fonts_open(arena, into);
}

enum err document_render(struct arena *arena, const struct document_input *input, struct bytes *pdf)
{
    TRY(document_check(arena, input));
    struct document_input cleaned = *input;
    clean_input(arena, &cleaned);
    enum document_language language = document_language_of(cleaned.language);
    const char *provider = document_provider_name(arena, cleaned.provider);
    struct drawing drawing = {
        .arena = arena,
        .input = &cleaned,
        .language = language,
        .provider = provider,
        .kind = document_kind_words(arena, language, cleaned.kind, provider),
    };
    struct document_fonts *fonts = input->fonts;
    if (!fonts)
        TRY(document_fonts_open(arena, &fonts));
    TRY(page_open(arena, fonts, document_language_tag(language), &drawing.page));
    draw_document(&drawing);
    struct bytes drawn;
    TRY(page_finish(drawing.page, &drawn));
    struct metadata metadata = metadata_of(&drawing);
    return metadata_write(arena, &metadata, drawn, pdf);
}

/* `tax_minor` is a whole number of minor units of the record's currency. */
static struct money tax_of(const struct source_record *record)
{
    struct money tax = {0};
    int64_t minor;
    if (!record->tax_minor || !int64_parse(record->tax_minor, INT64_MIN + 1, INT64_MAX, &minor))
        return tax;
    tax = record->amount;
    tax.minor = minor;
    return tax;
}

struct document_input document_input_from(struct arena *arena, const struct source_record *record)
{
    struct document_input input = {
        .kind = record->kind,
        .counterparty = record->counterparty,
        .number = record->reference,
        .source_id = record->source_id,
        .parent_source_id = record->parent_source_id,
        .source_txn_id = record->source_txn_id,
        .source_event_id = record->source_event_id,
        .date = record->date,
        .due_date = record->due_date,
        .occurred_at = record->occurred_at,
        .amount = record->amount,
        .tax = tax_of(record),
        .fee = record->fee,
        .net = record->net,
    };
    if (!text_blank(record->description)) {
        struct document_line line = {record->description, record->amount};
        input.lines = arena_copy(arena, &line, sizeof line);
        input.line_count = 1;
    }
    return input;
}
