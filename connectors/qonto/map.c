#include "base/base.h"

#include "connectors/qonto/map.h"

#include "base/text.h"

static const char *text_at(struct arena *arena, const json_t *object, const char *path)
{
    const char *text = json_text(object, path);
    return text_blank(text) ? NULL : arena_text(arena, text);
}

/* The first of two places that holds something. */
static const char *text_of(struct arena *arena, const json_t *object, const char *path,
                           const char *otherwise)
{
    const char *text = text_at(arena, object, path);
    return text ? text : text_at(arena, object, otherwise);
}

static struct date date_at(const json_t *object, const char *path)
{
    struct date date;
    const char *text = json_text(object, path);
    return text && date_parse(text, &date) ? date : (struct date){DATE_NONE};
}

static struct instant instant_at(const json_t *object, const char *path)
{
    struct instant at;
    const char *text = json_text(object, path);
    return text && instant_parse(text, &at) ? at : (struct instant){0};
}

static bool currency_at(const json_t *object, const char *path, char into[4])
{
    const char *code = json_text(object, path);
    if (!code || strlen(code) != 3)
        return false;
    for (size_t i = 0; i < 3; i++)
        into[i] = (char)(code[i] >= 'a' && code[i] <= 'z' ? code[i] - 'a' + 'A' : code[i]);
    into[3] = '\0';
    return currency_valid(into);
}

/* {"value":"22.10","currency":"EUR"}: a decimal text, seen as a whole number too. */
static struct money amount_at(struct arena *arena, const json_t *object, const char *path)
{
    struct money money = {0}, none = {0};
    const json_t *amount = json_object_at(object, path);
    if (!amount || !currency_at(amount, "currency", money.currency))
        return none;
    const char *decimal = json_text(amount, "value");
    if (!decimal && json_is_integer(json_object_get(amount, "value")))
        decimal = arena_format(arena, "%" PRId64, json_int(amount, "value", 0));
    struct money parsed;
    return decimal && money_parse(decimal, money.currency, &parsed) ? parsed : none;
}

static bool is_one_of(const char *word, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (word && strcasecmp(word, words[i]) == 0)
            return true;
    }
    return false;
}

static bool invoice_removed(const json_t *invoice)
{
    static const char *const states[] = {"discarded", "rejected"};
    static const char *const categories[] = {"OTHER_NON_FINANCIAL_DOCUMENT"};
    return is_one_of(json_text(invoice, "status"), states, COUNT(states)) ||
           is_one_of(json_text(invoice, "attachment_category"), categories, COUNT(categories)) ||
           json_bool(invoice, "is_attachment_non_financial", false) ||
           !text_blank(json_text(invoice, "deleted_at"));
}

bool qonto_invoice_map(struct arena *arena, const json_t *invoice, struct mirrored_entry *into)
{
    const char *id = text_at(arena, invoice, "id");
    if (!id)
        return false;
    *into = (struct mirrored_entry){
        .role = ROLE_DOCUMENT,
        .external_id = id,
        .amount = amount_at(arena, invoice, "total_amount"),
        .date = date_at(invoice, "issue_date"),
        .due_date = date_at(invoice, "due_date"),
        .counterparty_name = text_of(arena, invoice, "supplier_name", "issuer_name"),
        .counterparty_iban = text_of(arena, invoice, "iban", "supplier_snapshot.iban"),
        .counterparty_vat_id =
            text_of(arena, invoice, "vat_number", "supplier_snapshot.vat_number"),
        .reference = text_at(arena, invoice, "invoice_number"),
        .description = text_at(arena, invoice, "description"),
        .file_name = text_at(arena, invoice, "file_name"),
        .state = text_at(arena, invoice, "status"),
        .removed = invoice_removed(invoice),
        .analysed = !text_blank(json_text(invoice, "analyzed_at")),
        .updated_at = instant_at(invoice, "updated_at"),
        .raw = json_write(arena, invoice),
    };
    if (!into->counterparty_name)
        into->counterparty_name = text_at(arena, invoice, "supplier_snapshot.name");
    return true;
}

/* Minor units are whole numbers beside the decimal ones, which are floating and not read. They are
 * always positive: the side says whether money came in, or went out (negative here), as the amount
 * of a refund does beside that of a charge. */
static struct money transaction_amount(const json_t *transaction)
{
    struct money money = {0}, none = {0};
    const json_t *cents = json_object_get(transaction, "amount_cents");
    if (!currency_at(transaction, "currency", money.currency) || !json_is_integer(cents))
        return none;
    money.minor = json_integer_value(cents);
    if (money.minor == INT64_MIN)
        return none;
    money.minor = money.minor < 0 ? -money.minor : money.minor;
    if (text_equal(json_text(transaction, "side"), "debit"))
        money.minor = -money.minor;
    return money;
}

/* The day that it settled, else the day that it was made. */
static struct date transaction_date(const json_t *transaction)
{
    static const char *const fields[] = {"settled_at", "emitted_at", "created_at"};
    for (size_t i = 0; i < COUNT(fields); i++) {
        struct instant at = instant_at(transaction, fields[i]);
        if (at.us != 0)
            return date_of(at);
    }
    return (struct date){DATE_NONE};
}

/* The account of the other side stands under a key that is named by the kind of the subject. */
static const char *transaction_iban(struct arena *arena, const json_t *transaction)
{
    static const char *const subjects[] = {"transfer", "income", "swift_income", "direct_debit",
                                           "direct_debit_collection"};
    for (size_t i = 0; i < COUNT(subjects); i++) {
        const json_t *subject = json_object_at(transaction, subjects[i]);
        const char *format = json_text(subject, "counterparty_account_number_format");
        if (format && strcasecmp(format, "IBAN") == 0)
            return text_at(arena, subject, "counterparty_account_number");
    }
    return NULL;
}

static const char *transaction_description(struct arena *arena, const json_t *transaction)
{
    const char *label = text_at(arena, transaction, "label");
    const char *note = text_at(arena, transaction, "note");
    if (label && note)
        return arena_format(arena, "%s; %s", label, note);
    return label ? label : note;
}

bool qonto_transaction_map(struct arena *arena, const json_t *transaction,
                           struct mirrored_entry *into)
{
    static const char *const gone[] = {"declined", "reversed"};
    const char *id = text_at(arena, transaction, "id");
    if (!id)
        return false;
    const char *state = text_at(arena, transaction, "status");
    *into = (struct mirrored_entry){
        .role = ROLE_SETTLEMENT,
        .external_id = id,
        .amount = transaction_amount(transaction),
        .date = transaction_date(transaction),
        .due_date = {DATE_NONE},
        .counterparty_name = text_of(arena, transaction, "clean_counterparty_name", "label"),
        .counterparty_iban = transaction_iban(arena, transaction),
        .reference = text_at(arena, transaction, "reference"),
        .description = transaction_description(arena, transaction),
        .state = state,
        .removed = is_one_of(state, gone, COUNT(gone)),
        .analysed = true,
        .updated_at = instant_at(transaction, "updated_at"),
        .raw = json_write(arena, transaction),
    };
    return true;
}

/* Whether an error of a bulk answer is about `key`; one that names no key may be. */
static bool error_is_ours(const struct qonto_error *error, const char *key)
{
    static const char prefix[] = "/supplier_invoices/idempotency_key/";
    if (!text_starts(error->pointer, prefix))
        return true;
    const char *named = error->pointer + strlen(prefix);
    size_t n = strcspn(named, "/");
    return n == strlen(key) && strncasecmp(named, key, n) == 0;
}

/* Codes that say "no"; whatever else comes is a failure that may pass. */
static bool error_is_refusal(const struct qonto_error *error)
{
    static const char *const codes[] = {"invalid",          "required",    "limit_reached",
                                        "not_in_list",      "bad_request", "file_too_big",
                                        "invalid_file_type"};
    return is_one_of(error->code, codes, COUNT(codes));
}

static const json_t *invoice_of(const json_t *invoices, const char *file_name)
{
    for (size_t i = 0; i < json_array_size(invoices); i++) {
        const json_t *invoice = json_array_get(invoices, i);
        if (text_equal(json_text(invoice, "file_name"), file_name))
            return invoice;
    }
    return json_array_size(invoices) == 1 ? json_array_get(invoices, 0) : NULL;
}

void qonto_bulk_map(struct arena *arena, const json_t *body, const char *key, const char *file_name,
                    struct qonto_bulk *into)
{
    *into = (struct qonto_bulk){.error = {"", "", ""}};
    const json_t *invoice = invoice_of(json_list(body, "supplier_invoices"), file_name);
    if (!text_blank(json_text(invoice, "id")))
        into->invoice = invoice;
    if (!json_at(body, "errors"))
        return;
    struct qonto_errors errors;
    qonto_errors_read(arena, body, &errors);
    /* An error in a shape that cannot be read is an error still. */
    into->failed = into->retryable = errors.count == 0 && json_array_size(json_at(body, "errors"));
    for (size_t i = 0; i < errors.count; i++) {
        if (into->failed || !error_is_ours(&errors.items[i], key))
            continue;
        into->failed = true;
        into->error = errors.items[i];
        into->retryable = !error_is_refusal(&errors.items[i]);
    }
}
