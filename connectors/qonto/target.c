#include "base/base.h"

#include "connectors/qonto/qonto.h"

#include "base/text.h"
#include "connectors/qonto/call.h"
#include "connectors/qonto/deliver.h"
#include "connectors/qonto/mirror.h"

/* Whether a read works: "ok", or the reason in words. Failures that pass are not recorded as
 * missing capabilities. */
static enum err try_read(struct provider_call *call, const char *path, const char **found)
{
    json_t *body;
    enum err err = qonto_get(call, path, QONTO_ANSWER_BYTES_MAX, &body);
    if (err == OK) {
        *found = "ok";
        return OK;
    }
    if (err != ERR_SCOPE && err != ERR_ABSENT && err != ERR_VALIDATION)
        return err;
    *found = arena_failure(call->arena)->detail;
    arena_failure_clear(call->arena);
    return OK;
}

static enum err probe_transactions(struct provider_call *call, const json_t *organization,
                                   const char **found)
{
    const char *account =
        json_text(json_array_get(json_list(organization, "bank_accounts"), 0), "id");
    *found = "The organisation shows no bank account.";
    if (text_blank(account))
        return OK;
    struct qonto_path path = qonto_path_new(call->arena, "/v2/transactions");
    qonto_path_add(&path, "bank_account_id", account);
    qonto_path_add(&path, "per_page", "1");
    return try_read(call, path.text.data, found);
}

static enum err probe_capabilities(struct provider_call *call, const json_t *organization,
                                   const char **into)
{
    const char *invoices, *transactions;
    TRY(try_read(call, "/v2/supplier_invoices?per_page=1", &invoices));
    TRY(probe_transactions(call, organization, &transactions));
    json_t *made = json_keep(call->arena, json_object());
    json_object_set_new(made, "read_supplier_invoices", json_string(invoices));
    json_object_set_new(made, "read_transactions", json_string(transactions));
    *into = json_write(call->arena, made);
    return OK;
}

static enum err qonto_probe(struct provider_call *call, struct probe_result *into)
{
    json_t *body;
    *into = (struct probe_result){0};
    TRY(qonto_get(call, "/v2/organization", QONTO_ANSWER_BYTES_MAX, &body));
    const json_t *organization = json_object_at(body, "organization");
    const char *id = json_text(organization, "id");
    if (text_blank(id))
        return arena_fail(call->arena, ERR_PROTOCOL, "organization",
                          "Qonto's answer names no organisation.");
    const char *name = json_text(organization, "legal_name");
    struct account_choice *account = arena_alloc(call->arena, sizeof *account);
    *account = (struct account_choice){
        .account = arena_text(call->arena, id),
        .livemode = call->settings->staging_token == NULL,
        .name = arena_text(call->arena, name ? name : json_text(organization, "name")),
    };
    into->accounts = account;
    into->count = 1;
    into->scopes = call->settings->scope ? call->settings->scope : QONTO_SCOPE_DEFAULT;
    return probe_capabilities(call, organization, &into->capabilities);
}

const struct target qonto_target = {
    .provider = "qonto",
    .capabilities = {.create = true,
                     .read_back = true,
                     .search = true,
                     .document_bytes_max = QONTO_DOCUMENT_BYTES_MAX,
                     .content_types = "application/pdf,image/jpeg,image/png",
                     .attempt_s_max = QONTO_ATTEMPT_S_MAX},
    .streams = qonto_streams,
    .probe = qonto_probe,
    .mirror = qonto_mirror,
    .preflight = qonto_preflight,
    .deliver = qonto_deliver,
    .look = qonto_look,
};
