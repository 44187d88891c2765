/* Integrations: a source connection joined to a target connection, with versioned settings. */
#include "base/base.h"

#include "handlers/integrations.h"

#include "base/text.h"
#include "connectors/offer.h"
#include "handlers/handlers.h"
#include "handlers/integration_settings.h"
#include "store/audit.h"
#include "store/integration_pause.h"
#include "store/stream_start.h"

enum { NAME_CHARS_MAX = 120 };

static void out_integration(struct json_out *out, const struct integration *integration)
{
    out_uuid(out, "id", integration->id);
    out_text(out, "name", integration->name);
    out_text(out, "state", machine_name(&integration_machine, integration->state));
    out_uuid(out, "source_connection_id", integration->source_connection_id);
    out_text(out, "source_provider", integration->source_provider);
    out_uuid(out, "target_connection_id", integration->target_connection_id);
    out_text(out, "target_provider", integration->target_provider);
    out_json(out, "settings", integration->settings);
    out_int(out, "settings_version", integration->settings_version);
    out_instant(out, "created_at", integration->created_at);
    out_instant(out, "updated_at", integration->updated_at);
}

static enum err reply_integration(struct request *req, int status,
                                  const struct integration *integration)
{
    struct json_out out = reply_begin(req);
    out_integration(&out, integration);
    reply_etag(req, integration->row_version);
    return reply_end(req, status, &out);
}

static enum err audit(struct request *req, const char *action,
                      const struct integration *integration)
{
    return audit_append(
        req->scope,
        &(struct audit_entry){
            .action = action,
            .subject_kind = "integration",
            .subject = integration->id,
            .detail = arena_format(req->arena, "{\"settings_version\":%d,\"state\":\"%s\"}",
                                   integration->settings_version,
                                   machine_name(&integration_machine, integration->state))});
}

enum err integration_pair_get(const struct scope *scope, const struct integration *integration,
                              struct integration_pair *into)
{
    TRY(connection_get(scope, integration->source_connection_id, &into->source));
    return connection_get(scope, integration->target_connection_id, &into->target);
}

/* ---- streams ---- */

static bool works(const struct connection *connection)
{
    return connection->state == CONNECTION_ENABLED || connection->state == CONNECTION_DEGRADED;
}

/* One that does not work yet starts its streams when it does (job "connect"). */
static enum err start_side(struct request *req, const struct connection *connection,
                           const char *purpose, const struct stream_need *need)
{
    const struct provider *provider = provider_find(connection->provider);
    struct stream_offer offers[OFFERS_MAX];
    if (!works(connection))
        return OK;
    size_t count = text_equal(purpose, PURPOSE_COLLECT) ? source_offers(provider, need, offers)
                                                        : mirror_offers(provider, need, offers);
    for (size_t i = 0; i < count; i++) {
        const struct stream wanted = {
            .connection = connection->id,
            .provider = connection->provider,
            .account = connection->account,
            .livemode = connection->livemode,
            .name = offers[i].name,
            .period_s = offers[i].period_s,
            .reach = offers[i].reach,
        };
        TRY(stream_start(req->scope, &wanted, purpose));
    }
    return OK;
}

static enum err start_streams(struct request *req, const struct integration *integration,
                              const struct settings *settings)
{
    struct integration_pair pair;
    const struct stream_need need = {
        .start = integration->starts_at,
        .backfill_days = settings->backfill_days,
        .poll_period_s = settings->poll_period_s,
        .mirror_days = req->app->config->work_mirror_days,
        .ledger_age_s = req->app->config->work_ledger_age_s,
    };
    TRY(integration_pair_get(req->scope, integration, &pair));
    TRY(start_side(req, &pair.target, PURPOSE_MIRROR, &need)); /* first: items are matched there */
    return start_side(req, &pair.source, PURPOSE_COLLECT, &need);
}

static enum err take_stored(struct request *req, const struct integration *integration,
                            const struct settings *settings)
{
    int64_t items;
    struct instant reach = instant_add_s(integration->starts_at, -settings->backfill_days * 86400);
    return collect_backfill(req->scope, integration->id, reach, req->app->config->work_window_s,
                            &items);
}

/* ---- create ---- */

struct integration_input {
    const char *name;
    struct uuid source;
    struct uuid target;
    struct settings_input settings;
};
static const struct input_field create_fields[] = {
    FIELD_TEXT("name", struct integration_input, name, 1, NAME_CHARS_MAX, REQUIRED),
    FIELD_UUID("source_connection_id", struct integration_input, source, REQUIRED),
    FIELD_UUID("target_connection_id", struct integration_input, target, REQUIRED),
    FIELD_OBJECT("settings", struct integration_input, settings, settings_fields, OPTIONAL),
};

static bool has_role(const struct connection *connection, const char *role)
{
    for (size_t i = 0; i < connection->roles.n; i++) {
        if (text_equal(connection->roles.at[i], role))
            return true;
    }
    return false;
}

/* The connection, which must be there, not replaced, and of that role. */
static enum err side_get(struct request *req, const char *field, struct uuid id, const char *role,
                         struct connection *into)
{
    enum err err = connection_get(req->scope, id, into);
    if (err == ERR_NOT_FOUND || (err == OK && !uuid_is_nil(into->replaced_by)))
        return arena_fail(req->arena, ERR_FIELD_INVALID, field,
                          "There is no such connection in this workspace.");
    TRY(err);
    const struct provider *provider = provider_find(into->provider);
    bool can = provider &&
               (text_equal(role, "source") ? provider->source != NULL : provider->target != NULL);
    if (!can || !has_role(into, role))
        return arena_fail(req->arena, ERR_FIELD_INVALID, field, "The connection is no %s.", role);
    if (into->state == CONNECTION_DISCONNECTED)
        return arena_fail(req->arena, ERR_FIELD_INVALID, field,
                          "The connection is disconnected; reconnect it first.");
    return OK;
}

enum err api_integration_create(struct request *req)
{
    struct integration_input in = {.settings = settings_input_new()};
    struct settings settings = settings_defaults();
    struct connection source, target;
    struct integration integration;
    TRY(json_read(req, create_fields, COUNT(create_fields), &in));
    TRY(side_get(req, "source_connection_id", in.source, "source", &source));
    TRY(side_get(req, "target_connection_id", in.target, "target", &target));
    (void)settings_merge(req->arena, &in.settings, &settings);
    TRY(settings_check(req->arena, &settings, provider_find(source.provider)->source));
    const struct integration_new wanted = {
        .name = in.name,
        .source_connection_id = source.id,
        .target_connection_id = target.id,
        .settings = settings_write(req->arena, &settings),
    };
    TRY(integration_add(req->scope, &wanted, &integration));
    TRY(start_streams(req, &integration, &settings));
    TRY(take_stored(req, &integration, &settings));
    TRY(audit(req, "integration.created", &integration));
    reply_location(req, "/v1/workspaces/%s/integrations/%s",
                   uuid_format(req->arena, req->scope->workspace),
                   uuid_format(req->arena, integration.id));
    return reply_integration(req, 201, &integration);
}

/* ---- read ---- */

struct integration_query {
    struct page page;
    int state;
    bool state_given;
};
static const struct input_field list_fields[] = {
    PAGE_FIELDS(struct integration_query, page),
    FIELD_WORD("state", struct integration_query, state, integration_machine.names,
               GIVEN(struct integration_query, state_given)),
};

enum err api_integration_list(struct request *req)
{
    struct integration_query query = {.page = PAGE_DEFAULT};
    struct rows rows;
    TRY(list_read(req, list_fields, COUNT(list_fields), &query, &query.page));
    const struct integration_filter filter = {
        .state = query.state_given ? integration_machine.names[query.state] : NULL,
        .before = query.page.after.id,
        .limit = query.page.limit + 1,
    };
    TRY(integration_list(req->scope, &filter, &rows));
    const struct integration *integrations = rows.at;
    size_t shown = page_shown(&query.page, rows.count);
    struct json_out out = list_begin(req);
    for (size_t i = 0; i < shown; i++) {
        out_object(&out, NULL);
        out_integration(&out, &integrations[i]);
        out_end(&out);
    }
    struct cursor next = {.id = shown ? integrations[shown - 1].id : (struct uuid){{0}}};
    return list_end(req, &out, rows.count > shown ? &next : NULL);
}

enum err api_integration_get(struct request *req)
{
    struct integration integration;
    TRY(integration_get(req->scope, request_uuid(req, "integration_id"), &integration));
    return reply_integration(req, 200, &integration);
}

/* ---- change ---- */

struct integration_patch {
    const char *name;
    int state;
    bool state_sent;
    struct settings_input settings;
    bool settings_sent;
};
static const struct input_field patch_fields[] = {
    FIELD_TEXT("name", struct integration_patch, name, 1, NAME_CHARS_MAX, OPTIONAL),
    FIELD_WORD("state", struct integration_patch, state, integration_machine.names,
               GIVEN(struct integration_patch, state_sent)),
    FIELD_OBJECT("settings", struct integration_patch, settings, settings_fields,
                 GIVEN(struct integration_patch, settings_sent)),
};

static enum err resume(struct request *req, const struct integration *integration,
                       const struct settings *settings)
{
    TRY(integration_let_go(req->scope, integration->id));
    return take_stored(req, integration, settings);
}

static enum err follow_state(struct request *req, const struct integration *integration,
                             const struct settings *settings)
{
    switch (integration->state) {
    case INTEGRATION_ACTIVE:
        return resume(req, integration, settings);
    case INTEGRATION_PAUSED:
        return integration_hold_back(req->scope, integration->id);
    case INTEGRATION_ARCHIVED:
        return integration_end(req->scope, integration->id);
    case INTEGRATION_STATES:
        break;
    }
    return OK;
}

struct updating {
    struct request *req;
    const struct integration_patch *patch;
    int64_t version;
    struct integration integration;
};

static enum err update(const struct scope *scope, void *arg)
{
    struct updating *updating = arg;
    struct request *req = updating->req;
    const struct integration_patch *patch = updating->patch;
    struct integration *integration = &updating->integration;
    struct settings settings;
    struct integration_change change = {.name = patch->name, .version = updating->version};
    TRY(integration_get(scope, request_uuid(req, "integration_id"), integration));
    enum integration_state before = integration->state;
    if (before == INTEGRATION_ARCHIVED)
        return arena_fail(req->arena, ERR_CONFLICT, NULL,
                          "An archived integration stays as it is.");
    TRY(settings_read(req->arena, integration->settings, &settings));
    if (settings_merge(req->arena, &patch->settings, &settings)) {
        TRY(settings_check(req->arena, &settings,
                           provider_find(integration->source_provider)->source));
        change.settings = settings_write(req->arena, &settings);
    }
    change.state = patch->state_sent ? (enum integration_state)patch->state : before;
    change.state_given = change.state != before;
    TRY(integration_update(scope, integration->id, &change, integration));
    if (change.state_given)
        TRY(follow_state(req, integration, &settings));
    if (integration->state == INTEGRATION_ACTIVE && (change.state_given || change.settings))
        TRY(start_streams(req, integration, &settings));
    return audit(req, "integration.changed", integration);
}

enum err api_integration_update(struct request *req)
{
    struct integration_patch patch = {.settings = settings_input_new()};
    struct updating updating = {.req = req, .patch = &patch};
    TRY(if_match_read(req, &updating.version));
    TRY(json_read(req, patch_fields, COUNT(patch_fields), &patch));
    if (!patch.name && !patch.state_sent && !patch.settings_sent)
        return arena_fail(req->arena, ERR_FIELD_MISSING, NULL, "Send at least one field.");
    TRY(db_transaction(req->scope, update, &updating));
    return reply_integration(req, 200, &updating.integration);
}

/* ---- sync ---- */

static enum err read_account(struct request *req, const struct connection *connection,
                             const char *purpose)
{
    const struct stream account = {.provider = connection->provider,
                                   .account = connection->account,
                                   .livemode = connection->livemode};
    int64_t count;
    return works(connection) ? streams_read_now(req->scope, &account, purpose, &count) : OK;
}

enum err api_integration_sync(struct request *req)
{
    struct integration integration;
    struct integration_pair pair;
    TRY(json_read_nothing(req));
    TRY(integration_get(req->scope, request_uuid(req, "integration_id"), &integration));
    if (integration.state != INTEGRATION_ACTIVE)
        return arena_fail(req->arena, ERR_CONFLICT, NULL, "The integration is %s.",
                          machine_name(&integration_machine, integration.state));
    TRY(integration_pair_get(req->scope, &integration, &pair));
    if (!works(&pair.source))
        return arena_fail(req->arena, ERR_CONFLICT, NULL, "The connection to the source is %s.",
                          machine_name(&connection_machine, pair.source.state));
    TRY(read_account(req, &pair.target, PURPOSE_MIRROR));
    TRY(read_account(req, &pair.source, PURPOSE_COLLECT));
    TRY(audit(req, "integration.sync_asked", &integration));
    struct json_out out = reply_begin(req);
    out_uuid(&out, "integration_id", integration.id);
    out_instant(&out, "requested_at", db_now(req->scope));
    return reply_end(req, 202, &out);
}
