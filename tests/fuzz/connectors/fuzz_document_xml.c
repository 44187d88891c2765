/* Any XML is an invoice or is not: what is read comes back the same from its JSON, and texts are
 * valid and bounded. */
#include "base/base.h"

#include "base/text.h"
#include "connectors/document/reading/reading.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void check_id(const char *id)
{
    require(!id || (*id && strlen(id) <= READING_ID_BYTES_MAX && utf8_valid(id, strlen(id))));
}

static void check(struct arena *arena, const struct reading *reading)
{
    const struct reading_invoice *invoice = &reading->invoice;
    struct reading again;
    json_t *value = reading_json(arena, reading);
    require(reading_parse(arena, value, &again));
    require(json_equal(value, reading_json(arena, &again)));
    if (reading->reason != READING_DONE)
        return;
    check_id(invoice->number);
    check_id(invoice->type_code);
    check_id(invoice->seller.vat_id);
    check_id(invoice->buyer.registration_scheme);
    require(!invoice->seller.siren || strlen(invoice->seller.siren) == 9);
    require(!invoice->seller.siret || strlen(invoice->seller.siret) == 14);
    require(invoice->syntax && invoice->kind && invoice->profile);
    require(!invoice->currency || currency_valid(invoice->currency));
    require(!invoice->grand_total.currency[0] ||
            strcmp(invoice->grand_total.currency, invoice->currency) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_open();
    struct reading_limits limits = reading_limits_default();
    struct reading reading;
    reading_extract(arena, (struct bytes){data, size}, &limits, &reading);
    if (strcmp(reading.media_type, "application/pdf") != 0)
        check(arena, &reading);
    arena_close(arena);
    return 0;
}
