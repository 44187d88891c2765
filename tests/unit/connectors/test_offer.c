#include "unit.h"

#include "connectors/attempt.h"
#include "connectors/offer.h"

static const struct stream_info infos[] = {
    {.name = "a.short", .history_days_max = 10, .cadence_s = 3},
    {.name = "a.long", .history_days_max = 730, .cadence_s = 3600},
};
static const struct source source = {.provider = "a", .streams = infos, .stream_count = 2};
static const char *const books[] = {"b.invoices", "b.transactions", NULL};
static const struct target target = {.provider = "b", .streams = books};
static const struct provider one = {.name = "a", .source = &source};
static const struct provider other = {.name = "b", .target = &target};

static const int64_t day_us = INT64_C(86400) * 1000000;
static const struct stream_need need = {
    .start = {INT64_C(1800000000) * 1000000},
    .backfill_days = 30,
    .poll_period_s = 900,
    .mirror_days = 400,
    .ledger_age_s = 901,
};

static void a_stream_is_read_as_often_as_either_side_asks_and_no_further_back_than_it_goes(void **s)
{
    struct stream_offer offers[OFFERS_MAX];
    (void)s;
    assert_int_equal(source_offers(&one, &need, offers), 2);
    assert_string_equal(offers[0].name, "a.short");
    assert_int_equal(offers[0].period_s, 3);
    assert_int_equal(offers[0].reach.us, need.start.us - 10 * day_us);
    assert_int_equal(offers[1].period_s, 900);
    assert_int_equal(offers[1].reach.us, need.start.us - 30 * day_us);
    assert_int_equal(source_offers(&other, &need, offers), 0);
}

static void books_are_read_at_least_twice_before_they_are_stale(void **s)
{
    struct stream_offer offers[OFFERS_MAX];
    (void)s;
    assert_int_equal(mirror_offers(&other, &need, offers), 2);
    assert_string_equal(offers[1].name, "b.transactions");
    assert_int_equal(offers[0].period_s, 451);
    assert_int_equal(offers[0].reach.us, need.start.us - 430 * day_us);
    assert_int_equal(mirror_offers(&one, &need, offers), 0);
}

static void an_authorisation_is_stored_without_its_secrets(void **state)
{
    const struct authorisation begun = {
        .authorize_url = "https://as.example/authorize?state=s",
        .verifier = secret_from_text(*state, "verifier-is-secret"),
        .issuer = "https://as.example/mcp",
        .iss_expected = true,
        .basic_auth = true,
        .client_id = "client",
        .client_secret = secret_from_text(*state, "client-secret"),
        .token_endpoint = "https://as.example/token",
        .resource = "https://mcp.example",
        .scope = "mcp",
    };
    struct authorisation again;
    const char *stored = authorisation_write(*state, &begun);
    assert_null(strstr(stored, "secret"));
    assert_null(strstr(stored, "state"));
    assert_int_equal(authorisation_read(*state, stored, &again), OK);
    assert_string_equal(again.issuer, begun.issuer);
    assert_true(again.iss_expected);
    assert_true(again.basic_auth);
    assert_string_equal(again.token_endpoint, begun.token_endpoint);
    assert_null(again.revocation_endpoint);
    assert_null(again.client_secret);
    assert_int_equal(authorisation_read(*state, NULL, &again), OK);
    assert_null(again.client_id);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_ARENA(a_stream_is_read_as_often_as_either_side_asks_and_no_further_back_than_it_goes),
        WITH_ARENA(books_are_read_at_least_twice_before_they_are_stale),
        WITH_ARENA(an_authorisation_is_stored_without_its_secrets),
    };
    return RUN(tests);
}
