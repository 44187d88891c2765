#include "base/base.h"

#include "connectors/source.h"

#include "base/text.h"

static const char *const names[KIND_COUNT] = {
    [KIND_CHARGE] = "charge",
    [KIND_REFUND] = "refund",
    [KIND_PAYOUT] = "payout",
    [KIND_DISPUTE] = "dispute",
    [KIND_FEE] = "fee",
    [KIND_CUSTOMER] = "customer",
    [KIND_SUBSCRIPTION] = "subscription",
    [KIND_SUPPLIER_INVOICE] = "supplier_invoice",
    [KIND_CLIENT_INVOICE] = "client_invoice",
    [KIND_CREDIT_NOTE] = "credit_note",
};

const char *record_kind_name(enum record_kind kind)
{
    assert(kind >= 0 && kind < KIND_COUNT);
    return names[kind];
}

bool record_kind_parse(const char *name, enum record_kind *into)
{
    for (size_t i = 0; i < KIND_COUNT; i++) {
        if (text_equal(names[i], name)) {
            *into = (enum record_kind)i;
            return true;
        }
    }
    return false;
}
