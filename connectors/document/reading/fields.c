#include "base/base.h"

#include "base/buf.h"
#include "base/text.h"
#include "connectors/document/clean.h"
#include "connectors/document/reading/fields.h"

enum { SIREN_DIGITS = 9, SIRET_DIGITS = 14 };

void field_doubt(const struct fields *fields, const char *field)
{
    struct reading_invoice *invoice = fields->invoice;
    const char *name = arena_format(fields->arena, "%s%s", fields->prefix, field);
    for (size_t i = 0; i < invoice->doubt_count; i++) {
        if (text_equal(invoice->doubts[i], name))
            return;
    }
    if (invoice->doubt_count < READING_DOUBTS_MAX)
        invoice->doubts[invoice->doubt_count++] = name;
}

/* ---- texts ---- */

static bool all_digits(const char *text, size_t n)
{
    return strlen(text) == n && strspn(text, "0123456789") == n;
}

static const char *without_blanks(struct arena *arena, const char *text)
{
    struct buf into = buf_new(arena, strlen(text));
    for (; *text; text++) {
        if (*text != ' ')
            buf_add_char(&into, *text);
    }
    return into.data;
}

static const char *field_text(const struct fields *fields, const struct field_path *path,
                              const char *text)
{
    if (path->kind == FIELD_NAME)
        return document_clean(fields->arena, text, READING_NAME_BYTES_MAX);
    const char *id = document_clean(fields->arena, text, XML_TEXT_BYTES_MAX);
    if (id && path->kind == FIELD_CODE)
        id = without_blanks(fields->arena, id);
    if (!id || strlen(id) <= READING_ID_BYTES_MAX)
        return id;
    field_doubt(fields, path->field);
    return NULL;
}

const char *field_scheme(const struct fields *fields, const struct xml_node *id)
{
    const char *scheme = xml_attribute(id, "schemeID");
    bool sane = scheme && strlen(scheme) <= READING_ID_BYTES_MAX;
    return sane ? document_clean(fields->arena, scheme, READING_ID_BYTES_MAX) : NULL;
}

/* ISO 6523: 0002 is SIRENE, whose ids are a SIREN or, as is often written, a SIRET; 0009 is SIRET.
 */
static void french_ids(struct arena *arena, const char *id, const char *scheme,
                       struct reading_party *party)
{
    bool french = text_equal(scheme, "0002") || text_equal(scheme, "0009");
    const char *digits = id && french ? without_blanks(arena, id) : "";
    if (!party->siret && all_digits(digits, SIRET_DIGITS))
        party->siret = digits;
    if (!party->siren && (all_digits(digits, SIREN_DIGITS) || all_digits(digits, SIRET_DIGITS)))
        party->siren = arena_text_n(arena, digits, SIREN_DIGITS);
}

/* UBL puts BT-90, a creditor's number for SEPA debits, among a party's ids. */
void field_party_id(const struct fields *fields, const struct xml_node *id,
                    struct reading_party *party)
{
    static const struct field_path path = {.field = "id", .kind = FIELD_ID};
    const char *scheme = field_scheme(fields, id);
    const char *text = id && id->text ? field_text(fields, &path, id->text) : NULL;
    if (!text || text_equal(scheme, "SEPA"))
        return;
    french_ids(fields->arena, text, scheme, party);
    if (party->id)
        return;
    party->id = text;
    party->id_scheme = scheme;
}

/* ---- dates ---- */

/* UN/EDIFACT 2379: 102 is CCYYMMDD, the only one that EN 16931 allows. Without a format, ISO 8601
 * with or without a time and a zone. */
static bool parse_date(struct arena *arena, const struct xml_node *node, struct date *into)
{
    const struct xml_node *inner = xml_at(node, "DateTimeString|DateString|DateTime|Date");
    const struct xml_node *at = inner ? inner : node;
    const char *format = xml_attribute(at, "format");
    const char *text = document_clean(arena, at->text, READING_ID_BYTES_MAX);
    if (!text)
        return false;
    if (all_digits(text, 8) && (!format || text_equal(format, "102")))
        text = arena_format(arena, "%.4s-%.2s-%.2s", text, text + 4, text + 6);
    else if (format)
        return false;
    bool more = strlen(text) > 10;
    if (more && !strchr("TZ+-", text[10]))
        return false;
    return date_parse(arena_text_n(arena, text, more ? 10 : strlen(text)), into);
}

/* ---- money ---- */

/* xs:decimal also allows "+5", "5." and ".5". */
static const char *plain_decimal(struct arena *arena, const char *text)
{
    const char *sign = *text == '-' ? "-" : "";
    text += (*text == '-') || (*text == '+' && text[1] != '-');
    size_t n = strlen(text);
    bool open_end = n > 1 && text[n - 1] == '.' && text[0] != '.';
    return arena_format(arena, "%s%s%.*s", sign, *text == '.' ? "0" : "", (int)(n - open_end),
                        text);
}

struct money field_money(const struct fields *fields, const char *field,
                         const struct xml_node *amount, const char *currency)
{
    struct money money = {0};
    const char *said = xml_attribute(amount, "currencyID");
    const char *text =
        amount ? document_clean(fields->arena, amount->text, READING_ID_BYTES_MAX) : NULL;
    if (!amount)
        return money;
    bool same = currency && (!said || !*said || strcmp(said, currency) == 0);
    if (!same || !text || !money_parse(plain_decimal(fields->arena, text), currency, &money)) {
        field_doubt(fields, field);
        return (struct money){0};
    }
    return money;
}

void field_currency(const struct fields *fields, const char *said, const struct xml_node *total)
{
    const char *code = said ? document_clean(fields->arena, said, READING_ID_BYTES_MAX)
                            : xml_attribute(total, "currencyID");
    if (code && currency_valid(code))
        fields->invoice->currency = arena_text(fields->arena, code);
    else
        field_doubt(fields, "currency");
}

void field_tax_currency(const struct fields *fields, const char *said)
{
    const char *code = document_clean(fields->arena, said, READING_ID_BYTES_MAX);
    if (code && currency_valid(code))
        fields->invoice->tax_currency = code;
    else if (said)
        field_doubt(fields, "tax_currency");
}

void field_tax_totals(const struct fields *fields, const struct xml_node *first)
{
    struct reading_invoice *invoice = fields->invoice;
    for (const struct xml_node *at = first; at; at = xml_again(at)) {
        const char *currency = xml_attribute(at, "currencyID");
        bool accounting = currency && invoice->tax_currency &&
                          text_equal(currency, invoice->tax_currency) &&
                          !text_equal(currency, invoice->currency);
        if (accounting)
            invoice->tax_accounting =
                field_money(fields, "tax_accounting", at, invoice->tax_currency);
        else if (invoice->tax.currency[0] == '\0')
            invoice->tax = field_money(fields, "tax", at, invoice->currency);
    }
}

/* ---- rows ---- */

static void read_one(const struct fields *fields, const struct xml_node *node,
                     const struct field_path *path, void *place)
{
    const char **text = place;
    struct date *date = place;
    struct money *money = place;
    switch (path->kind) {
    case FIELD_NAME:
    case FIELD_ID:
    case FIELD_CODE:
        if (!*text && node->text)
            *text = field_text(fields, path, node->text);
        return;
    case FIELD_DATE:
        if (date->days == DATE_NONE && !parse_date(fields->arena, node, date)) {
            *date = (struct date){DATE_NONE};
            field_doubt(fields, path->field);
        }
        return;
    case FIELD_MONEY:
        if (money->currency[0] == '\0')
            *money = field_money(fields, path->field, node, fields->invoice->currency);
        return;
    }
}

void fields_read(const struct fields *fields, const struct xml_node *node,
                 const struct field_path *paths, size_t count, void *into)
{
    for (size_t i = 0; i < count; i++) {
        const struct xml_node *found = xml_at(node, paths[i].path);
        if (found)
            read_one(fields, found, &paths[i], (char *)into + paths[i].at);
    }
}

/* ---- what follows ---- */

struct word {
    const char *among; /* in the guideline */
    const char *means;
};

static const char *profile_of(const char *guideline)
{
    /* The first that is found: an extension of XRechnung also names EN 16931, "basicwl" also
     * "basic". Corpora write ':' and '#' for each other, so that only words are compared. */
    static const struct word words[] = {
        {"minimum", "minimum"},     {"basicwl", "basic_wl"}, {"extended", "extended"},
        {"xrechnung", "xrechnung"}, {"peppol", "peppol"},    {"basic", "basic"},
        {"comfort", "comfort"},     {"en16931", "en16931"},
    };
    for (size_t i = 0; guideline && i < COUNT(words); i++) {
        if (text_contains_ci(guideline, words[i].among))
            return words[i].means;
    }
    return "other";
}

static bool code_among(const char *code, const char *const *codes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (text_equal(code, codes[i]))
            return true;
    }
    return false;
}

/* UNTDID 1001 as EN 16931 divides it between invoices and credit notes. Codes are an open list: one
 * that is not here is kept, and called "other". */
static const char *kind_of(const char *code)
{
    static const char *const credits[] = {"81",  "83",  "261", "262", "296", "308", "381",
                                          "396", "420", "458", "502", "503", "532"};
    static const char *const corrections[] = {"384", "471", "472", "473"};
    static const char *const invoices[] = {
        "71",  "80",  "82",  "84",  "102", "130", "202", "203", "204", "211", "218",
        "219", "295", "325", "326", "331", "380", "382", "383", "385", "386", "387",
        "388", "389", "390", "393", "394", "395", "456", "457", "500", "501", "527",
        "553", "575", "623", "633", "780", "817", "870", "875", "876", "877", "935"};
    if (code_among(code, credits, COUNT(credits)))
        return "credit_note";
    if (code_among(code, corrections, COUNT(corrections)))
        return "correction";
    if (code_among(code, invoices, COUNT(invoices)))
        return "invoice";
    return text_equal(code, "751") ? "information" : "other";
}

/* A French VAT id is FR, a key of two digits and the SIREN; key = (12 + 3 (SIREN mod 97)) mod 97.
 */
static const char *siren_of_vat(const char *vat_id)
{
    int64_t key, siren;
    char digits[3] = {0};
    if (!vat_id || !text_starts(vat_id, "FR") || !all_digits(vat_id + 2, 2 + SIREN_DIGITS))
        return NULL;
    memcpy(digits, vat_id + 2, 2);
    bool read = int64_parse(digits, 0, 99, &key) && int64_parse(vat_id + 4, 0, 999999999, &siren);
    return read && key == (12 + 3 * (siren % 97)) % 97 ? vat_id + 4 : NULL;
}

static void finish_party(const struct fields *fields, struct reading_party *party)
{
    french_ids(fields->arena, party->registration_id, party->registration_scheme, party);
    if (!party->siren)
        party->siren = siren_of_vat(party->vat_id);
}

void fields_accounts(const struct fields *fields, const struct xml_node *first,
                     struct field_table account, struct field_table others)
{
    struct reading_invoice *invoice = fields->invoice;
    for (const struct xml_node *at = first; at; at = xml_again(at)) {
        struct reading_account read = {0};
        fields_read(fields, at, account.paths, account.count, &read);
        fields_read(fields, at, others.paths, others.count, invoice);
        if (read.iban && invoice->account_count < READING_ACCOUNTS_MAX)
            invoice->accounts[invoice->account_count++] = read;
    }
}

void fields_references(const struct fields *fields, const struct xml_node *first,
                       struct field_table reference)
{
    struct reading_invoice *invoice = fields->invoice;
    const struct xml_node *at = first;
    for (; at && invoice->reference_count < READING_REFERENCES_MAX; at = xml_again(at)) {
        struct reading_reference read = {.issued = {DATE_NONE}};
        fields_read(fields, at, reference.paths, reference.count, &read);
        if (read.number)
            invoice->references[invoice->reference_count++] = read;
    }
}

void fields_taxes(const struct fields *fields, const struct xml_node *first, struct field_table tax)
{
    struct reading_invoice *invoice = fields->invoice;
    const struct xml_node *at = first;
    for (; at && invoice->tax_count < READING_TAXES_MAX; at = xml_again(at))
        fields_read(fields, at, tax.paths, tax.count, &invoice->taxes[invoice->tax_count++]);
}

void fields_finish(const struct fields *fields)
{
    struct reading_invoice *invoice = fields->invoice;
    invoice->profile = profile_of(invoice->guideline);
    invoice->kind = kind_of(invoice->type_code);
    invoice->takes_back =
        text_equal(invoice->kind, "credit_note") || invoice->grand_total.minor < 0;
    finish_party(fields, &invoice->seller);
    finish_party(fields, &invoice->buyer);
}
