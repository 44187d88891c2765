/* Rows that most tests of the store need: the two tenants, a pair of connections, an integration.
 */
#ifndef SLUICE_TEST_DB_TENANTS_H
#define SLUICE_TEST_DB_TENANTS_H

#include "support.h"
#include "store/connection.h"
#include "store/integration.h"
#include "store/secrets.h"
#include "store/workspace.h"

static inline const struct secret *test_region_key(struct fixture *fixture)
{
    return secret_from_text(fixture->arena, "0123456789abcdef0123456789abcdef");
}

static inline void tenants_made(struct fixture *fixture)
{
    struct workspace workspace = {.name = "Acme", .time_zone = "Europe/Paris", .language = "en"};
    struct scope scope = fixture_scope(fixture);
    struct scope other = fixture_other_scope(fixture);
    assert_ok(fixture, tenant_put(&scope, &workspace));
    assert_ok(fixture, tenant_put(&other, &workspace));
    assert_ok(fixture, workspace_key_ensure(&scope, test_region_key(fixture)));
    assert_ok(fixture, workspace_key_ensure(&other, test_region_key(fixture)));
}

static inline struct connection connection_made(struct fixture *fixture, const struct scope *scope,
                                                const char *provider, const char *role)
{
    const char *roles[] = {role};
    struct connection_new wanted = {
        .provider = provider, .roles = {roles, 1}, .method = "oauth", .label = provider};
    struct connection connection;
    assert_ok(fixture, connection_add(scope, &wanted, &connection));
    return connection;
}

static inline struct integration integration_made(struct fixture *fixture,
                                                  const struct scope *scope)
{
    struct integration integration;
    struct integration_new wanted = {
        .name = "Stripe to Qonto",
        .source_connection_id = connection_made(fixture, scope, "stripe", "source").id,
        .target_connection_id = connection_made(fixture, scope, "qonto", "target").id,
        .settings = "{\"thresholds\": {}}"};
    assert_ok(fixture, integration_add(scope, &wanted, &integration));
    return integration;
}

#endif
