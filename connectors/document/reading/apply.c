#include "base/base.h"

#include "base/buf.h"
#include "base/text.h"
#include "connectors/document/reading/apply.h"

enum { IBAN_LENGTH_MIN = 15, IBAN_LENGTH_MAX = 34 }; /* ISO 13616 */

struct apply {
    struct arena *arena;
    struct reading_evidence *evidence;
};

static void filled(const struct apply *apply, const char *field)
{
    struct reading_evidence *evidence = apply->evidence;
    assert(evidence->filled_count < READING_APPLIED_MAX);
    evidence->filled[evidence->filled_count++] = field;
}

static void conflict(const struct apply *apply, const char *field, const char *record,
                     const char *document)
{
    struct reading_evidence *evidence = apply->evidence;
    assert(evidence->conflict_count < READING_APPLIED_MAX);
    evidence->conflicts[evidence->conflict_count++] =
        (struct reading_conflict){field, record, document};
}

/* ---- texts ---- */

static bool ascii_alphanumeric(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* Letters and digits in upper case; bytes beyond ASCII as they are. */
static const char *folded(struct arena *arena, const char *text)
{
    struct buf into = buf_new(arena, strlen(text));
    for (; *text; text++) {
        char c = *text;
        if (c >= 'a' && c <= 'z')
            c = (char)(c - 'a' + 'A');
        if (ascii_alphanumeric(c) || (unsigned char)c >= 0x80)
            buf_add_char(&into, c);
    }
    return into.data;
}

static bool same_id(struct arena *arena, const char *a, const char *b)
{
    return strcmp(folded(arena, a), folded(arena, b)) == 0;
}

static void apply_text(const struct apply *apply, const char *field, const char **record,
                       const char *document)
{
    if (!document || !text_blank(*record))
        return;
    *record = document;
    filled(apply, field);
}

static void apply_id(const struct apply *apply, const char *field, const char **record,
                     const char *document)
{
    if (document && !text_blank(*record) && !same_id(apply->arena, *record, document))
        conflict(apply, field, *record, document);
    apply_text(apply, field, record, document);
}

static void apply_date(const struct apply *apply, const char *field, struct date *record,
                       struct date document)
{
    if (document.days == DATE_NONE || document.days == record->days)
        return;
    if (record->days != DATE_NONE) {
        conflict(apply, field, date_format(apply->arena, *record),
                 date_format(apply->arena, document));
        return;
    }
    *record = document;
    filled(apply, field);
}

/* ---- money ---- */

/* Records have no sign; that of a document says who pays whom, and stands in takes_back. */
static struct money unsigned_money(struct money money)
{
    if (money.minor < 0 && money.minor > INT64_MIN)
        money.minor = -money.minor;
    return money;
}

static const char *shown(struct arena *arena, struct money money)
{
    return arena_format(arena, "%s %s", money_decimal(arena, money), money.currency);
}

static bool same_money(struct money a, struct money b)
{
    return strcmp(a.currency, b.currency) == 0 && a.minor == b.minor;
}

static void apply_amount(const struct apply *apply, const struct reading_invoice *invoice,
                         struct source_record *record)
{
    struct money grand = unsigned_money(invoice->grand_total);
    struct money due = unsigned_money(invoice->due_payable);
    struct money said = grand.currency[0] ? grand : due;
    if (said.currency[0] == '\0')
        return;
    if (record->amount.currency[0] == '\0') {
        record->amount = said;
        filled(apply, "amount");
    } else if (!same_money(record->amount, grand) && !same_money(record->amount, due)) {
        conflict(apply, "amount", shown(apply->arena, record->amount), shown(apply->arena, said));
    }
}

static void apply_tax(const struct apply *apply, const struct reading_invoice *invoice,
                      struct source_record *record)
{
    struct money tax = unsigned_money(invoice->tax);
    if (tax.currency[0] == '\0' || strcmp(tax.currency, record->amount.currency) != 0)
        return;
    const char *minor = arena_format(apply->arena, "%" PRId64, tax.minor);
    if (record->tax_minor && strcmp(record->tax_minor, minor) != 0)
        conflict(apply, "tax", record->tax_minor, minor);
    apply_text(apply, "tax", &record->tax_minor, minor);
}

/* ---- the counterparty ---- */

static bool like_iban(const char *text)
{
    size_t n = strlen(text);
    bool head = n >= IBAN_LENGTH_MIN && n <= IBAN_LENGTH_MAX && text[0] >= 'A' && text[0] <= 'Z' &&
                text[1] >= 'A' && text[1] <= 'Z' && text[2] >= '0' && text[2] <= '9' &&
                text[3] >= '0' && text[3] <= '9';
    while (head && *text && ascii_alphanumeric(*text))
        text++;
    return head && *text == '\0';
}

/* Where money is to go. A domestic account number cannot be compared with an IBAN; of several
 * accounts any will do, and none is filled in. */
static void apply_iban(const struct apply *apply, const struct reading_invoice *invoice,
                       struct party *party)
{
    const char *first = NULL;
    size_t ibans = 0;
    for (size_t i = 0; i < invoice->account_count; i++) {
        const char *iban = invoice->accounts[i].iban;
        if (!like_iban(iban))
            continue;
        if (!text_blank(party->iban) && same_id(apply->arena, party->iban, iban))
            return;
        first = first ? first : iban;
        ibans++;
    }
    if (first && !text_blank(party->iban)) {
        conflict(apply, "counterparty.iban", party->iban, first);
        apply->evidence->bank_details_differ = true;
    } else if (ibans == 1) {
        apply_text(apply, "counterparty.iban", &party->iban, first);
    }
}

static const char *one_line(struct arena *arena, const struct reading_party *from)
{
    if (from->street && from->city)
        return arena_format(arena, "%s, %s", from->street, from->city);
    return from->street ? from->street : from->city;
}

static void apply_party(const struct apply *apply, const struct reading_party *from,
                        struct party *party)
{
    apply_text(apply, "counterparty.name", &party->name, from->name);
    apply_text(apply, "counterparty.email", &party->email, from->email);
    apply_text(apply, "counterparty.country", &party->country, from->country);
    apply_text(apply, "counterparty.postcode", &party->postcode, from->postcode);
    apply_text(apply, "counterparty.address", &party->address, one_line(apply->arena, from));
    apply_id(apply, "counterparty.vat_id", &party->vat_id, from->vat_id);
    apply_id(apply, "counterparty.siren", &party->siren, from->siren);
    party->company = party->company || from->vat_id || from->registration_id;
}

/* ---- all of it ---- */

static void compare_kind(const struct apply *apply, const struct reading_invoice *invoice,
                         const struct source_record *record)
{
    bool invoices = record->kind == KIND_SUPPLIER_INVOICE || record->kind == KIND_CLIENT_INVOICE;
    bool differs = (invoices && invoice->takes_back) ||
                   (record->kind == KIND_CREDIT_NOTE && !invoice->takes_back);
    if (differs)
        conflict(apply, "kind", record_kind_name(record->kind),
                 invoice->takes_back ? "credit_note" : invoice->kind);
}

void reading_apply(struct arena *arena, const struct reading_invoice *invoice,
                   enum reading_side side, struct source_record *record,
                   struct reading_evidence *into)
{
    const struct apply apply = {arena, into};
    bool sells = side == READING_FROM_COUNTERPARTY;
    *into = (struct reading_evidence){0};
    compare_kind(&apply, invoice, record);
    apply_id(&apply, "reference", &record->reference, invoice->number);
    apply_date(&apply, "date", &record->date, invoice->issued);
    apply_date(&apply, "due_date", &record->due_date, invoice->due);
    apply_amount(&apply, invoice, record);
    apply_tax(&apply, invoice, record);
    apply_party(&apply, sells ? &invoice->seller : &invoice->buyer, &record->counterparty);
    if (sells)
        apply_iban(&apply, invoice, &record->counterparty);
}

json_t *reading_evidence_json(struct arena *arena, const struct reading_evidence *evidence)
{
    json_t *names = json_array(), *conflicts = json_array();
    for (size_t i = 0; i < evidence->filled_count; i++)
        json_array_append_new(names, json_string(evidence->filled[i]));
    for (size_t i = 0; i < evidence->conflict_count; i++) {
        const struct reading_conflict *one = &evidence->conflicts[i];
        json_array_append_new(conflicts, json_pack("{s:s, s:s, s:s}", "field", one->field, "record",
                                                   one->record, "document", one->document));
    }
    return json_keep(arena, json_pack("{s:o, s:o}", "filled", names, "conflicts", conflicts));
}
