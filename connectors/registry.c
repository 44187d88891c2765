#include "connectors/registry.h"

#include "base/text.h"
#include "connectors/qonto/qonto.h"
#include "connectors/stripe/stripe.h"

static const struct provider stripe = {
    .name = "stripe",
    .title = "Stripe",
    .source = &stripe_source,
    .authoriser = &stripe_authoriser,
};

static const struct provider qonto = {
    .name = "qonto",
    .title = "Qonto",
    .hosted_in = "eu", /* its files are handed out from eu-central-1 */
    .target = &qonto_target,
    .authoriser = &qonto_authoriser,
};

static const struct provider *const rows[] = {&stripe, &qonto};

const struct provider *const *providers(size_t *count)
{
    *count = COUNT(rows);
    return rows;
}

const struct provider *provider_find(const char *name)
{
    for (size_t i = 0; i < COUNT(rows); i++) {
        if (text_equal(rows[i]->name, name))
            return rows[i];
    }
    return NULL;
}
