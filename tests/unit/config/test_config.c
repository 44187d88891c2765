#include "unit.h"

#include <unistd.h>

#include "base/text.h"
#include "config/config.h"

#define KEY "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
static char *least[] = {"SLUICE_DIRECTORY_DATABASE_URL=dbname=d password=hunter2",
                        "SLUICE_REGION_DATABASE_URL=dbname=r", "SLUICE_REGION_KEY=" KEY,
                        "SLUICE_AUTH_JWT_KEY=a:" KEY, NULL};

static void remove_file(void *path)
{
    unlink(path);
}

static char *file_with(struct arena *arena, const char *text)
{
    char *path = arena_text(arena, "/tmp/sluice-config-XXXXXX");
    int fd = mkstemp(path);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
    arena_defer(arena, remove_file, path);
    return path;
}

/* The least environment and up to three variables more. */
static char **with(struct arena *arena, const char *a, const char *b, const char *c)
{
    const char **environment = arena_array(arena, COUNT(least) + 3, sizeof(char *));
    size_t n = 0;
    const char *more[] = {a, b, c};
    for (size_t i = 0; i < COUNT(more); i++) {
        if (more[i])
            environment[n++] = more[i];
    }
    for (size_t i = 0; least[i]; i++)
        environment[n++] = least[i];
    return (char **)(uintptr_t)environment;
}

static void defaults_and_the_least_are_enough(void **state)
{
    struct config config;
    assert_int_equal(config_read(*state, NULL, least, &config), OK);
    assert_int_equal(config.listen_port, 8080);
    assert_string_equal(config.public_url, "http://127.0.0.1:8080");
    assert_int_equal(config.log_level, LOG_INFO);
    assert_string_equal(config.stripe.api_url, "https://mcp.stripe.com");
    assert_null(config.qonto.client_id);
    assert_int_equal(secret_bytes(config.region_key).n, REGION_KEY_BYTES);
    assert_int_equal(secret_bytes(config.region_key).at[1], 0x11);
    assert_int_equal(config.cors_origins.n, 0);
}

static void the_environment_wins_over_the_file(void **state)
{
    char *path = file_with(*state, "listen:\n  port: 9000\n  address: '::1'\n"
                                   "public_url: https://sluice.example.com/\n"
                                   "cors:\n  origins: https://a.example, https://b.example\n"
                                   "qonto:\n  client_id: abc\n");
    struct config config;
    assert_int_equal(
        config_read(*state, path, with(*state, "SLUICE_LISTEN_PORT=9001", NULL, NULL), &config),
        OK);
    assert_int_equal(config.listen_port, 9001);
    assert_string_equal(config.listen_address, "::1");
    assert_string_equal(config.public_url, "https://sluice.example.com");
    assert_int_equal(config.cors_origins.n, 2);
    assert_string_equal(config.cors_origins.at[1], "https://b.example");
    assert_string_equal(config.qonto.client_id, "abc");
}

static void secrets_may_stand_in_files_of_their_own(void **state)
{
    char *secret = file_with(*state, "the secret\n");
    char *path = file_with(*state, arena_format(*state,
                                                "qonto:\n  client_secret_file: %s\n"
                                                "stripe:\n  client_secret: direct\n",
                                                secret));
    struct config config;
    assert_int_equal(config_read(*state, path, least, &config), OK);
    assert_string_equal(secret_text(config.qonto.client_secret), "the secret");
    assert_string_equal(secret_text(config.stripe.client_secret), "direct");
    char *variable = arena_format(*state, "SLUICE_QONTO_STAGING_TOKEN_FILE=%s", secret);
    assert_int_equal(config_read(*state, NULL, with(*state, variable, NULL, NULL), &config), OK);
    assert_string_equal(secret_text(config.qonto.staging_token), "the secret");
}

struct mistake {
    const char *variable, *second;
    const char *setting;
    const char *word; /* in the explanation */
};

static void mistakes_name_the_setting_and_its_origin(void **state)
{
    static const struct mistake mistakes[] = {
        {"SLUICE_LISTEN_PORT=http", NULL, "listen.port", "SLUICE_LISTEN_PORT"},
        {"SLUICE_LISTEN_PORT=0", NULL, "public_url", "free port"},
        {"SLUICE_LISTEN_PORT=65536", NULL, "listen.port", "65535"},
        {"SLUICE_WORK_THREADS=65", NULL, "work.threads", "64"},
        {"SLUICE_PRODUCTION=yes", NULL, "production", "true or false"},
        {"SLUICE_LOG_LEVEL=loud", NULL, "log.level", "debug"},
        {"SLUICE_PUBLIC_URL=sluice.example.com", NULL, "public_url", "URL"},
        {"SLUICE_PUBLIC_URL=https://a b", NULL, "public_url", "URL"},
        {"SLUICE_CORS_ORIGINS=*", NULL, "cors.origins", "origin"},
        {"SLUICE_CORS_ORIGINS=https://a.example/path", NULL, "cors.origins", "origin"},
        {"SLUICE_REGION_NAME=EU", NULL, "region.name", "letters"},
        {"SLUICE_STRIPE_MCP_ERA=ancient", NULL, "stripe.mcp_era", "legacy"},
        {"SLUICE_REGION_KEY=short", NULL, "region.key", "openssl rand"},
        {"SLUICE_REGION_KEY_COMMAND=true", NULL, "region.key", "only one"},
        {"SLUICE_QONTO_CLIENT_SECRET=a", "SLUICE_QONTO_CLIENT_SECRET_FILE=/b",
         "qonto.client_secret", "not both"},
        {"SLUICE_QONTO_CLIENT_SECRET_FILE=/nowhere/at/all", NULL, "qonto.client_secret",
         "no such file"},
        {"SLUICE_PRODUCTION=true", NULL, "public_url", "https://"},
        {"SLUICE_PRODUCTION=true", "SLUICE_EGRESS_ALLOW=127.0.0.1:9443", "egress.allow", "remove"},
    };
    for (size_t i = 0; i < COUNT(mistakes); i++) {
        struct config config;
        char **environment = with(*state, mistakes[i].variable, mistakes[i].second, NULL);
        assert_int_equal(config_read(*state, NULL, environment, &config), ERR_CONFIG);
        assert_string_equal(arena_failure(*state)->field, mistakes[i].setting);
        assert_non_null(strstr(arena_failure(*state)->detail, mistakes[i].word));
    }
    struct config config;
    assert_int_equal(config_read(*state, NULL, NULL, &config), ERR_CONFIG);
    assert_string_equal(arena_failure(*state)->field, "directory.database_url");
}

static void a_file_that_is_wrong_is_told_with_its_line(void **state)
{
    static const char *const texts[] = {"listen:\n  prt: 9000\n",
                                        "listn:\n  port: 1\n",
                                        "listen: 7\n",
                                        "listen:\n\tport: 1\n",
                                        "- a\n",
                                        "region:\n  key: a\n  key_file: b\n",
                                        "listen:\n  port: 1\n  port: 2\n"};
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct config config;
        enum err err = config_read(*state, file_with(*state, texts[i]), least, &config);
        if (err != ERR_CONFIG)
            fail_msg("taken: %s", texts[i]);
    }
    struct config config;
    char *path = file_with(*state, texts[0]);
    assert_int_equal(config_read(*state, path, least, &config), ERR_CONFIG);
    assert_non_null(strstr(arena_failure(*state)->detail, "prt"));
    assert_int_equal(config_read(*state, "/nowhere/sluice.yaml", least, &config), ERR_CONFIG);
    assert_int_equal(config_read(*state, file_with(*state, ""), least, &config), OK);
}

static void a_command_may_hold_the_key(void **state)
{
    char *environment[] = {least[0], least[1], least[3], "SLUICE_REGION_KEY_COMMAND=echo " KEY,
                           NULL};
    struct config config;
    assert_int_equal(config_read(*state, NULL, environment, &config), OK);
    assert_int_equal(secret_bytes(config.region_key).at[2], 0x22);
    environment[3] = "SLUICE_REGION_KEY_COMMAND=false";
    assert_int_equal(config_read(*state, NULL, environment, &config), ERR_CONFIG);
    assert_string_equal(arena_failure(*state)->field, "region.key_command");
}

static void production_takes_what_is_safe(void **state)
{
    struct config config;
    assert_int_equal(config_read(*state, NULL,
                                 with(*state, "SLUICE_PRODUCTION=true",
                                      "SLUICE_PUBLIC_URL=https://sluice.example.com", NULL),
                                 &config),
                     OK);
    assert_true(config.production);
}

static void production_refuses_what_is_not_private(void **state)
{
    static const char *const refused[][2] = {
        {"SLUICE_CORS_ORIGINS=https://a.example http://b.example", "cors.origins"},
        {"SLUICE_OAUTH_RETURN_ORIGINS=http://a.example", "oauth.return_origins"},
        {"SLUICE_REGION_DATABASE_URL=host=db sslmode=prefer", "region.database_url"},
        {"SLUICE_REGION_DATABASE_URL=host=db sslmode = 'require'", "region.database_url"},
        {"SLUICE_REGION_QUEUE_URL=postgresql://db/x?a=b&sslmode=disable", "region.queue_url"},
        {"SLUICE_REGION_OWNER_URL=sslmode=verify-full sslmode=allow", "region.owner_url"},
        {"SLUICE_DIRECTORY_OWNER_URL=ssl_min_protocol_version=TLSv1.2", "directory.owner_url"},
    };
    static const char *const taken[] = {
        "SLUICE_REGION_DATABASE_URL=host=db sslmode=verify-full dbname=sluice",
        "SLUICE_REGION_DATABASE_URL=postgresql://db/x?sslmode=verify-full&connect_timeout=2",
        "SLUICE_REGION_DATABASE_URL=host=/run/postgresql",
        "SLUICE_OAUTH_RETURN_ORIGINS=https://a.example",
    };
    struct config config;
    const char *url = "SLUICE_PUBLIC_URL=https://sluice.example.com";
    for (size_t i = 0; i < COUNT(refused); i++) {
        assert_int_equal(config_read(*state, NULL,
                                     with(*state, "SLUICE_PRODUCTION=true", url, refused[i][0]),
                                     &config),
                         ERR_CONFIG);
        assert_string_equal(arena_failure(*state)->field, refused[i][1]);
    }
    for (size_t i = 0; i < COUNT(taken); i++)
        assert_int_equal(config_read(*state, NULL,
                                     with(*state, "SLUICE_PRODUCTION=true", url, taken[i]),
                                     &config),
                         OK);
}

static void proxies_and_the_token_of_metrics_are_looked_at(void **state)
{
    static const char *const refused[][2] = {
        {"SLUICE_LISTEN_TRUSTED_PROXIES=127.0.0.1,proxy.example.com", "listen.trusted_proxies"},
        {"SLUICE_LISTEN_TRUSTED_PROXIES=10.0.0.0/33", "listen.trusted_proxies"},
        {"SLUICE_LISTEN_TRUSTED_PROXIES=10.0.0.0/", "listen.trusted_proxies"},
        {"SLUICE_LISTEN_CLIENT_HEADER=x-real-ip", "listen.client_header"},
        {"SLUICE_METRICS_TOKEN=short", "metrics.token"},
    };
    struct config config;
    for (size_t i = 0; i < COUNT(refused); i++) {
        assert_int_equal(
            config_read(*state, NULL, with(*state, refused[i][0], NULL, NULL), &config),
            ERR_CONFIG);
        assert_string_equal(arena_failure(*state)->field, refused[i][1]);
    }
    char *path = file_with(*state, "a token of sixteen and more\n");
    assert_int_equal(
        config_read(*state, NULL,
                    with(*state, "SLUICE_LISTEN_TRUSTED_PROXIES=::1,10.0.0.0/8,2001:db8::/32",
                         "SLUICE_LISTEN_CLIENT_HEADER=forwarded",
                         arena_format(*state, "SLUICE_METRICS_TOKEN_FILE=%s", path)),
                    &config),
        OK);
    assert_int_equal(config.trusted_proxies.n, 3);
    assert_string_equal(secret_text(config.metrics_token), "a token of sixteen and more");
}

static void showing_tells_origins_and_no_secret(void **state)
{
    struct buf text = buf_new(*state, 100000);
    assert_int_equal(
        config_show(*state, NULL, with(*state, "SLUICE_HTTP_THREADS=7", NULL, NULL), &text), OK);
    assert_non_null(strstr(text.data, "http.threads: 7  # SLUICE_HTTP_THREADS"));
    assert_non_null(strstr(text.data, "listen.port: 8080  # default"));
    assert_non_null(strstr(text.data, "region.key: ***  # SLUICE_REGION_KEY"));
    assert_non_null(strstr(text.data, "qonto.client_secret:  # not set"));
    assert_null(strstr(text.data, KEY));
    assert_null(strstr(text.data, "hunter2"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_ARENA(defaults_and_the_least_are_enough),
        WITH_ARENA(the_environment_wins_over_the_file),
        WITH_ARENA(secrets_may_stand_in_files_of_their_own),
        WITH_ARENA(mistakes_name_the_setting_and_its_origin),
        WITH_ARENA(a_file_that_is_wrong_is_told_with_its_line),
        WITH_ARENA(a_command_may_hold_the_key),
        WITH_ARENA(production_takes_what_is_safe),
        WITH_ARENA(production_refuses_what_is_not_private),
        WITH_ARENA(proxies_and_the_token_of_metrics_are_looked_at),
        WITH_ARENA(showing_tells_origins_and_no_secret),
    };
    return RUN(tests);
}
