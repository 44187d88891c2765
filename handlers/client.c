#include "handlers/client.h"

#include "base/address.h"
#include "base/text.h"

struct hops {
    const char *at[FORWARDED_HOPS_MAX]; /* as they stand there, the nearest last */
    size_t n;
    bool too_many;
};

static void hop_add(struct hops *hops, const char *text)
{
    hops->too_many = hops->too_many || hops->n == FORWARDED_HOPS_MAX;
    if (!hops->too_many)
        hops->at[hops->n++] = text;
}

/* The part up to one of `ends` that stands outside of quotes. */
static size_t part_length(const char *at, const char *ends)
{
    bool quoted = false;
    size_t n = 0;
    for (; at[n] && (quoted || !strchr(ends, at[n])); n++) {
        if (quoted && at[n] == '\\' && at[n + 1])
            n++;
        else if (at[n] == '"')
            quoted = !quoted;
    }
    return n;
}

static const char *trimmed(struct arena *arena, const char *at, size_t n)
{
    while (n > 0 && strchr(" \t", at[0])) {
        at++;
        n--;
    }
    while (n > 0 && strchr(" \t", at[n - 1]))
        n--;
    return arena_text_n(arena, at, n);
}

/* The value of `for` in one element of Forwarded (RFC 7239 §4), without its quotes; "" where there
 * is none. */
static const char *forwarded_for(struct arena *arena, const char *element)
{
    for (const char *at = element; *at;) {
        size_t n = part_length(at, ";");
        const char *pair = trimmed(arena, at, n);
        if (strncasecmp(pair, "for=", 4) == 0) {
            const char *value = pair + 4;
            size_t value_n = strlen(value);
            bool quoted = value_n >= 2 && value[0] == '"' && value[value_n - 1] == '"';
            return quoted ? arena_text_n(arena, value + 1, value_n - 2) : value;
        }
        at += n + (at[n] == ';');
    }
    return "";
}

/* Every line of the header in turn: together they are one list (RFC 9110 §5.3). */
static void hops_read(const struct request *req, struct hops *hops)
{
    const char *header = req->app->config->client_header;
    bool standard = text_equal(header, "forwarded");
    *hops = (struct hops){.n = 0};
    for (size_t i = 0; i < req->http->field_count; i++) {
        const char *at = req->http->fields[i].value;
        if (!text_equal(req->http->fields[i].name, header))
            continue;
        while (*at) {
            size_t n = standard ? part_length(at, ",") : strcspn(at, ",");
            const char *element = trimmed(req->arena, at, n);
            hop_add(hops, standard ? forwarded_for(req->arena, element) : element);
            at += n + (at[n] == ',');
        }
    }
}

/* "192.0.2.1", "192.0.2.1:4711", "2001:db8::1", "[2001:db8::1]:4711". */
static bool hop_address(struct arena *arena, const char *hop, struct address *into)
{
    const char *end = hop[0] == '[' ? strchr(hop, ']') : NULL;
    if (end)
        return address_parse(arena_text_n(arena, hop + 1, (size_t)(end - hop) - 1), into);
    const char *colon = strchr(hop, ':');
    if (colon && !strchr(colon + 1, ':'))
        return address_parse(arena_text_n(arena, hop, (size_t)(colon - hop)), into);
    return address_parse(hop, into);
}

static bool trusted(const struct request *req, const struct address *address)
{
    const struct config_list *proxies = &req->app->config->trusted_proxies;
    for (size_t i = 0; i < proxies->n; i++) {
        struct address_range range;
        if (address_range_parse(proxies->at[i], &range) && address_in(&range, address))
            return true;
    }
    return false;
}

const char *client_address(const struct request *req)
{
    struct address client;
    struct hops hops;
    if (!address_parse(req->http->peer, &client) || !trusted(req, &client))
        return req->http->peer;
    hops_read(req, &hops);
    for (size_t n = hops.too_many ? 0 : hops.n; n > 0 && trusted(req, &client); n--) {
        struct address before;
        if (!hop_address(req->arena, hops.at[n - 1], &before))
            break;
        client = before;
    }
    return address_format(req->arena, &client);
}

bool client_local(const struct request *req)
{
    static const char *const of_proxies[] = {"forwarded", "x-forwarded-for", "x-real-ip", "via"};
    struct address peer;
    if (req->app->config->trusted_proxies.n > 0 || !address_parse(req->http->peer, &peer))
        return false;
    for (size_t i = 0; i < COUNT(of_proxies); i++) {
        if (http_request_field(req->http, of_proxies[i]))
            return false;
    }
    return address_loopback(&peer);
}
