#include "unit.h"

#include "base/address.h"
#include "base/money.h"
#include "base/text.h"
#include "base/time.h"
#include "base/uuid.h"

static void an_address_is_in_its_range(void **state)
{
    static const struct {
        const char *range, *address;
        bool in;
    } cases[] = {
        {"10.0.0.0/8", "10.255.0.1", true},
        {"10.0.0.0/8", "11.0.0.1", false},
        {"192.0.2.128/25", "192.0.2.127", false},
        {"192.0.2.128/25", "192.0.2.129", true},
        {"192.0.2.1", "::ffff:192.0.2.1", true},
        {"192.0.2.1", "192.0.2.2", false},
        {"0.0.0.0/0", "203.0.113.1", true},
        {"0.0.0.0/0", "2001:db8::1", false},
        {"2001:db8::/33", "2001:db8:7fff::1", true},
        {"2001:db8::/33", "2001:db8:8000::1", false},
        {"::1", "0:0::1", true},
    };
    static const char *const none[] = {"",          "10.0.0", "10.0.0.0/33", "10.0.0.0/-1",
                                       "::1/129",   "::g",    "10.0.0.1 ",   "010.0.0.1",
                                       "fe80::1%1", "/8",     "10.0.0.0/",   "localhost"};
    struct address_range range;
    struct address address;
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_true(address_range_parse(cases[i].range, &range));
        assert_true(address_parse(cases[i].address, &address));
        assert_true(address_in(&range, &address) == cases[i].in);
    }
    for (size_t i = 0; i < COUNT(none); i++)
        assert_false(address_range_parse(none[i], &range));
    assert_true(address_parse("::ffff:127.8.8.8", &address) && address_loopback(&address));
    assert_string_equal(address_format(*state, &address), "127.8.8.8");
    assert_true(address_parse("2001:DB8:0::1", &address) && !address_loopback(&address));
    assert_string_equal(address_format(*state, &address), "2001:db8::1");
}

static void instants_round_trip(void **state)
{
    static const char *const cases[][2] = {
        {"2026-11-20T10:22:23.456Z", "2026-11-20T10:22:23.456Z"},
        {"2026-11-20T10:22:23Z", "2026-11-20T10:22:23.000Z"},
        {"2022-03-04T17:58:30+02:00", "2022-03-04T15:58:30.000Z"},
        {"2024-02-29T23:59:59.999999999-01:30", "2024-03-01T01:29:59.999Z"},
        {"1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000Z"},
        {"2100-03-01T00:00:00.1z", "2100-03-01T00:00:00.100Z"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct instant at;
        assert_true(instant_parse(cases[i][0], &at));
        assert_string_equal(instant_format(*state, at), cases[i][1]);
    }
}

static void instants_that_are_none_are_refused(void **state)
{
    static const char *const cases[] = {
        "",
        "2026-11-20",
        "2026-13-01T00:00:00Z",
        "2026-02-29T00:00:00Z",
        "2100-02-29T00:00:00Z",
        "2026-11-20T24:00:00Z",
        "2026-11-20T10:22:23",
        "2026-11-20T10:22:23.Z",
        "2026-11-20T10:22:23.0123456789Z",
        "2026-11-20T10:22:23Zx",
        "1969-12-31T23:59:59Z",
        "2026-11-20T10:22:23+2:00",
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct instant at;
        if (instant_parse(cases[i], &at))
            fail_msg("%s was taken for an instant", cases[i]);
    }
}

static void every_day_of_a_century_round_trips(void **state)
{
    struct date at = {0};
    for (int32_t days = 0; days < 36525 * 2; days += 7) {
        char *text = date_format(*state, (struct date){days});
        assert_true(date_parse(text, &at));
        assert_int_equal(at.days, days);
    }
}

static void money_keeps_the_digits_of_its_currency(void **state)
{
    static const struct {
        const char *decimal, *currency;
        int64_t minor;
        const char *written;
    } cases[] = {
        {"12.5", "EUR", 1250, "12.50"},
        {"-0.07", "EUR", -7, "-0.07"},
        {"500", "JPY", 500, "500"},
        {"500.00", "JPY", 500, "500"},
        {"5.12", "KWD", 5120, "5.120"},
        {"0", "USD", 0, "0.00"},
        {"92233720368547758.07", "EUR", INT64_MAX, "92233720368547758.07"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct money money;
        assert_true(money_parse(cases[i].decimal, cases[i].currency, &money));
        assert_int_equal(money.minor, cases[i].minor);
        assert_string_equal(money_decimal(*state, money), cases[i].written);
    }
    struct money least = {INT64_MIN, "EUR"};
    assert_string_equal(money_decimal(*state, least), "-92233720368547758.08");
}

static void money_that_would_lose_a_digit_is_refused(void **state)
{
    static const char *const cases[] = {
        "12.505", "", ".5", "5.", "1,5", "1e3", "--1", "1.2.3", "92233720368547758.08", " 1"};
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct money money;
        if (money_parse(cases[i], "EUR", &money))
            fail_msg("%s was taken for money", cases[i]);
    }
    struct money money;
    assert_false(money_parse("1.5", "JPY", &money));
    assert_false(money_parse("1.5", "eur", &money));
}

static void uuids_round_trip_and_sort_by_time(void **state)
{
    struct rand_source source;
    rand_open(&source, 42);
    struct instant now = instant_from_unix_s(1760000000);
    struct uuid a = uuid_v7(&source, now), b = uuid_v7(&source, instant_add_s(now, 1)), parsed;
    rand_close(&source);
    assert_true(memcmp(a.b, b.b, 16) < 0);
    assert_int_equal(a.b[6] >> 4, 7);
    assert_int_equal(a.b[8] >> 6, 2);
    assert_true(uuid_parse(uuid_format(*state, a), &parsed));
    assert_true(uuid_equal(a, parsed));
    assert_true(uuid_parse("0190163D-8694-739B-AEA5-966C26F8AD91", &parsed));
    assert_string_equal(uuid_format(*state, parsed), "0190163d-8694-739b-aea5-966c26f8ad91");
    assert_false(uuid_parse("0190163d-8694-739b-aea5-966c26f8ad9", &parsed));
    assert_false(uuid_parse("0190163d-8694-739b-aea5+966c26f8ad91", &parsed));
    assert_false(uuid_parse("0190163g-8694-739b-aea5-966c26f8ad91", &parsed));
}

static void encodings_round_trip_at_every_length(void **state)
{
    uint8_t data[40];
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 37 + 250);
    for (size_t n = 0; n < sizeof data; n++) {
        struct bytes back;
        assert_true(
            base64url_decode(*state, base64url_encode(*state, (struct bytes){data, n}), &back));
        assert_int_equal(back.n, n);
        assert_memory_equal(back.at, data, n);
        assert_true(hex_decode(*state, hex_encode(*state, (struct bytes){data, n}), &back));
        assert_memory_equal(back.at, data, n);
    }
    struct bytes back;
    assert_false(base64url_decode(*state, "A", &back));
    assert_false(base64url_decode(*state, "AB=", &back));
    assert_false(base64url_decode(*state, "AB", &back)); /* bits behind the last byte */
    assert_string_equal(base64_encode(*state, unit_bytes("ab")), "YWI=");
}

static void utf8_is_told_from_other_bytes(void **state)
{
    (void)state;
    assert_true(utf8_valid("é€😀", strlen("é€😀")));
    assert_false(utf8_valid("\xc0\xaf", 2));         /* overlong */
    assert_false(utf8_valid("\xed\xa0\x80", 3));     /* surrogate */
    assert_false(utf8_valid("\xf4\x90\x80\x80", 4)); /* beyond U+10FFFF */
    assert_false(utf8_valid("\xe2\x82", 2));         /* cut */
    assert_int_equal(utf8_length("aé€😀"), 4);
}

static void whole_numbers_keep_their_bounds(void **state)
{
    int64_t value;
    (void)state;
    assert_true(int64_parse("-5", -5, 5, &value));
    assert_int_equal(value, -5);
    assert_false(int64_parse("6", -5, 5, &value));
    assert_false(int64_parse("5x", 0, 9, &value));
    assert_false(int64_parse(" 5", 0, 9, &value));
    assert_false(int64_parse("+5", 0, 9, &value));
    assert_false(int64_parse("", 0, 9, &value));
    assert_false(int64_parse("99999999999999999999", 0, INT64_MAX, &value));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_ARENA(an_address_is_in_its_range),
        WITH_ARENA(instants_round_trip),
        WITH_ARENA(instants_that_are_none_are_refused),
        WITH_ARENA(every_day_of_a_century_round_trips),
        WITH_ARENA(money_keeps_the_digits_of_its_currency),
        WITH_ARENA(money_that_would_lose_a_digit_is_refused),
        WITH_ARENA(uuids_round_trip_and_sort_by_time),
        WITH_ARENA(encodings_round_trip_at_every_length),
        WITH_ARENA(utf8_is_told_from_other_bytes),
        WITH_ARENA(whole_numbers_keep_their_bounds),
    };
    return RUN(tests);
}
