#include "connectors/stripe/stripe_map.h"

#include "base/text.h"
#include "connectors/stripe/stripe.h"
#include "connectors/stripe/stripe_party.h"
#include "crypto/crypto.h"

const char *const stripe_material_fields[] = {
    "kind",    "undone", "amount",      "currency", "name",      "vat_id", "siren",
    "country", "date",   "customer_id", "parent",   "reference", NULL};

/* The id of a reference, which is a text or, expanded, an object. */
static const char *reference_id(const json_t *object, const char *field)
{
    const json_t *reference = json_at(object, field);
    return json_is_string(reference) ? json_string_value(reference) : json_text(reference, "id");
}

struct verdict {
    enum posting posting;
    const char *reason;
};

static struct verdict charge_verdict(const json_t *charge)
{
    const char *status = json_text(charge, "status");
    bool captured = json_bool(charge, "captured", json_int(charge, "amount_captured", 0) > 0);
    if (text_equal(status, "failed"))
        return (struct verdict){POSTING_IGNORE, "failed"};
    if (text_equal(status, "pending"))
        return (struct verdict){POSTING_WAIT, "pending"};
    if (!text_equal(status, "succeeded"))
        return (struct verdict){POSTING_WAIT, "status_unknown"};
    if (captured)
        return (struct verdict){POSTING_POST, NULL};
    if (json_bool(charge, "refunded", false))
        return (struct verdict){POSTING_IGNORE, "authorisation_released"};
    return (struct verdict){POSTING_WAIT, "not_captured"};
}

static struct verdict refund_verdict(const json_t *refund)
{
    const char *status = json_text(refund, "status");
    bool booked = reference_id(refund, "balance_transaction") != NULL;
    if (text_equal(status, "succeeded") || (!status && booked)) /* old refunds have no status */
        return (struct verdict){POSTING_POST, NULL};
    if (text_equal(status, "failed"))
        return (struct verdict){POSTING_CORRECT, "failed"};
    if (text_equal(status, "canceled"))
        return (struct verdict){POSTING_CORRECT, "canceled"};
    if (text_equal(status, "requires_action"))
        return (struct verdict){POSTING_WAIT, "requires_action"};
    return (struct verdict){POSTING_WAIT,
                            text_equal(status, "pending") ? "pending" : "status_unknown"};
}

/* A charge that was captured in part posts what was captured. */
static int64_t amount_of(const json_t *object, enum record_kind kind, enum posting posting)
{
    int64_t amount = json_int(object, "amount", -1);
    if (kind == KIND_CHARGE && posting == POSTING_POST)
        amount = json_int(object, "amount_captured", amount);
    return amount;
}

/* Fee and net stand in the currency of the settlement, which need not be the charge's. */
static void settlement_take(const json_t *object, struct source_record *into)
{
    const json_t *transaction = json_object_at(object, "balance_transaction");
    const char *currency = json_text(transaction, "currency");
    into->source_txn_id = reference_id(object, "balance_transaction");
    if (!json_at(transaction, "fee") ||
        !stripe_money(json_int(transaction, "fee", 0), currency, &into->fee))
        into->fee = (struct money){0};
    if (!json_at(transaction, "net") ||
        !stripe_money(json_int(transaction, "net", 0), currency, &into->net))
        into->net = (struct money){0};
}

static const char *first_text(const json_t *object, const char *const *paths)
{
    for (; *paths; paths++) {
        const char *text = json_text(object, *paths);
        if (!text_blank(text))
            return text;
    }
    return NULL;
}

static void words_take(const json_t *object, struct source_record *into)
{
    static const char *const descriptions[] = {"description",
                                               "charge.description",
                                               "invoice.description",
                                               "statement_descriptor",
                                               "calculated_statement_descriptor",
                                               "charge.statement_descriptor",
                                               NULL};
    /* A receipt number is none of them: Stripe sets it later, with the receipt. */
    static const char *const references[] = {"invoice.number",
                                             "charge.invoice.number",
                                             "metadata.invoice_number",
                                             "metadata.invoice",
                                             "metadata.invoice_id",
                                             "charge.metadata.invoice_number",
                                             NULL};
    into->description = first_text(object, descriptions);
    into->reference = first_text(object, references);
}

/* Of the invoice, which is part of charges of API versions before 2025-03-31 only. */
static struct date due_date(const json_t *object)
{
    int64_t due = json_int(object, "invoice.due_date", 0);
    bool known = due > 0 && due <= INT32_MAX * (int64_t)8;
    return known ? date_of(instant_from_unix_s(due)) : (struct date){DATE_NONE};
}

static const char *material_hash(struct arena *arena, const struct source_record *record)
{
    const struct party *party = &record->counterparty;
    json_t *fields =
        json_pack("{s:s, s:b, s:I, s:s, s:s?, s:s?, s:s?, s:s?, s:i, s:s?, s:s?, s:s?}", "kind",
                  record_kind_name(record->kind), "undone", record->posting == POSTING_CORRECT,
                  "amount", (json_int_t)record->amount.minor, "currency", record->amount.currency,
                  "name", party->name, "vat_id", party->vat_id, "siren", party->siren, "country",
                  party->country, "date", (int)record->date.days, "customer_id", party->customer_id,
                  "parent", record->parent_source_id, "reference", record->reference);
    return sha256_text_hex(arena, json_write(arena, json_keep(arena, fields)));
}

/* NULL, or why the object is no record. */
static const char *object_map(struct arena *arena, const json_t *object, struct source_record *into)
{
    const char *id = json_text(object, "id");
    bool charge = into->kind == KIND_CHARGE;
    if (text_blank(id) || strlen(id) > STRIPE_ID_BYTES_MAX)
        return "no_id";
    if (!text_equal(json_text(object, "object"), charge ? "charge" : "refund"))
        return "wrong_object";
    struct verdict verdict = charge ? charge_verdict(object) : refund_verdict(object);
    int64_t amount = amount_of(object, into->kind, verdict.posting);
    int64_t created = json_int(object, "created", 0);
    struct instant at = instant_from_unix_s(created);
    if (amount < 0)
        return "no_amount";
    if (!stripe_money(amount, json_text(object, "currency"), &into->amount))
        return "amount_not_representable";
    if (created <= 0 || created > INT32_MAX * (int64_t)8)
        return "no_date";
    into->source_id = id;
    into->posting = verdict.posting;
    into->posting_reason = verdict.reason;
    into->parent_source_id = charge ? NULL : reference_id(object, "charge");
    into->date = date_of(at);
    into->occurred_at = at;
    into->updated_at = at;
    settlement_take(object, into);
    into->due_date = due_date(object);
    words_take(object, into);
    stripe_party(arena, object, &into->counterparty);
    into->material_hash = material_hash(arena, into);
    return NULL;
}

static struct source_record record_begin(enum record_kind kind, const char *raw)
{
    return (struct source_record){
        .kind = kind,
        .posting = POSTING_WAIT,
        .raw = raw,
        .date = {DATE_NONE},
        .due_date = {DATE_NONE},
    };
}

void stripe_map(struct arena *arena, enum record_kind kind, struct bytes row,
                struct source_record *into)
{
    assert(kind == KIND_CHARGE || kind == KIND_REFUND);
    const char *raw = arena_text_n(arena, (const char *)row.at, row.n);
    json_t *object = NULL;
    const char *reason = "not_an_object";
    *into = record_begin(kind, raw);
    struct failure before = *arena_failure(arena);
    if (json_parse(arena, row, &object) != OK)
        reason = "not_json";
    else if (json_is_object(object))
        reason = object_map(arena, object, into);
    if (before.code == OK)
        arena_failure_clear(arena);
    if (!reason)
        return;
    *into = record_begin(kind, raw);
    into->source_id = sha256_text_hex(arena, raw);
    into->material_hash = into->source_id;
    into->posting_reason = reason;
    into->quarantine = reason;
}
