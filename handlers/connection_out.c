#include "base/base.h"

#include "handlers/connection_out.h"

#include "base/text.h"
#include "connectors/registry.h"

/* What a connection needs from a person. */
struct need {
    enum connection_state state;
    const char *reason; /* NULL: any other */
    const char *action;
    const char *code; /* NULL: the reason */
    const char *text; /* %s is the provider */
};

/* The first row that fits counts. */
static const struct need needs[] = {
    {CONNECTION_TO_CONFIGURE, NULL, "authorise", "not_authorised",
     "Open the address in a browser and give your consent at %s."},
    {CONNECTION_NEED_RECONNECT, "other_account", "reconnect", NULL,
     "%s was authorised for another account. Connect again and choose the account of this "
     "connection."},
    {CONNECTION_NEED_RECONNECT, "no_account", "reconnect", NULL,
     "The authorisation at %s covers no account. Connect again and choose one."},
    {CONNECTION_NEED_RECONNECT, "provider_scope", "reconnect", NULL,
     "The authorisation at %s does not allow what we need. Connect again and allow it."},
    {CONNECTION_NEED_RECONNECT, NULL, "reconnect", "credentials_refused",
     "%s no longer accepts our access. Connect it again."},
    {CONNECTION_DEGRADED, "provider_scope", "reconnect", NULL,
     "The authorisation at %s does not allow everything that we need. Connect again and allow it."},
    {CONNECTION_SUSPENDED, NULL, "contact_operator", "suspended",
     "The connection to %s was suspended by whoever runs this installation."},
    {CONNECTION_ERROR, NULL, "contact_operator", "connection_error",
     "%s could not be connected. Whoever runs this installation has to look into it."},
};

static const struct need choose_account = {
    CONNECTION_TO_CONFIGURE, NULL, "choose_account", "several_accounts",
    "The authorisation at %s covers several accounts. Choose the one to use."};

static const struct need *need_of(const struct connection *connection)
{
    if (connection->state == CONNECTION_TO_CONFIGURE && connection->account_choices)
        return &choose_account;
    for (size_t i = 0; i < COUNT(needs); i++) {
        if (needs[i].state == connection->state &&
            (!needs[i].reason || text_equal(needs[i].reason, connection->state_reason)))
            return &needs[i];
    }
    return NULL;
}

static void need_out(struct json_out *out, const struct connection *connection)
{
    const struct need *need = need_of(connection);
    const struct provider *provider = provider_find(connection->provider);
    if (!need) {
        out_null(out, "need");
        return;
    }
    const char *title = provider ? provider->title : connection->provider;
    const char *hole = strstr(need->text, "%s");
    out_object(out, "need");
    out_text(out, "action", need->action);
    out_text(out, "code", need->code ? need->code : connection->state_reason);
    out_text(out, "text",
             arena_format(out->buf.arena, "%.*s%s%s", (int)(hole - need->text), need->text, title,
                          hole + 2));
    out_end(out);
}

static void account_out(struct json_out *out, const struct connection *connection)
{
    if (!connection->account) {
        out_null(out, "account");
        out_null(out, "livemode");
        return;
    }
    out_object(out, "account");
    out_text(out, "id", connection->account);
    out_text(out, "name", connection->account_name);
    out_end(out);
    out_bool(out, "livemode", connection->livemode);
}

static void words_out(struct json_out *out, const char *name, const char *words)
{
    out_array(out, name);
    for (const char *at = words ? words : ""; *at;) {
        size_t n = strcspn(at, " ");
        if (n > 0)
            out_text(out, NULL, arena_text_n(out->buf.arena, at, n));
        at += n + (at[n] == ' ');
    }
    out_end(out);
}

static bool choosing(const struct connection *connection)
{
    return connection->state == CONNECTION_TO_CONFIGURE && connection->account_choices;
}

void connection_out(struct json_out *out, const struct connection *connection,
                    const struct authorisation_link *link)
{
    out_uuid(out, "id", connection->id);
    out_text(out, "provider", connection->provider);
    out_text(out, "label", connection->label);
    out_text(out, "state", machine_name(&connection_machine, connection->state));
    out_array(out, "roles");
    for (size_t i = 0; i < connection->roles.n; i++)
        out_text(out, NULL, connection->roles.at[i]);
    out_end(out);
    account_out(out, connection);
    words_out(out, "scopes", connection->scopes);
    out_json(out, "accounts", choosing(connection) ? connection->account_choices : "[]");
    out_instant(out, "access_expires_at", connection->access_expires_at);
    out_instant(out, "last_success_at", connection->last_success_at);
    need_out(out, connection);
    out_text(out, "authorize_url", link ? link->url : NULL);
    out_instant(out, "authorize_expires_at",
                link && link->url ? link->expires_at : (struct instant){0});
    out_instant(out, "created_at", connection->created_at);
    out_instant(out, "updated_at", connection->updated_at);
}
