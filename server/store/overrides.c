#include "store/overrides.h"

#include "base/text.h"
#include "json/json.h"

static const struct {
    const char *name; /* as the API calls it */
    size_t offset;    /* of the text in struct scoring_item */
} overridable[] = {
    {"counterparty_name", offsetof(struct scoring_item, party_name)},
    {"counterparty_email", offsetof(struct scoring_item, party_email)},
    {"counterparty_address", offsetof(struct scoring_item, party_address)},
    {"counterparty_postcode", offsetof(struct scoring_item, party_postcode)},
    {"counterparty_country", offsetof(struct scoring_item, party_country)},
    {"counterparty_vat_id", offsetof(struct scoring_item, party_vat_id)},
    {"reference", offsetof(struct scoring_item, reference)},
    {"description", offsetof(struct scoring_item, description)},
};

bool override_known(const char *name)
{
    for (size_t i = 0; i < COUNT(overridable); i++) {
        if (text_equal(overridable[i].name, name))
            return true;
    }
    return false;
}

struct stored_overrides {
    const char *overrides;
};
static const struct column overrides_columns[] = {COLUMN(struct stored_overrides, overrides)};
static const struct shape overrides_shape = SHAPE(struct stored_overrides, overrides_columns);

STATEMENT(overrides_get_sql,
          "SELECT overrides FROM region.item WHERE workspace_id = $1 AND id = $2");

enum err overrides_apply(const struct scope *scope, struct uuid item, struct scoring_item *into)
{
    struct stored_overrides stored;
    json_t *overrides = NULL;
    TRY(db_one(scope, &overrides_get_sql, PARAMS(P(scope->workspace), P(item)), &overrides_shape,
               &stored));
    if (!stored.overrides)
        return OK;
    struct bytes text = {(const uint8_t *)stored.overrides, strlen(stored.overrides)};
    TRY(json_parse(scope->arena, text, &overrides));
    for (size_t i = 0; i < COUNT(overridable); i++) {
        const char *value = json_text(overrides, overridable[i].name);
        if (value)
            memcpy((char *)into + overridable[i].offset, &value, sizeof value);
    }
    return OK;
}
