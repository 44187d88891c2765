#include "unit.h"

#include "base/text.h"
#include "handlers/integration_settings.h"

static const struct stream_info streams[] = {
    {.name = "a.charges", .history_days_max = 100, .cadence_s = 3},
    {.name = "a.refunds", .history_days_max = 730, .cadence_s = 3},
};
static const struct source source = {.provider = "a", .streams = streams, .stream_count = 2};

static enum err sent(struct arena *arena, const char *body, struct settings_input *into)
{
    *into = settings_input_new();
    return input_read_json(arena, unit_bytes(body), settings_fields, COUNT(settings_fields), into);
}

static struct settings merged(struct arena *arena, const struct settings *before, const char *body)
{
    struct settings_input input;
    struct settings settings = *before;
    assert_int_equal(sent(arena, body, &input), OK);
    (void)settings_merge(arena, &input, &settings);
    return settings;
}

static void what_is_not_sent_has_its_default(void **state)
{
    struct settings settings = settings_defaults();
    assert_string_equal(
        settings_write(*state, &settings),
        "{\"backfill_days\":0,\"poll_period_s\":900,\"preset\":\"standard\","
        "\"thresholds\":{\"flow\":0.8500,\"hold\":0.5500},\"routes\":{},"
        "\"policies\":{\"max_unattended_minor\":{},\"new_counterparty_above_minor\":{},"
        "\"allowed_currencies\":[],\"closed_before\":null},\"grace_s\":10,"
        "\"notify\":{\"connection\":[],\"problem\":[],\"review\":[]}}");
}

static void what_is_stored_reads_as_it_was_written(void **state)
{
    struct settings defaults = settings_defaults(), again;
    struct settings settings = merged(
        *state, &defaults,
        "{\"backfill_days\":30,\"preset\":\"purchases_only\",\"routes\":{\"payout\":\"ignore\"},"
        "\"policies\":{\"max_unattended_minor\":{\"EUR\":500000},\"closed_before\":\"2026-01-01\","
        "\"allowed_currencies\":[\"EUR\",\"USD\"]},\"notify\":{\"review\":[\"a@b.example\"]}}");
    const char *stored = settings_write(*state, &settings);
    assert_int_equal(settings_read(*state, stored, &again), OK);
    assert_string_equal(settings_write(*state, &again), stored);
    assert_int_equal(again.routes.of[KIND_PAYOUT], ROUTE_IGNORE);
    assert_int_equal(again.routes.of[KIND_CHARGE], ROUTE_BY_PRESET);
}

static void each_part_that_is_sent_is_replaced_whole(void **state)
{
    struct settings defaults = settings_defaults();
    struct settings first =
        merged(*state, &defaults,
               "{\"routes\":{\"payout\":\"ignore\"},\"policies\":{\"allowed_currencies\":[\"EUR\"],"
               "\"closed_before\":\"2026-01-01\"},\"grace_s\":60}");
    struct settings second =
        merged(*state, &first,
               "{\"routes\":{\"refund\":\"enrich\"},\"policies\":{\"closed_before\":null}}");
    assert_int_equal(second.routes.of[KIND_PAYOUT], ROUTE_BY_PRESET);
    assert_int_equal(second.routes.of[KIND_REFUND], ROUTE_ENRICH);
    assert_int_equal(second.policies.allowed_currencies.n, 0);
    assert_int_equal(second.policies.closed_before.days, DATE_NONE);
    assert_int_equal(second.grace_s, 60);
}

static void sending_what_holds_already_changes_nothing(void **state)
{
    struct settings settings = settings_defaults();
    struct settings_input input;
    assert_int_equal(sent(*state, "{\"thresholds\":{\"flow\":0.85,\"hold\":0.55}}", &input), OK);
    assert_false(settings_merge(*state, &input, &settings));
    assert_int_equal(sent(*state, "{\"thresholds\":{\"flow\":0.9,\"hold\":0.55}}", &input), OK);
    assert_true(settings_merge(*state, &input, &settings));
}

static void refused(struct arena *arena, const char *body, const char *field)
{
    struct settings settings = settings_defaults();
    settings = merged(arena, &settings, body);
    assert_int_equal(settings_check(arena, &settings, &source), ERR_FIELD_INVALID);
    assert_string_equal(arena_failure(arena)->field, field);
    arena_failure_clear(arena);
}

static void what_cannot_be_is_refused_by_its_field(void **state)
{
    struct settings settings = settings_defaults();
    assert_int_equal(settings_check(*state, &settings, &source), OK);
    settings.backfill_days = 730; /* of the stream that goes back furthest */
    assert_int_equal(settings_check(*state, &settings, &source), OK);
    refused(*state, "{\"backfill_days\":731}", "settings.backfill_days");
    refused(*state, "{\"thresholds\":{\"flow\":0.5,\"hold\":0.6}}", "settings.thresholds.hold");
    refused(*state, "{\"policies\":{\"max_unattended_minor\":{\"eur\":1}}}",
            "settings.policies.max_unattended_minor.eur");
    refused(*state, "{\"policies\":{\"new_counterparty_above_minor\":{\"EUR\":1.5}}}",
            "settings.policies.new_counterparty_above_minor.EUR");
    refused(*state, "{\"policies\":{\"max_unattended_minor\":{\"EUR\":9007199254740992}}}",
            "settings.policies.max_unattended_minor.EUR");
    refused(*state, "{\"policies\":{\"allowed_currencies\":[\"EUR\",\"EUR\"]}}",
            "settings.policies.allowed_currencies.1");
    refused(*state, "{\"notify\":{\"problem\":[\"a@b.example\",\"a@b.example\"]}}",
            "settings.notify.problem.1");
}

static void seventeen_limits_are_too_many(void **state)
{
    struct buf body = buf_new(*state, 1024);
    buf_add_text(&body, "{\"policies\":{\"max_unattended_minor\":{");
    for (int i = 0; i < 17; i++)
        buf_format(&body, "%s\"AA%c\":1", i ? "," : "", 'A' + i);
    buf_add_text(&body, "}}}");
    refused(*state, body.data, "settings.policies.max_unattended_minor");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_ARENA(what_is_not_sent_has_its_default),
        WITH_ARENA(what_is_stored_reads_as_it_was_written),
        WITH_ARENA(each_part_that_is_sent_is_replaced_whole),
        WITH_ARENA(sending_what_holds_already_changes_nothing),
        WITH_ARENA(what_cannot_be_is_refused_by_its_field),
        WITH_ARENA(seventeen_limits_are_too_many),
    };
    return RUN(tests);
}
