#include "connectors/stripe/stripe_party.h"

#include "base/text.h"

/* Best first. An invoice is part of charges of API versions before 2025-03-31 only. */
static const char *const name_paths[] = {"invoice.customer_name", "customer.business_name",
                                         "customer.name",         "customer.individual_name",
                                         "billing_details.name",  NULL};
static const char *const email_paths[] = {"invoice.customer_email", "customer.email",
                                          "billing_details.email", "receipt_email", NULL};
static const char *const phone_paths[] = {"invoice.customer_phone", "customer.phone",
                                          "billing_details.phone", NULL};
static const char *const address_paths[] = {"invoice.customer_address", "customer.address",
                                            "billing_details.address", NULL};
static const char *const customer_paths[] = {"customer.id", "customer", NULL};

static const char *pick(const json_t *object, const char *const *paths)
{
    for (; *paths; paths++) {
        const char *text = json_text(object, *paths);
        if (!text_blank(text))
            return text;
    }
    return NULL;
}

static bool country_valid(const char *code)
{
    return code && strlen(code) == 2 && strspn(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == 2;
}

/* An address counts when it says more than nothing. */
static const json_t *pick_address(const json_t *object)
{
    for (const char *const *path = address_paths; *path; path++) {
        const json_t *address = json_object_at(object, *path);
        if (!text_blank(json_text(address, "line1")) || !text_blank(json_text(address, "city")) ||
            country_valid(json_text(address, "country")))
            return address;
    }
    return NULL;
}

static void line_add(struct buf *line, const char *divider, const char *text)
{
    if (!text_blank(text))
        buf_format(line, "%s%s", line->n ? divider : "", text);
}

static void address_take(struct arena *arena, const json_t *object, struct party *into)
{
    enum { ADDRESS_BYTES_MAX = 1024 };
    const json_t *address = pick_address(object);
    struct buf line = buf_new(arena, ADDRESS_BYTES_MAX);
    const char *country = json_text(address, "country");
    if (!country_valid(country))
        country = json_text(object, "payment_method_details.card.country");
    into->country = country_valid(country) ? country : NULL;
    into->postcode = json_text(address, "postal_code");
    line_add(&line, ", ", json_text(address, "line1"));
    line_add(&line, ", ", json_text(address, "line2"));
    line_add(&line, ", ", into->postcode);
    line_add(&line, text_blank(into->postcode) ? ", " : " ", json_text(address, "city"));
    line_add(&line, ", ", json_text(address, "state"));
    into->address = line.n ? line.data : NULL;
}

static void tax_id_take(struct arena *arena, const char *type, const char *value,
                        struct party *into)
{
    if (text_blank(type) || text_blank(value))
        return;
    size_t n = strlen(value);
    bool digits = strspn(value, "0123456789") == n;
    if (text_ends(type, "_vat") && !into->vat_id)
        into->vat_id = value;
    if (strcmp(type, "fr_siren") == 0 && digits && n == 9 && !into->siren)
        into->siren = value;
    if (strcmp(type, "fr_siret") == 0 && digits && n == 14 && !into->siren)
        into->siren = arena_text_n(arena, value, 9);
}

static void tax_ids_take(struct arena *arena, const json_t *list, struct party *into)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *id = json_array_get(list, i);
        tax_id_take(arena, json_text(id, "type"), json_text(id, "value"), into);
    }
}

void stripe_party(struct arena *arena, const json_t *object, struct party *into)
{
    const json_t *charge = json_object_at(object, "charge");
    const json_t *about = charge ? charge : object;
    into->name = pick(about, name_paths);
    into->email = pick(about, email_paths);
    into->phone = pick(about, phone_paths);
    into->customer_id = pick(about, customer_paths);
    if (!into->customer_id)
        into->customer_id = pick(object, customer_paths);
    address_take(arena, about, into);
    tax_ids_take(arena, json_list(about, "invoice.customer_tax_ids"), into);
    tax_ids_take(arena, json_list(about, "customer.tax_ids.data"), into);
    into->company =
        into->vat_id || into->siren || !text_blank(json_text(about, "customer.business_name"));
}
