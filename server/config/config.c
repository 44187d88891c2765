#include "config/config.h"

#include "base/address.h"
#include "base/text.h"
#include "config/settings.h"

enum { LIST_MAX = 64 };

static enum err refuse(struct arena *arena, const struct setting *setting,
                       const struct raw_value *value, const char *expected)
{
    return arena_fail(arena, ERR_CONFIG, setting->name, "%s (from %s) must be %s.", setting->name,
                      value->origin, expected);
}

/* ---- one value ---- */

static bool url_valid(const char *text)
{
    const char *host = text_starts(text, "https://")  ? text + 8
                       : text_starts(text, "http://") ? text + 7
                                                      : NULL;
    if (!host || !*host || *host == '/' || strlen(text) > 2000)
        return false;
    for (const char *at = text; *at; at++) {
        if (*at <= 0x20 || *at >= 0x7f || strchr("\"<>\\^`{|}?#@", *at))
            return false;
    }
    return true;
}

static char *without_slash(struct arena *arena, const char *text)
{
    size_t n = strlen(text);
    while (n > 0 && text[n - 1] == '/')
        n--;
    return arena_text_n(arena, text, n);
}

static bool split_list(struct arena *arena, const char *text, struct config_list *into)
{
    const char **items = arena_array(arena, LIST_MAX, sizeof *items);
    *into = (struct config_list){items, 0};
    while (*text) {
        text += strspn(text, " \t\n,");
        size_t n = strcspn(text, " \t\n,");
        if (n > 0 && into->n == LIST_MAX)
            return false;
        if (n > 0)
            items[into->n++] = arena_text_n(arena, text, n);
        text += n;
    }
    return true;
}

static enum err set_number(struct arena *arena, const struct setting *setting,
                           const struct raw_value *value, void *member)
{
    if (!int64_parse(value->text, setting->min, setting->max, member))
        return refuse(arena, setting, value,
                      arena_format(arena, "a whole number from %" PRId64 " to %" PRId64,
                                   setting->min, setting->max));
    return OK;
}

static enum err set_bool(struct arena *arena, const struct setting *setting,
                         const struct raw_value *value, bool *member)
{
    *member = text_equal(value->text, "true");
    if (!*member && !text_equal(value->text, "false"))
        return refuse(arena, setting, value, "true or false");
    return OK;
}

static enum err set_value(struct arena *arena, const struct setting *setting,
                          const struct raw_value *value, void *member)
{
    const char *text = value->text;
    switch (setting->type) {
    case SETTING_TEXT:
        *(const char **)member = text;
        return OK;
    case SETTING_URL:
        *(const char **)member = without_slash(arena, text);
        return url_valid(text) ? OK : refuse(arena, setting, value, "an http(s) URL without query");
    case SETTING_INT:
        return set_number(arena, setting, value, member);
    case SETTING_BOOL:
        return set_bool(arena, setting, value, member);
    case SETTING_LEVEL:
        return log_level_parse(text, member)
                   ? OK
                   : refuse(arena, setting, value, "debug, info, warn or error");
    case SETTING_LIST:
        return split_list(arena, text, member) ? OK
                                               : refuse(arena, setting, value, "a shorter list");
    case SETTING_SECRET:
        *(const struct secret **)member = secret_from_text(arena, text);
        return OK;
    }
    return ERR_INTERNAL;
}

static enum err set_values(struct arena *arena, const struct raw_value *values, struct config *into)
{
    for (size_t i = 0; i < setting_count; i++) {
        const struct setting *setting = &settings[i];
        bool command = text_equal(setting->name, "region.key_command");
        if (command || !values[i].text || (!*values[i].text && setting->type != SETTING_LIST))
            continue;
        TRY(set_value(arena, setting, &values[i], (uint8_t *)into + setting->offset));
    }
    return OK;
}

/* ---- the region's key ---- */

static enum err run_command(struct arena *arena, const char *command, const char **into)
{
    char text[512] = "";
    /* NOLINTNEXTLINE(cert-env33-c): the command of who runs us, not of a user */
    FILE *output = popen(command, "re");
    size_t n = output ? fread(text, 1, sizeof text - 1, output) : 0;
    int status = output ? pclose(output) : -1;
    text[strcspn(text, "\r\n")] = '\0';
    *into = arena_text(arena, text);
    memory_wipe(text, sizeof text);
    if (status != 0 || n == 0)
        return arena_fail(arena, ERR_CONFIG, "region.key_command",
                          "The command failed (status %d) or printed nothing.", status);
    return OK;
}

static enum err decode_key(struct arena *arena, const char *text, const struct secret **into)
{
    struct bytes key;
    size_t n = strlen(text);
    while (n > 0 && text[n - 1] == '=')
        n--;
    char *trimmed = arena_text_n(arena, text, n);
    bool good = n == (size_t)2 * REGION_KEY_BYTES ? hex_decode(arena, trimmed, &key)
                                                  : base64url_decode(arena, trimmed, &key);
    memory_wipe(trimmed, n);
    if (!good || key.n != REGION_KEY_BYTES)
        return arena_fail(arena, ERR_CONFIG, "region.key",
                          "The key must be %d random bytes as hex or base64url: openssl rand -hex "
                          "%d.",
                          REGION_KEY_BYTES, REGION_KEY_BYTES);
    *into = secret_new(arena, key);
    memory_wipe((uint8_t *)(uintptr_t)key.at, key.n);
    return OK;
}

static const struct raw_value *value_named(const struct raw_value *values, const char *name)
{
    for (size_t i = 0; i < setting_count; i++) {
        if (text_equal(settings[i].name, name))
            return &values[i];
    }
    return NULL;
}

static enum err set_region_key(struct arena *arena, const struct raw_value *values,
                               struct config *into)
{
    const char *text = value_named(values, "region.key")->text;
    const char *command = value_named(values, "region.key_command")->text;
    if (!text == !command)
        return arena_fail(arena, ERR_CONFIG, "region.key",
                          "Set region.key, region.key_file or region.key_command, and only one.");
    if (!command)
        return decode_key(arena, text, &into->region_key);
    TRY(run_command(arena, command, &text));
    enum err err = decode_key(arena, text, &into->region_key);
    memory_wipe((char *)(uintptr_t)text, strlen(text));
    return err;
}

/* ---- all together ---- */

static enum err check_required(struct arena *arena, const struct raw_value *values)
{
    for (size_t i = 0; i < setting_count; i++) {
        if (settings[i].required && text_blank(values[i].text))
            return arena_fail(arena, ERR_CONFIG, settings[i].name, "Set %s: %s", settings[i].name,
                              settings[i].meaning);
    }
    return OK;
}

static bool origin_valid(const char *text)
{
    return url_valid(text) && !strchr(strstr(text, "://") + 3, '/');
}

static enum err check_origins(struct arena *arena, const char *setting,
                              const struct config_list *list)
{
    for (size_t i = 0; i < list->n; i++) {
        if (!origin_valid(list->at[i]))
            return arena_fail(arena, ERR_CONFIG, setting,
                              "%s is no origin such as https://app.example.com.", list->at[i]);
    }
    return OK;
}

static bool region_name_valid(const char *name)
{
    size_t n = strlen(name);
    return n >= 2 && n <= 31 && name[0] >= 'a' && name[0] <= 'z' &&
           name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-")] == '\0';
}

/* Whether each `name` of a connection string, with keywords or as a URI, has this value. */
static bool always(const char *conninfo, const char *name, const char *value)
{
    const char *at = conninfo ? strstr(conninfo, name) : NULL;
    for (; at; at = strstr(at, name)) {
        at += strlen(name);
        const char *given = at + strspn(at, " ");
        if (*given != '=')
            continue;
        given += 1 + strspn(given + 1, " '");
        size_t n = strcspn(given, " '&\t\n");
        if (n != strlen(value) || strncmp(given, value, n) != 0)
            return false;
    }
    return true;
}

static enum err check_database(struct arena *arena, const char *setting, const char *conninfo)
{
    if (always(conninfo, "sslmode", "verify-full") &&
        always(conninfo, "ssl_min_protocol_version", "TLSv1.3"))
        return OK;
    return arena_fail(arena, ERR_CONFIG, setting,
                      "Production speaks verified TLS 1.3 with its databases: leave out sslmode "
                      "and ssl_min_protocol_version, or use a socket of the same host.");
}

static enum err check_frontends(struct arena *arena, const char *setting,
                                const struct config_list *list)
{
    for (size_t i = 0; i < list->n; i++) {
        if (!text_starts(list->at[i], "https://"))
            return arena_fail(arena, ERR_CONFIG, setting,
                              "Production needs origins that begin with https://, unlike %s.",
                              list->at[i]);
    }
    return OK;
}

static enum err check_production(struct arena *arena, const struct config *config)
{
    if (config->egress_allow.n > 0)
        return arena_fail(arena, ERR_CONFIG, "egress.allow",
                          "Production calls public addresses only: remove egress.allow.");
    if (!text_starts(config->public_url, "https://"))
        return arena_fail(arena, ERR_CONFIG, "public_url",
                          "Production needs a public_url that begins with https://.");
    TRY(check_frontends(arena, "cors.origins", &config->cors_origins));
    TRY(check_frontends(arena, "oauth.return_origins", &config->return_origins));
    TRY(check_database(arena, "directory.database_url", config->directory_database_url));
    TRY(check_database(arena, "directory.owner_url", config->directory_owner_url));
    TRY(check_database(arena, "region.database_url", config->region_database_url));
    TRY(check_database(arena, "region.queue_url", config->region_queue_url));
    return check_database(arena, "region.owner_url", config->region_owner_url);
}

static enum err check_proxies(struct arena *arena, const struct config *config)
{
    for (size_t i = 0; i < config->trusted_proxies.n; i++) {
        struct address_range range;
        if (!address_range_parse(config->trusted_proxies.at[i], &range))
            return arena_fail(arena, ERR_CONFIG, "listen.trusted_proxies",
                              "%s is no address and no range such as 10.0.0.0/8.",
                              config->trusted_proxies.at[i]);
    }
    if (!text_equal(config->client_header, "x-forwarded-for") &&
        !text_equal(config->client_header, "forwarded"))
        return arena_fail(arena, ERR_CONFIG, "listen.client_header",
                          "Expected x-forwarded-for or forwarded.");
    return OK;
}

static enum err check_metrics(struct arena *arena, const struct config *config)
{
    const struct secret *token = config->metrics_token;
    if (!token || secret_bytes(token).n >= METRICS_TOKEN_BYTES_MIN)
        return OK;
    return arena_fail(arena, ERR_CONFIG, "metrics.token",
                      "A token of %d characters at least: openssl rand -hex 32.",
                      METRICS_TOKEN_BYTES_MIN);
}

static enum err check_era(struct arena *arena, const char *era)
{
    if (text_equal(era, "any") || text_equal(era, "legacy") || text_equal(era, "modern"))
        return OK;
    return arena_fail(arena, ERR_CONFIG, "stripe.mcp_era", "It is any, legacy or modern.");
}

static enum err check_whole(struct arena *arena, const struct config *config)
{
    TRY(check_proxies(arena, config));
    TRY(check_metrics(arena, config));
    TRY(check_origins(arena, "cors.origins", &config->cors_origins));
    TRY(check_origins(arena, "oauth.return_origins", &config->return_origins));
    TRY(check_era(arena, config->stripe.mcp_era));
    if (!region_name_valid(config->region_name))
        return arena_fail(arena, ERR_CONFIG, "region.name",
                          "A region is named by 2 to 31 letters a-z, digits and hyphens.");
    return config->production ? check_production(arena, config) : OK;
}

static enum err set_public_url(struct arena *arena, struct config *config)
{
    if (config->public_url)
        return OK;
    if (config->listen_port == 0)
        return arena_fail(arena, ERR_CONFIG, "public_url",
                          "listen.port 0 takes any free port, which no link can name: set "
                          "public_url to what browsers open.");
    config->public_url =
        arena_format(arena, "http://%s:%" PRId64, config->listen_address, config->listen_port);
    return OK;
}

/* What came from files was copied into secrets, and is not needed any more. */
static void forget_raw(struct raw_value *values)
{
    for (size_t i = 0; i < setting_count; i++) {
        char *text = (char *)(uintptr_t)values[i].text;
        if (settings[i].type == SETTING_SECRET && values[i].copied && text)
            memory_wipe(text, strlen(text));
    }
}

enum err config_read(struct arena *arena, const char *path, char *const *environment,
                     struct config *into)
{
    struct raw_value *values;
    *into = (struct config){0};
    TRY(settings_collect(arena, path, environment, &values));
    TRY(check_required(arena, values));
    TRY(set_values(arena, values, into));
    TRY(set_region_key(arena, values, into));
    forget_raw(values);
    TRY(set_public_url(arena, into));
    return check_whole(arena, into);
}

enum err config_show(struct arena *arena, const char *path, char *const *environment,
                     struct buf *into)
{
    struct raw_value *values;
    TRY(settings_collect(arena, path, environment, &values));
    for (size_t i = 0; i < setting_count; i++) {
        bool set = values[i].text && *values[i].text;
        const char *shown = !set ? "" : settings[i].hidden ? "***" : values[i].text;
        buf_format(into, "# %s\n%s: %s%s# %s\n", settings[i].meaning, settings[i].name, shown,
                   *shown ? "  " : " ", set ? values[i].origin : "not set");
    }
    return OK;
}
