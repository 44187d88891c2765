/* Workspaces: a row in the directory, its tenant row and data key in the region. */
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "handlers/guard.h"
#include "handlers/handlers.h"
#include "handlers/request.h"
#include "store/audit.h"
#include "store/secrets.h"
#include "store/user.h"
#include "store/workspace.h"

enum { NAME_MAX_CHARS = 120, TIME_ZONE_MAX = 64 };
static const char *const languages[] = {"en", "fr", NULL};

struct workspace_input {
    const char *name, *region, *time_zone;
    int language;
    bool language_given;
};
static const struct input_field create_fields[] = {
    FIELD_TEXT("name", struct workspace_input, name, 1, NAME_MAX_CHARS, REQUIRED),
    FIELD_TEXT("region", struct workspace_input, region, 1, 32, REQUIRED),
    FIELD_TEXT("time_zone", struct workspace_input, time_zone, 1, TIME_ZONE_MAX, OPTIONAL),
    FIELD_WORD("language", struct workspace_input, language, languages, OPTIONAL),
};
static const struct input_field update_fields[] = {
    FIELD_TEXT("name", struct workspace_input, name, 1, NAME_MAX_CHARS, OPTIONAL),
    FIELD_TEXT("time_zone", struct workspace_input, time_zone, 1, TIME_ZONE_MAX, OPTIONAL),
    FIELD_WORD("language", struct workspace_input, language, languages,
               GIVEN(struct workspace_input, language_given)),
};

static void out_workspace(struct json_out *out, const struct workspace *workspace, const char *role)
{
    out_uuid(out, "id", workspace->id);
    out_text(out, "name", workspace->name);
    out_text(out, "region", workspace->region);
    out_text(out, "time_zone", workspace->time_zone);
    out_text(out, "language", workspace->language);
    out_text(out, "role", role);
    out_instant(out, "created_at", workspace->created_at);
    out_instant(out, "updated_at", workspace->updated_at);
}

static enum err reply_workspace(struct request *req, int status, const struct workspace *workspace,
                                const char *role)
{
    struct json_out out = reply_begin(req);
    out_workspace(&out, workspace, role);
    reply_etag(req, workspace->row_version);
    return reply_end(req, status, &out);
}

/* A name of the IANA list: where the system has the list, it must be in it. */
static bool time_zone_known(struct arena *arena, const char *name)
{
    static const char folder[] = "/usr/share/zoneinfo";
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/";
    bool shaped = name[strspn(name, allowed)] == '\0' && name[0] >= 'A' && name[0] <= 'Z';
    if (!shaped || access(folder, R_OK) != 0)
        return shaped;
    struct stat file; /* "Europe" is a folder of it, and no time zone */
    return stat(arena_format(arena, "%s/%s", folder, name), &file) == 0 && S_ISREG(file.st_mode);
}

static enum err check_time_zone(struct request *req, const char *name)
{
    if (!name || time_zone_known(req->arena, name))
        return OK;
    return arena_fail(req->arena, ERR_FIELD_INVALID, "time_zone",
                      "Expected a name of the IANA list, such as Europe/Paris.");
}

/* ---- making one ---- */

struct making {
    struct request *req;
    struct workspace *workspace;
};

static enum err make_in_region(const struct scope *scope, void *argument)
{
    struct making *making = argument;
    TRY(tenant_put(scope, making->workspace));
    TRY(workspace_key_ensure(scope, making->req->app->region_key));
    return audit_append(scope, &(struct audit_entry){.action = "workspace.created",
                                                     .subject_kind = "workspace",
                                                     .subject = making->workspace->id});
}

static enum err check_number(struct request *req)
{
    struct user user;
    int64_t owned, most = req->app->config->workspaces_per_person_max;
    TRY(user_get(&req->directory, req->principal.id, &user));
    if (user.operator)
        return OK;
    TRY(workspace_owned(&req->directory, req->principal.id, &owned));
    if (owned < most)
        return OK;
    return arena_fail(req->arena, ERR_TOO_MANY, NULL,
                      "You own %" PRId64 " workspaces, and may own %" PRId64 " here.", owned, most);
}

/* The region commits first: a workspace that the directory knows is complete. What a directory that
 * then fails leaves in the region belongs to nobody and is seen by nobody. */
static enum err make_in_directory(const struct scope *scope, void *argument)
{
    struct making *making = argument;
    struct request *req = making->req;
    struct scope region;
    (void)scope;
    TRY(check_number(req));
    TRY(workspace_add(&req->directory, making->workspace));
    TRY(member_add(&req->directory, making->workspace->id, req->principal.id, "owner"));
    TRY(guard_scope(req, making->workspace->id, making->workspace->region, &region));
    return db_transaction(&region, make_in_region, making);
}

static enum err check_region(struct request *req, const char *code)
{
    if (text_equal(code, req->app->config->region_name))
        return OK;
    return arena_fail(req->arena, ERR_FIELD_INVALID, "region",
                      "This installation serves no such region.");
}

enum err api_workspace_create(struct request *req)
{
    struct workspace_input in = {.time_zone = "UTC"};
    TRY(json_read(req, create_fields, COUNT(create_fields), &in));
    TRY(check_region(req, in.region));
    TRY(check_time_zone(req, in.time_zone));
    struct workspace workspace = {.name = in.name,
                                  .region = in.region,
                                  .time_zone = in.time_zone,
                                  .language = languages[in.language],
                                  .state = "active"};
    struct making making = {req, &workspace};
    TRY(db_transaction(&req->directory.scope, make_in_directory, &making));
    reply_location(req, "/v1/workspaces/%s", uuid_format(req->arena, workspace.id));
    return reply_workspace(req, 201, &workspace, "owner");
}

/* ---- reading ---- */

struct workspace_query {
    struct page page;
};
static const struct input_field list_fields[] = {PAGE_FIELDS(struct workspace_query, page)};

enum err api_workspace_list(struct request *req)
{
    struct workspace_query query = {.page = PAGE_DEFAULT};
    struct rows rows;
    TRY(list_read(req, list_fields, COUNT(list_fields), &query, &query.page));
    TRY(workspace_list(&req->directory, req->principal.id, query.page.after.id,
                       query.page.limit + 1, &rows));
    const struct workspace *workspaces = rows.at;
    size_t shown = page_shown(&query.page, rows.count);
    struct json_out out = list_begin(req);
    for (size_t i = 0; i < shown; i++) {
        out_object(&out, NULL);
        out_workspace(&out, &workspaces[i], workspaces[i].role);
        out_end(&out);
    }
    struct cursor next = {.id = shown ? workspaces[shown - 1].id : (struct uuid){{0}}};
    return list_end(req, &out, shown < rows.count ? &next : NULL);
}

enum err api_workspace_get(struct request *req)
{
    struct workspace workspace;
    TRY(workspace_get(&req->directory, req->scope->workspace, &workspace));
    return reply_workspace(req, 200, &workspace, access_name(req->role));
}

/* ---- changing ---- */

struct changing {
    struct request *req;
    struct workspace_change change;
    struct workspace workspace;
};

static enum err change_in_region(const struct scope *scope, void *argument)
{
    struct changing *changing = argument;
    TRY(tenant_put(scope, &changing->workspace));
    return audit_append(scope, &(struct audit_entry){.action = "workspace.updated",
                                                     .subject_kind = "workspace",
                                                     .subject = scope->workspace});
}

static enum err change_in_directory(const struct scope *scope, void *argument)
{
    struct changing *changing = argument;
    struct request *req = changing->req;
    (void)scope;
    TRY(workspace_update(&req->directory, req->scope->workspace, &changing->change,
                         &changing->workspace));
    return db_transaction(req->scope, change_in_region, changing);
}

enum err api_workspace_update(struct request *req)
{
    struct workspace_input in = {0};
    struct changing changing = {.req = req};
    TRY(if_match_read(req, &changing.change.version));
    TRY(json_read(req, update_fields, COUNT(update_fields), &in));
    TRY(check_time_zone(req, in.time_zone));
    if (!in.name && !in.time_zone && !in.language_given)
        return arena_fail(req->arena, ERR_FIELD_MISSING, NULL,
                          "Send at least one of name, time_zone and language.");
    changing.change.name = in.name;
    changing.change.time_zone = in.time_zone;
    changing.change.language = in.language_given ? languages[in.language] : NULL;
    TRY(db_transaction(&req->directory.scope, change_in_directory, &changing));
    return reply_workspace(req, 200, &changing.workspace, access_name(req->role));
}
