/* The verbs that prove or renew: replay, audit verify, keys rotate. */
#include <fcntl.h>
#include <unistd.h>

#include "app.h"
#include "base/text.h"
#include "matcher/matcher.h"
#include "store/audit.h"
#include "store/replay.h"
#include "store/scope_make.h"
#include "store/secrets.h"
#include "store/workspace.h"
#include "verbs.h"

enum { WORKSPACES_PER_PAGE = 100, KEY_FILE_BYTES_MAX = 256 };

/* A connection for one verb, and what it stands on. */
struct session {
    struct clock clock;
    struct rand_source rand;
    struct db *db;
};

static enum err session_open(struct arena *arena, struct session *session, const char *conninfo)
{
    rand_open(&session->rand, 0);
    struct db_settings settings = {.conninfo = conninfo,
                                   .application = "sluice verb",
                                   .clock = &session->clock,
                                   .rand = &session->rand};
    return db_open(arena, &settings, &session->db);
}

static void session_close(struct session *session)
{
    db_close(session->db);
    rand_close(&session->rand);
}

static enum err read_uuid(struct arena *arena, const char *option, const char *text,
                          struct uuid *into)
{
    if (!uuid_parse(text, into))
        return arena_fail(arena, ERR_CONFIG, NULL, "%s wants a UUID, not %s.", option, text);
    return OK;
}

/* ---- replay ---- */

static enum err replay_one(struct invocation *invocation, const struct scope *scope,
                           struct uuid decision)
{
    struct model_set *models;
    const char *stored, *again;
    enum err error = decision_text_get(scope, decision, &stored);
    if (error == ERR_NOT_FOUND)
        return arena_fail(invocation->arena, ERR_NOT_FOUND, NULL,
                          "The workspace has no such decision of the machine.");
    TRY(error);
    TRY(model_set_new(invocation->arena, &models));
    TRY(match_replay(invocation->arena, models, stored, &again));
    fputs(again, stdout);
    bool equal = text_equal(stored, again);
    fprintf(stderr, equal ? "equal, byte for byte\n" : "NOT equal to what is stored\n");
    invocation->status = equal ? 0 : 1;
    return OK;
}

enum err verb_replay(struct invocation *invocation)
{
    struct arena *arena = invocation->arena;
    const char *config_path = NULL, *workspace_text = NULL, *decision_text_option = NULL;
    const struct option options[] = {
        {.name = "--workspace", .value = &workspace_text, .required = "the workspace's id"},
        {.name = "--decision", .value = &decision_text_option, .required = "the decision's id"},
    };
    struct config config;
    struct uuid workspace, decision;
    struct session session = {0};
    TRY(options_read(invocation, options, COUNT(options), &config_path));
    TRY(read_uuid(arena, "--workspace", workspace_text, &workspace));
    TRY(read_uuid(arena, "--decision", decision_text_option, &decision));
    TRY(config_read(arena, config_path, invocation->environment, &config));
    enum err error = session_open(arena, &session, config.region_database_url);
    if (error == OK) {
        struct scope scope = scope_make(session.db, arena, workspace);
        error = replay_one(invocation, &scope, decision);
    }
    session_close(&session);
    return error;
}

/* ---- every workspace, or one ---- */

typedef enum err workspace_unit(struct invocation *invocation, const struct scope *scope,
                                void *arg);

struct walk {
    struct invocation *invocation;
    const struct config *config;
    const char *only; /* a workspace's id, or NULL: all of the region */
    workspace_unit *unit;
    void *arg;
};

static enum err visit(const struct walk *walk, struct db *region, struct uuid workspace)
{
    struct scope scope = scope_make(region, walk->invocation->arena, workspace);
    return walk->unit(walk->invocation, &scope, walk->arg);
}

static enum err visit_all(const struct walk *walk, struct db *directory_db, struct db *region)
{
    struct uuid before = {{0}};
    for (;;) {
        struct untenanted directory = db_untenanted(directory_db, walk->invocation->arena);
        struct rows rows;
        TRY(workspace_list_all(&directory, before, WORKSPACES_PER_PAGE, &rows));
        const struct workspace *workspaces = rows.at;
        for (size_t i = 0; i < rows.count; i++) {
            before = workspaces[i].id;
            if (text_equal(workspaces[i].region, walk->config->region_name))
                TRY(visit(walk, region, workspaces[i].id));
        }
        if (rows.count < WORKSPACES_PER_PAGE)
            return OK;
    }
}

static enum err walk_workspaces(const struct walk *walk)
{
    struct arena *arena = walk->invocation->arena;
    struct session directory = {0}, region = {0};
    enum err error = session_open(arena, &directory, walk->config->directory_database_url);
    if (error == OK)
        error = session_open(arena, &region, walk->config->region_database_url);
    if (error == OK && walk->only) {
        struct uuid workspace;
        error = read_uuid(arena, "--workspace", walk->only, &workspace);
        if (error == OK)
            error = visit(walk, region.db, workspace);
    } else if (error == OK) {
        error = visit_all(walk, directory.db, region.db);
    }
    session_close(&directory);
    session_close(&region);
    return error;
}

/* ---- audit verify ---- */

static enum err verify_one(struct invocation *invocation, const struct scope *scope, void *arg)
{
    struct audit_verification found = {.intact = true, .next_seq = 1};
    int64_t checked = 0;
    (void)arg;
    while (found.intact && found.next_seq > 0) {
        TRY(audit_verify(scope, found.next_seq, &found));
        checked += found.checked;
    }
    const char *id = uuid_format(scope->arena, scope->workspace);
    if (found.intact)
        printf("%s intact: %" PRId64 " rows, last sealed %" PRId64 ", %" PRId64 " wait\n", id,
               checked, found.sealed_seq, found.unsealed);
    else
        printf("%s BROKEN at seal %" PRId64 "\n", id, found.broken_seq);
    invocation->status |= !found.intact;
    return OK;
}

enum err verb_audit_verify(struct invocation *invocation)
{
    const char *config_path = NULL, *workspace = NULL;
    const struct option options[] = {{.name = "--workspace", .value = &workspace}};
    struct config config;
    TRY(options_read(invocation, options, COUNT(options), &config_path));
    TRY(config_read(invocation->arena, config_path, invocation->environment, &config));
    return walk_workspaces(&(struct walk){
        .invocation = invocation, .config = &config, .only = workspace, .unit = verify_one});
}

/* ---- keys rotate ---- */

struct rotation {
    const struct secret *old_key; /* NULL: the region key stays, data keys are new */
    const struct secret *key;
    int64_t workspaces;
};

static enum err rotate_one(struct invocation *invocation, const struct scope *scope, void *arg)
{
    struct rotation *rotation = arg;
    (void)invocation;
    rotation->workspaces++;
    if (rotation->old_key)
        return workspace_key_rewrap(scope, rotation->old_key, rotation->key);
    return workspace_key_rotate(scope, rotation->key);
}

static enum err read_key(struct arena *arena, const char *path, const struct secret **into)
{
    char text[KEY_FILE_BYTES_MAX] = {0};
    struct bytes key = {0};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, text, sizeof text - 1) : -1;
    if (fd >= 0)
        close(fd);
    text[n > 0 ? strcspn(text, "\r\n") : 0] = '\0';
    bool readable = n > 0 && hex_decode(arena, text, &key) && key.n == REGION_KEY_BYTES;
    memory_wipe(text, sizeof text);
    if (!readable)
        return arena_fail(arena, ERR_CONFIG, "--old-key-file",
                          "%s holds no key of 32 bytes as hex.", path);
    *into = secret_new(arena, key);
    return OK;
}

enum err verb_keys_rotate(struct invocation *invocation)
{
    struct arena *arena = invocation->arena;
    const char *config_path = NULL, *old_file = NULL;
    const struct option options[] = {{.name = "--old-key-file", .value = &old_file}};
    struct config config;
    struct rotation rotation = {0};
    TRY(options_read(invocation, options, COUNT(options), &config_path));
    TRY(config_read(arena, config_path, invocation->environment, &config));
    if (old_file)
        TRY(read_key(arena, old_file, &rotation.old_key));
    rotation.key = config.region_key;
    TRY(walk_workspaces(&(struct walk){
        .invocation = invocation, .config = &config, .unit = rotate_one, .arg = &rotation}));
    printf("%s of %" PRId64 " workspaces\n",
           old_file ? "data keys wrapped with the new region key"
                    : "secrets sealed with new data keys",
           rotation.workspaces);
    return OK;
}
