#include "base/base.h"

#include "handlers/integration_settings.h"

#include "base/text.h"
#include "handlers/email.h"
#include "http/json_out.h"

enum {
    BACKFILL_DAYS_MAX = 1096,
    POLL_PERIOD_S_MIN = 60,
    POLL_PERIOD_S_MAX = 86400,
    GRACE_S_MAX = 86400,
    LIMITS_BYTES_MAX = 1024, /* of one list of limits */
    LIMITS_MAX = 16,
    CURRENCIES_MAX = 32,
    RECIPIENTS_MAX = 20,
    SETTINGS_BYTES_MAX = 64 * 1024,
    MILLION = 1000000,
};
#define MINOR_MAX INT64_C(9007199254740991)

static const char *const preset_words[] = {"standard", "purchases_only", NULL};
static const char *const route_words[] = {"post", "enrich", "ignore", NULL};

static const struct input_field thresholds_fields[] = {
    FIELD_MILLIONTHS("flow", struct settings_thresholds, flow, 0, MILLION, REQUIRED),
    FIELD_MILLIONTHS("hold", struct settings_thresholds, hold, 0, MILLION, REQUIRED),
};

#define ROUTE_FIELD(name, kind)                                                                    \
    FIELD_WORD(name, struct settings_routes, of[kind], route_words, OPTIONAL)
static const struct input_field routes_fields[] = {
    ROUTE_FIELD("charge", KIND_CHARGE),
    ROUTE_FIELD("refund", KIND_REFUND),
    ROUTE_FIELD("payout", KIND_PAYOUT),
    ROUTE_FIELD("dispute", KIND_DISPUTE),
    ROUTE_FIELD("fee", KIND_FEE),
    ROUTE_FIELD("customer", KIND_CUSTOMER),
    ROUTE_FIELD("subscription", KIND_SUBSCRIPTION),
    ROUTE_FIELD("supplier_invoice", KIND_SUPPLIER_INVOICE),
    ROUTE_FIELD("client_invoice", KIND_CLIENT_INVOICE),
    ROUTE_FIELD("credit_note", KIND_CREDIT_NOTE),
};

static const struct input_field policies_fields[] = {
    FIELD_JSON("max_unattended_minor", struct settings_policies, max_unattended_minor,
               LIMITS_BYTES_MAX, OPTIONAL),
    FIELD_JSON("new_counterparty_above_minor", struct settings_policies,
               new_counterparty_above_minor, LIMITS_BYTES_MAX, OPTIONAL),
    FIELD_TEXTS("allowed_currencies", struct settings_policies, allowed_currencies, 0,
                CURRENCIES_MAX, OPTIONAL),
    FIELD_DATE("closed_before", struct settings_policies, closed_before, .nullable = true),
};

static const struct input_field notify_fields[] = {
    FIELD_TEXTS("connection", struct settings_notify, connection, 0, RECIPIENTS_MAX, OPTIONAL),
    FIELD_TEXTS("problem", struct settings_notify, problem, 0, RECIPIENTS_MAX, OPTIONAL),
    FIELD_TEXTS("review", struct settings_notify, review, 0, RECIPIENTS_MAX, OPTIONAL),
};

#define SENT(flag) GIVEN(struct settings_input, flag)
const struct input_field settings_fields[8] = {
    FIELD_INT("backfill_days", struct settings_input, sent.backfill_days, 0, BACKFILL_DAYS_MAX,
              SENT(backfill_days_sent)),
    FIELD_INT("poll_period_s", struct settings_input, sent.poll_period_s, POLL_PERIOD_S_MIN,
              POLL_PERIOD_S_MAX, SENT(poll_period_s_sent)),
    FIELD_WORD("preset", struct settings_input, sent.preset, preset_words, SENT(preset_sent)),
    FIELD_OBJECT("thresholds", struct settings_input, sent.thresholds, thresholds_fields,
                 SENT(thresholds_sent)),
    FIELD_OBJECT("routes", struct settings_input, sent.routes, routes_fields, SENT(routes_sent)),
    FIELD_OBJECT("policies", struct settings_input, sent.policies, policies_fields,
                 SENT(policies_sent)),
    FIELD_INT("grace_s", struct settings_input, sent.grace_s, 0, GRACE_S_MAX, SENT(grace_s_sent)),
    FIELD_OBJECT("notify", struct settings_input, sent.notify, notify_fields, SENT(notify_sent)),
};

struct settings settings_defaults(void)
{
    struct settings settings = {
        .poll_period_s = 900,
        .thresholds = {.flow = 850000, .hold = 550000},
        .grace_s = 10,
    };
    for (size_t kind = 0; kind < KIND_COUNT; kind++)
        settings.routes.of[kind] = ROUTE_BY_PRESET;
    settings.policies.closed_before.days = DATE_NONE;
    return settings;
}

struct settings_input settings_input_new(void)
{
    return (struct settings_input){.sent = settings_defaults()};
}

bool settings_merge(struct arena *arena, const struct settings_input *input, struct settings *into)
{
    const char *before = settings_write(arena, into);
    const struct settings *sent = &input->sent;
    if (input->backfill_days_sent)
        into->backfill_days = sent->backfill_days;
    if (input->poll_period_s_sent)
        into->poll_period_s = sent->poll_period_s;
    if (input->preset_sent)
        into->preset = sent->preset;
    if (input->thresholds_sent)
        into->thresholds = sent->thresholds;
    if (input->routes_sent)
        into->routes = sent->routes;
    if (input->policies_sent)
        into->policies = sent->policies;
    if (input->grace_s_sent)
        into->grace_s = sent->grace_s;
    if (input->notify_sent)
        into->notify = sent->notify;
    return !text_equal(before, settings_write(arena, into));
}

/* ---- checking ---- */

static enum err invalid(struct arena *arena, const char *field, const char *sentence)
{
    return arena_fail(arena, ERR_FIELD_INVALID, field, "%s", sentence);
}

static enum err limits_check(struct arena *arena, const char *name, const json_t *limits)
{
    if (json_object_size(limits) > LIMITS_MAX)
        return invalid(arena, arena_format(arena, "settings.policies.%s", name),
                       "Expected at most 16 currencies.");
    for (void *at = json_object_iter((json_t *)(uintptr_t)limits); at;
         at = json_object_iter_next((json_t *)(uintptr_t)limits, at)) {
        const char *currency = json_object_iter_key(at);
        const json_t *minor = json_object_iter_value(at);
        bool whole = json_is_integer(minor) && json_integer_value(minor) >= 0 &&
                     json_integer_value(minor) <= MINOR_MAX;
        if (!currency_valid(currency) || !whole)
            return invalid(arena, arena_format(arena, "settings.policies.%s.%s", name, currency),
                           "Expected a whole number of minor units by currency, such as "
                           "{\"EUR\":500000}.");
    }
    return OK;
}

static bool stands_before(const struct input_texts *list, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        if (text_equal(list->at[i], list->at[index]))
            return true;
    }
    return false;
}

static enum err currencies_check(struct arena *arena, const struct input_texts *list)
{
    for (size_t i = 0; i < list->n; i++) {
        if (!currency_valid(list->at[i]) || stands_before(list, i))
            return invalid(arena,
                           arena_format(arena, "settings.policies.allowed_currencies.%zu", i),
                           "Expected a currency such as EUR that does not stand in the list yet.");
    }
    return OK;
}

static enum err recipients_check(struct arena *arena, const char *name,
                                 const struct input_texts *list)
{
    for (size_t i = 0; i < list->n; i++) {
        const char *field = arena_format(arena, "settings.notify.%s.%zu", name, i);
        TRY(email_check(arena, field, list->at[i]));
        if (stands_before(list, i))
            return invalid(arena, field, "The address stands in the list already.");
    }
    return OK;
}

static int history_days(const struct source *source)
{
    int days = 0;
    for (size_t i = 0; i < source->stream_count; i++)
        days =
            source->streams[i].history_days_max > days ? source->streams[i].history_days_max : days;
    return days;
}

enum err settings_check(struct arena *arena, const struct settings *settings,
                        const struct source *source)
{
    if (settings->backfill_days > history_days(source))
        return arena_fail(arena, ERR_FIELD_INVALID, "settings.backfill_days",
                          "The provider keeps %d days of history.", history_days(source));
    if (settings->thresholds.hold > settings->thresholds.flow)
        return invalid(arena, "settings.thresholds.hold", "It may not exceed flow.");
    TRY(limits_check(arena, "max_unattended_minor", settings->policies.max_unattended_minor));
    TRY(limits_check(arena, "new_counterparty_above_minor",
                     settings->policies.new_counterparty_above_minor));
    TRY(currencies_check(arena, &settings->policies.allowed_currencies));
    TRY(recipients_check(arena, "connection", &settings->notify.connection));
    TRY(recipients_check(arena, "problem", &settings->notify.problem));
    return recipients_check(arena, "review", &settings->notify.review);
}

/* ---- writing and reading ---- */

static void write_texts(struct json_out *out, const char *name, const struct input_texts *texts)
{
    out_array(out, name);
    for (size_t i = 0; i < texts->n; i++)
        out_text(out, NULL, texts->at[i]);
    out_end(out);
}

static void write_limits(struct arena *arena, struct json_out *out, const char *name,
                         const json_t *limits)
{
    out_json(out, name, limits ? json_write(arena, limits) : "{}");
}

static void write_routes(struct json_out *out, const struct settings_routes *routes)
{
    out_object(out, "routes");
    for (size_t kind = 0; kind < KIND_COUNT; kind++) {
        if (routes->of[kind] != ROUTE_BY_PRESET)
            out_text(out, record_kind_name((enum record_kind)kind), route_words[routes->of[kind]]);
    }
    out_end(out);
}

char *settings_write(struct arena *arena, const struct settings *settings)
{
    struct json_out out = json_out_new(arena, SETTINGS_BYTES_MAX);
    out_object(&out, NULL);
    out_int(&out, "backfill_days", settings->backfill_days);
    out_int(&out, "poll_period_s", settings->poll_period_s);
    out_text(&out, "preset", preset_words[settings->preset]);
    out_object(&out, "thresholds");
    out_millionths(&out, "flow", settings->thresholds.flow);
    out_millionths(&out, "hold", settings->thresholds.hold);
    out_end(&out);
    write_routes(&out, &settings->routes);
    out_object(&out, "policies");
    write_limits(arena, &out, "max_unattended_minor", settings->policies.max_unattended_minor);
    write_limits(arena, &out, "new_counterparty_above_minor",
                 settings->policies.new_counterparty_above_minor);
    write_texts(&out, "allowed_currencies", &settings->policies.allowed_currencies);
    out_date(&out, "closed_before", settings->policies.closed_before);
    out_end(&out);
    out_int(&out, "grace_s", settings->grace_s);
    out_object(&out, "notify");
    write_texts(&out, "connection", &settings->notify.connection);
    write_texts(&out, "problem", &settings->notify.problem);
    write_texts(&out, "review", &settings->notify.review);
    out_end(&out);
    out_end(&out);
    assert(json_out_complete(&out));
    return out.buf.data;
}

enum err settings_read(struct arena *arena, const char *stored, struct settings *into)
{
    struct settings_input input = settings_input_new();
    TRY(input_read_json(arena, (struct bytes){(const uint8_t *)stored, strlen(stored)},
                        settings_fields, COUNT(settings_fields), &input));
    *into = input.sent;
    return OK;
}
