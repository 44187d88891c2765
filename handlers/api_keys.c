/* API keys: shown once, kept as a hash, for one workspace and one role. */
#include "auth/token.h"
#include "handlers/guard.h"
#include "handlers/handlers.h"
#include "handlers/request.h"
#include "store/audit.h"
#include "store/login.h"

enum { NAME_MAX_CHARS = 120 };
static const char *const key_roles[] = {"viewer", "reviewer", "admin", NULL};

struct key_input {
    const char *name;
    int role; /* index in key_roles */
    struct instant expires_at;
};
static const struct input_field key_fields[] = {
    FIELD_TEXT("name", struct key_input, name, 1, NAME_MAX_CHARS, REQUIRED),
    FIELD_WORD("role", struct key_input, role, key_roles, REQUIRED),
    FIELD_INSTANT("expires_at", struct key_input, expires_at, OPTIONAL, .nullable = true),
};

static void out_key(struct json_out *out, const struct api_key *key)
{
    out_uuid(out, "id", key->id);
    out_text(out, "name", key->name);
    out_text(out, "role", key->role);
    out_text(out, "hint", key->hint);
    out_uuid(out, "created_by", key->created_by);
    out_instant(out, "created_at", key->created_at);
    out_instant(out, "last_used_at", key->last_used_at);
    out_instant(out, "expires_at", key->expires_at);
}

static enum err check_key(struct request *req, const struct key_input *in)
{
    if (req->principal.kind != PRINCIPAL_USER)
        return arena_fail(req->arena, ERR_FORBIDDEN, NULL,
                          "An API key cannot make another one: sign in as a person.");
    if (role_parse(key_roles[in->role]) > req->role)
        return arena_fail(req->arena, ERR_FORBIDDEN, NULL,
                          "A key may not do more than who makes it.");
    if (in->expires_at.us && in->expires_at.us <= req->now.us)
        return arena_fail(req->arena, ERR_FIELD_INVALID, "expires_at",
                          "Expected an instant in the future, or null.");
    return OK;
}

enum err api_api_key_create(struct request *req)
{
    struct key_input in = {0};
    struct token token;
    TRY(json_read(req, key_fields, COUNT(key_fields), &in));
    TRY(check_key(req, &in));
    token_new(req->arena, TOKEN_API_KEY, &token);
    struct api_key key = {
        .workspace_id = req->scope->workspace,
        .name = in.name,
        .role = key_roles[in.role],
        .hint = token.hint,
        .created_by = req->principal.person,
        .expires_at = in.expires_at,
    };
    TRY(api_key_add(&req->directory, token.hash, &key));
    TRY(audit_append(req->scope, &(struct audit_entry){.action = "api_key.created",
                                                       .subject_kind = "api_key",
                                                       .subject = key.id}));
    struct json_out out = reply_begin(req);
    out_key(&out, &key);
    out_text(&out, "key", secret_text(token.text));
    return reply_end(req, 201, &out);
}

struct key_query {
    struct page page;
};
static const struct input_field list_fields[] = {PAGE_FIELDS(struct key_query, page)};

enum err api_api_key_list(struct request *req)
{
    struct key_query query = {.page = PAGE_DEFAULT};
    struct rows rows;
    TRY(list_read(req, list_fields, COUNT(list_fields), &query, &query.page));
    TRY(api_key_list(&req->directory, req->scope->workspace, query.page.after.id,
                     query.page.limit + 1, &rows));
    const struct api_key *keys = rows.at;
    size_t shown = page_shown(&query.page, rows.count);
    struct json_out out = list_begin(req);
    for (size_t i = 0; i < shown; i++) {
        out_object(&out, NULL);
        out_key(&out, &keys[i]);
        out_end(&out);
    }
    struct cursor next = {.id = shown ? keys[shown - 1].id : (struct uuid){{0}}};
    return list_end(req, &out, shown < rows.count ? &next : NULL);
}

enum err api_api_key_delete(struct request *req)
{
    struct uuid id = request_uuid(req, "api_key_id");
    TRY(api_key_revoke(&req->directory, req->scope->workspace, id));
    TRY(audit_append(req->scope, &(struct audit_entry){.action = "api_key.deleted",
                                                       .subject_kind = "api_key",
                                                       .subject = id}));
    return reply_empty(req, 204);
}
