/* Workspaces in the directory, and their row in the region. */
#ifndef SLUICE_STORE_WORKSPACE_H
#define SLUICE_STORE_WORKSPACE_H

#include "db/db.h"

struct region {
    const char *code; /* "eu-fr" */
    const char *name;
    const char *hosted_in;
};
enum err region_ensure(const struct untenanted *directory, const struct region *region) MUST_USE;

struct workspace {
    struct uuid id; /* nil when adding: given by workspace_add */
    const char *name;
    const char *region;
    const char *time_zone; /* "Europe/Paris" */
    const char *language;  /* en, fr */
    const char *state;     /* active, suspended, deleting */
    const char *role;      /* of whom the list was asked for; NULL elsewhere */
    int64_t row_version;
    struct instant created_at;
    struct instant updated_at;
};

/* ERR_CONFLICT when there is no such region. Fills id, row_version and times. Whoever adds it makes
 * the first owner in the same transaction (member_add), then calls tenant_put in the region. */
enum err workspace_add(const struct untenanted *directory, struct workspace *workspace) MUST_USE;
/* How many this person owns. Inside a transaction that adds one: whoever else does so for the same
 * person waits until it ends. */
enum err workspace_owned(const struct untenanted *directory, struct uuid user,
                         int64_t *into) MUST_USE;
enum err workspace_get(const struct untenanted *directory, struct uuid id,
                       struct workspace *into) MUST_USE;
/* Of one user, with the role. Newest first, older than `before` (nil: from the start). */
enum err workspace_list(const struct untenanted *directory, struct uuid user, struct uuid before,
                        int64_t limit, struct rows *into) MUST_USE;
/* Every workspace of a region, for operators; as workspace_list, without a role. */
enum err workspace_list_all(const struct untenanted *directory, struct uuid before, int64_t limit,
                            struct rows *into) MUST_USE;

struct workspace_change {
    const char *name; /* NULL: unchanged */
    const char *time_zone;
    const char *language;
    int64_t version; /* as read; ERR_STALE when it changed; 0: whatever it is */
};
enum err workspace_update(const struct untenanted *directory, struct uuid id,
                          const struct workspace_change *change, struct workspace *into) MUST_USE;

/* The region's own row of the scope's workspace: made or brought up to date. Every other row of the
 * workspace needs it. */
enum err tenant_put(const struct scope *scope, const struct workspace *workspace) MUST_USE;

struct tenant {
    const char *name;
    const char *time_zone;
    const char *language;
    const char *state;
};
enum err tenant_get(const struct scope *scope, struct tenant *into) MUST_USE;

#endif
