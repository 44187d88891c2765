/* A reading as JSON and back, from one table for both ways. */
#include "base/base.h"

#include "base/text.h"
#include "connectors/document/reading/reading.h"

struct shape;
struct member {
    const char *name;
    enum {
        MEMBER_TEXT,
        MEMBER_DATE,
        MEMBER_MONEY,
        MEMBER_BOOL,
        MEMBER_COUNT,
        MEMBER_OBJECT,
        MEMBER_LIST,
        MEMBER_TEXTS
    } kind;
    size_t at;
    const struct shape *shape; /* of an object, or of the items of a list */
    size_t count_at;           /* of a list */
    size_t count_max;
};
struct shape {
    size_t size;
    const struct member *members;
    size_t count;
};

#define MEMBER(structure, how, field)                                                              \
    {                                                                                              \
        .name = #field, .kind = (how), .at = offsetof(struct structure, field)                     \
    }

#define PARTY_TEXT(field) MEMBER(reading_party, MEMBER_TEXT, field)
static const struct member party_members[] = {
    PARTY_TEXT(name),       PARTY_TEXT(trading_name),    PARTY_TEXT(vat_id),
    PARTY_TEXT(tax_number), PARTY_TEXT(registration_id), PARTY_TEXT(registration_scheme),
    PARTY_TEXT(siren),      PARTY_TEXT(siret),           PARTY_TEXT(id),
    PARTY_TEXT(id_scheme),  PARTY_TEXT(endpoint),        PARTY_TEXT(endpoint_scheme),
    PARTY_TEXT(email),      PARTY_TEXT(street),          PARTY_TEXT(postcode),
    PARTY_TEXT(city),       PARTY_TEXT(country),
};
static const struct shape party_shape = {sizeof(struct reading_party), party_members,
                                         COUNT(party_members)};

static const struct member account_members[] = {
    MEMBER(reading_account, MEMBER_TEXT, iban),
    MEMBER(reading_account, MEMBER_TEXT, bic),
};
static const struct shape account_shape = {sizeof(struct reading_account), account_members,
                                           COUNT(account_members)};

static const struct member reference_members[] = {
    MEMBER(reading_reference, MEMBER_TEXT, number),
    MEMBER(reading_reference, MEMBER_DATE, issued),
};
static const struct shape reference_shape = {sizeof(struct reading_reference), reference_members,
                                             COUNT(reference_members)};

static const struct member tax_members[] = {
    MEMBER(reading_tax, MEMBER_TEXT, category),
    MEMBER(reading_tax, MEMBER_TEXT, rate),
    MEMBER(reading_tax, MEMBER_MONEY, base),
    MEMBER(reading_tax, MEMBER_MONEY, tax),
};
static const struct shape tax_shape = {sizeof(struct reading_tax), tax_members, COUNT(tax_members)};

#define INVOICE(how, field) MEMBER(reading_invoice, how, field)
#define LIST(how, field, of, counted, most)                                                        \
    {                                                                                              \
        .name = #field, .kind = (how), .at = offsetof(struct reading_invoice, field),              \
        .shape = (of), .count_at = offsetof(struct reading_invoice, counted), .count_max = (most)  \
    }
#define PARTY(field)                                                                               \
    {                                                                                              \
        .name = #field, .kind = MEMBER_OBJECT, .at = offsetof(struct reading_invoice, field),      \
        .shape = &party_shape                                                                      \
    }
static const struct member invoice_members[] = {
    INVOICE(MEMBER_TEXT, syntax),
    INVOICE(MEMBER_TEXT, profile),
    INVOICE(MEMBER_TEXT, guideline),
    INVOICE(MEMBER_TEXT, attachment_name),
    INVOICE(MEMBER_TEXT, kind),
    INVOICE(MEMBER_TEXT, type_code),
    INVOICE(MEMBER_BOOL, takes_back),
    INVOICE(MEMBER_TEXT, number),
    INVOICE(MEMBER_DATE, issued),
    INVOICE(MEMBER_DATE, due),
    INVOICE(MEMBER_DATE, delivered),
    INVOICE(MEMBER_TEXT, currency),
    INVOICE(MEMBER_TEXT, tax_currency),
    INVOICE(MEMBER_TEXT, buyer_reference),
    INVOICE(MEMBER_TEXT, contract_reference),
    INVOICE(MEMBER_TEXT, order_reference),
    INVOICE(MEMBER_TEXT, payment_reference),
    INVOICE(MEMBER_MONEY, line_total),
    INVOICE(MEMBER_MONEY, tax_exclusive),
    INVOICE(MEMBER_MONEY, tax),
    INVOICE(MEMBER_MONEY, tax_accounting),
    INVOICE(MEMBER_MONEY, grand_total),
    INVOICE(MEMBER_MONEY, prepaid),
    INVOICE(MEMBER_MONEY, rounding),
    INVOICE(MEMBER_MONEY, due_payable),
    PARTY(seller),
    PARTY(buyer),
    INVOICE(MEMBER_TEXT, payee_name),
    LIST(MEMBER_LIST, accounts, &account_shape, account_count, READING_ACCOUNTS_MAX),
    INVOICE(MEMBER_TEXT, debited_iban),
    LIST(MEMBER_LIST, references, &reference_shape, reference_count, READING_REFERENCES_MAX),
    LIST(MEMBER_LIST, taxes, &tax_shape, tax_count, READING_TAXES_MAX),
    INVOICE(MEMBER_COUNT, line_count),
    LIST(MEMBER_TEXTS, doubts, NULL, doubt_count, READING_DOUBTS_MAX),
};
static const struct shape invoice_shape = {sizeof(struct reading_invoice), invoice_members,
                                           COUNT(invoice_members)};

/* ---- reasons and limits ---- */

#define REASON_SLUG(code, slug, sentence)     [code] = (slug),
#define REASON_SENTENCE(code, slug, sentence) [code] = (sentence),
static const char *const slugs[] = {READING_REASON_TABLE(REASON_SLUG)};
static const char *const sentences[] = {READING_REASON_TABLE(REASON_SENTENCE)};

const char *reading_reason_slug(enum reading_reason reason)
{
    assert(reason >= 0 && reason < READING_REASON_COUNT);
    return slugs[reason];
}

const char *reading_reason_sentence(enum reading_reason reason)
{
    assert(reason >= 0 && reason < READING_REASON_COUNT);
    return sentences[reason];
}

const char *reading_outcome(enum reading_reason reason)
{
    return reason == READING_DONE || reason == READING_NO_DATA ? reading_reason_slug(reason)
                                                               : "unreadable";
}

struct reading_limits reading_limits_default(void)
{
#define LIMIT_VALUE(name, value) .name = (value),
    return (struct reading_limits){READING_LIMIT_TABLE(LIMIT_VALUE)};
}

/* ---- out ---- */

static json_t *object_json(struct arena *arena, const struct shape *shape, const char *object);

static json_t *money_json(struct arena *arena, const struct money *money)
{
    if (money->currency[0] == '\0')
        return NULL;
    return json_pack("{s:s, s:s}", "amount", money_decimal(arena, *money), "currency",
                     money->currency);
}

static json_t *list_json(struct arena *arena, const struct member *member, const char *object)
{
    size_t count = *(const size_t *)(const void *)(object + member->count_at);
    json_t *list = count ? json_array() : NULL;
    for (size_t i = 0; i < count; i++) {
        const char *const *texts = (const void *)(object + member->at);
        json_array_append_new(
            list,
            member->kind == MEMBER_TEXTS
                ? json_string(texts[i])
                : object_json(arena, member->shape, object + member->at + i * member->shape->size));
    }
    return list;
}

/* NULL when there is nothing to say. */
static json_t *member_json(struct arena *arena, const struct member *member, const char *object)
{
    const void *at = object + member->at;
    switch (member->kind) {
    case MEMBER_TEXT:
        return *(const char *const *)at ? json_string(*(const char *const *)at) : NULL;
    case MEMBER_DATE:
        return ((const struct date *)at)->days == DATE_NONE
                   ? NULL
                   : json_string(date_format(arena, *(const struct date *)at));
    case MEMBER_MONEY:
        return money_json(arena, at);
    case MEMBER_BOOL:
        return json_boolean(*(const bool *)at);
    case MEMBER_COUNT:
        return json_integer(*(const int64_t *)at);
    case MEMBER_OBJECT:
        return object_json(arena, member->shape, at);
    case MEMBER_LIST:
    case MEMBER_TEXTS:
        return list_json(arena, member, object);
    }
    return NULL;
}

static json_t *object_json(struct arena *arena, const struct shape *shape, const char *object)
{
    json_t *value = json_object();
    for (size_t i = 0; i < shape->count; i++) {
        json_t *member = member_json(arena, &shape->members[i], object);
        if (member)
            json_object_set_new(value, shape->members[i].name, member);
    }
    return value;
}

json_t *reading_json(struct arena *arena, const struct reading *reading)
{
    json_t *value =
        json_pack("{s:s, s:s, s:s, s:s}", "outcome", reading_outcome(reading->reason), "reason",
                  reading_reason_slug(reading->reason), "sentence",
                  reading_reason_sentence(reading->reason), "media_type", reading->media_type);
    if (reading->reason == READING_DONE)
        json_object_set_new(
            value, "invoice",
            object_json(arena, &invoice_shape, (const char *)(const void *)&reading->invoice));
    return json_keep(arena, value);
}

/* ---- in ---- */

static bool object_parse(struct arena *arena, const struct shape *shape, const json_t *value,
                         char *object);

static bool list_parse(struct arena *arena, const struct member *member, const json_t *value,
                       char *object)
{
    size_t *count = (size_t *)(void *)(object + member->count_at);
    if (!json_is_array(value) || json_array_size(value) > member->count_max)
        return false;
    *count = json_array_size(value);
    for (size_t i = 0; i < *count; i++) {
        const json_t *item = json_array_get(value, i);
        const char **texts = (void *)(object + member->at);
        if (member->kind == MEMBER_TEXTS) {
            texts[i] = arena_text(arena, json_string_value(item));
            if (!texts[i])
                return false;
        } else if (!object_parse(arena, member->shape, item,
                                 object + member->at + i * member->shape->size)) {
            return false;
        }
    }
    return true;
}

static bool money_from(const json_t *value, struct money *into)
{
    const char *amount = json_text(value, "amount");
    const char *currency = json_text(value, "currency");
    return amount && currency && currency_valid(currency) && money_parse(amount, currency, into);
}

static bool member_parse(struct arena *arena, const struct member *member, const json_t *value,
                         char *object)
{
    void *at = object + member->at;
    switch (member->kind) {
    case MEMBER_TEXT:
        *(const char **)at = arena_text(arena, json_string_value(value));
        return json_is_string(value);
    case MEMBER_DATE:
        return date_parse(json_string_value(value), at);
    case MEMBER_MONEY:
        return money_from(value, at);
    case MEMBER_BOOL:
        *(bool *)at = json_is_true(value);
        return json_is_boolean(value);
    case MEMBER_COUNT:
        *(int64_t *)at = json_integer_value(value);
        return json_is_integer(value) && json_integer_value(value) >= 0;
    case MEMBER_OBJECT:
        return object_parse(arena, member->shape, value, at);
    case MEMBER_LIST:
    case MEMBER_TEXTS:
        return list_parse(arena, member, value, object);
    }
    return false;
}

static bool object_parse(struct arena *arena, const struct shape *shape, const json_t *value,
                         char *object)
{
    if (!json_is_object(value))
        return false;
    for (size_t i = 0; i < shape->count; i++) {
        const struct member *member = &shape->members[i];
        const json_t *found = json_object_get(value, member->name);
        if (member->kind == MEMBER_DATE)
            *(struct date *)(void *)(object + member->at) = (struct date){DATE_NONE};
        if (found && !member_parse(arena, member, found, object))
            return false;
    }
    return true;
}

static bool reason_parse(const char *slug, enum reading_reason *into)
{
    for (int i = 0; slug && i < READING_REASON_COUNT; i++) {
        if (text_equal(slug, slugs[i])) {
            *into = (enum reading_reason)i;
            return true;
        }
    }
    return false;
}

bool reading_parse(struct arena *arena, const json_t *value, struct reading *into)
{
    *into = (struct reading){.media_type = arena_text(arena, json_text(value, "media_type"))};
    if (!into->media_type || !reason_parse(json_text(value, "reason"), &into->reason))
        return false;
    return into->reason != READING_DONE ||
           object_parse(arena, &invoice_shape, json_object_get(value, "invoice"),
                        (char *)(void *)&into->invoice);
}
