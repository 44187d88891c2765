#include "base/base.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>

#include <cmocka.h>

#include "net/egress.h"

struct place {
    struct sockaddr_storage at;
};

static const struct sockaddr *address(struct place *place, const char *text, uint16_t port)
{
    struct sockaddr_in *four = (struct sockaddr_in *)&place->at;
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)&place->at;
    memset(place, 0, sizeof *place);
    if (inet_pton(AF_INET, text, &four->sin_addr) == 1) {
        four->sin_family = AF_INET;
        four->sin_port = htons(port);
    } else {
        assert_int_equal(inet_pton(AF_INET6, text, &six->sin6_addr), 1);
        six->sin6_family = AF_INET6;
        six->sin6_port = htons(port);
    }
    return (const struct sockaddr *)&place->at;
}

static const char *const closed_addresses[] = {
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.1",
    "100.127.255.255",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.7",
    "203.0.113.9",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:8.8.8.8",
    "::ffff:127.0.0.1",
    "::8.8.8.8",
    "64:ff9b::808:808",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:10::1",
    "2001:20::1",
    "2001:db8::1",
    "2002:7f00:1::1",
    "3fff::1",
    "3fff:fff::1",
    "5f00::1",
    "fc00::1",
    "fd12:3456::1",
    "fe80::1",
    "febf::1",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
};
static const char *const open_addresses[] = {
    "1.1.1.1",         "8.8.8.8",        "9.255.255.255",
    "11.0.0.0",        "100.63.255.255", "100.128.0.0",
    "126.255.255.255", "128.0.0.1",      "169.253.0.1",
    "172.15.255.255",  "172.32.0.0",     "192.0.1.1",
    "192.167.1.1",     "198.17.0.1",     "198.20.0.0",
    "223.255.255.255", "2001:200::1",    "2001:4860:4860::8888",
    "2606:4700::1111", "2a01::1",        "3ffe::1",
};

static void only_global_unicast_is_public(void **state)
{
    (void)state;
    struct place place;
    for (size_t i = 0; i < COUNT(closed_addresses); i++) {
        if (egress_address_public(address(&place, closed_addresses[i], 443)))
            fail_msg("%s passes", closed_addresses[i]);
    }
    for (size_t i = 0; i < COUNT(open_addresses); i++) {
        if (!egress_address_public(address(&place, open_addresses[i], 443)))
            fail_msg("%s is refused", open_addresses[i]);
    }
    struct sockaddr unknown = {.sa_family = AF_UNIX};
    assert_false(egress_address_public(&unknown));
}

static void what_the_configuration_names_passes_besides(void **state)
{
    (void)state;
    static const char *const allow[] = {"127.0.0.1:8443", "localhost:9443", "[::1]:7443"};
    struct arena *arena = arena_open();
    const struct egress *egress;
    struct place place;
    assert_int_equal(egress_new(arena, allow, COUNT(allow), &egress), OK);
    assert_true(egress_allows(egress, "x", address(&place, "127.0.0.1", 8443)));
    assert_true(egress_allows(egress, "x", address(&place, "::ffff:127.0.0.1", 8443)));
    assert_false(egress_allows(egress, "x", address(&place, "127.0.0.1", 8444)));
    assert_false(egress_allows(egress, "x", address(&place, "127.0.0.2", 8443)));
    assert_true(egress_allows(egress, "LocalHost", address(&place, "127.0.0.1", 9443)));
    assert_true(egress_allows(egress, "localhost", address(&place, "::1", 9443)));
    assert_false(egress_allows(egress, "evil.example", address(&place, "127.0.0.1", 9443)));
    assert_true(egress_allows(egress, "x", address(&place, "::1", 7443)));
    assert_true(egress_allows(egress, "x", address(&place, "8.8.8.8", 443)));
    arena_close(arena);
}

static void what_is_no_host_and_port_is_a_configuration_error(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",       "127.0.0.1", "localhost", ":80",   "host:0", "host:65536", "[::1]",
        "::1:80", "[host]:80", "ho st:80",  "[]:80", "-a:80",  "host:80x",   "[127.0.0.1]:80"};
    struct arena *arena = arena_open();
    const struct egress *egress;
    for (size_t i = 0; i < COUNT(wrong); i++) {
        if (egress_new(arena, &wrong[i], 1, &egress) != ERR_CONFIG)
            fail_msg("\"%s\" was taken", wrong[i]);
    }
    const char *many[EGRESS_ALLOW_MAX + 1];
    for (size_t i = 0; i < COUNT(many); i++)
        many[i] = "a:1";
    assert_int_equal(egress_new(arena, many, COUNT(many), &egress), ERR_CONFIG);
    assert_int_equal(egress_new(arena, many, COUNT(many) - 1, &egress), OK);
    arena_close(arena);
}

static void hosts_of_a_provider_are_listed_by_name(void **state)
{
    (void)state;
    static const char list[] = " access.stripe.com mcp.stripe.com:443  localhost:8443";
    assert_true(egress_host_listed(NULL, "anything.example", 443));
    assert_false(egress_host_listed("", "anything.example", 443));
    assert_true(egress_host_listed(list, "access.stripe.com", 8443));
    assert_true(egress_host_listed(list, "ACCESS.stripe.com", 443));
    assert_true(egress_host_listed(list, "mcp.stripe.com", 443));
    assert_false(egress_host_listed(list, "mcp.stripe.com", 444));
    assert_true(egress_host_listed(list, "localhost", 8443));
    assert_false(egress_host_listed(list, "stripe.com", 443));
    assert_false(egress_host_listed(list, "access.stripe.com.evil.example", 443));
    assert_false(egress_host_listed(list, "access.stripe.co", 443));
    assert_false(egress_host_listed(list, "", 443));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_global_unicast_is_public),
        cmocka_unit_test(what_the_configuration_names_passes_besides),
        cmocka_unit_test(what_is_no_host_and_port_is_a_configuration_error),
        cmocka_unit_test(hosts_of_a_provider_are_listed_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
