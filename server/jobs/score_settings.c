/* The settings of an integration (JSON, validated when they were stored) as the matcher reads them.
 */
#include "jobs/score.h"

static int64_t micro_of(const json_t *value, int64_t otherwise)
{
    if (!json_is_number(value))
        return otherwise;
    return (int64_t)(json_number_value(value) * 10000.0 + 0.5) * 100;
}

static size_t limits_of(const json_t *by_currency, struct money limits[POLICY_LIMITS_MAX])
{
    size_t n = 0;
    const char *currency;
    json_t *minor;
    void *iterator = json_object_iter((json_t *)(uintptr_t)by_currency);
    while (iterator && n < POLICY_LIMITS_MAX) {
        currency = json_object_iter_key(iterator);
        minor = json_object_iter_value(iterator);
        if (currency_valid(currency) && json_is_integer(minor)) {
            limits[n].minor = json_integer_value(minor);
            memcpy(limits[n].currency, currency, sizeof limits[n].currency);
            n++;
        }
        iterator = json_object_iter_next((json_t *)(uintptr_t)by_currency, iterator);
    }
    return n;
}

struct policy_settings settings_policy(const json_t *settings)
{
    struct policy_settings policy = policy_defaults();
    policy.flow_min_micro = micro_of(json_at(settings, "thresholds.flow"), policy.flow_min_micro);
    policy.hold_min_micro = micro_of(json_at(settings, "thresholds.hold"), policy.hold_min_micro);
    policy.cap_count =
        limits_of(json_object_at(settings, "policies.max_unattended_minor"), policy.caps);
    policy.new_counterparty_count =
        limits_of(json_object_at(settings, "policies.new_counterparty_above_minor"),
                  policy.new_counterparty_max);
    const json_t *allowed = json_list(settings, "policies.allowed_currencies");
    for (size_t i = 0; i < json_array_size(allowed) && i < POLICY_CURRENCIES_MAX; i++) {
        const char *currency = json_string_value(json_array_get(allowed, i));
        if (currency_valid(currency))
            memcpy(policy.currencies[policy.currency_count++], currency, 4);
    }
    return policy;
}
