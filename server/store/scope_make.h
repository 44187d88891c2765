/* Makes tenant scopes. Included only by the guard (handlers), the job claim and the keeper (jobs),
 * the verbs of the command line and tests: whoever has a scope may act in its workspace. */
#ifndef SLUICE_SCOPE_MAKE_H
#define SLUICE_SCOPE_MAKE_H

#include "db/db.h"

static inline struct scope scope_make(struct db *db, struct arena *arena, struct uuid workspace)
{
    assert(!uuid_is_nil(workspace));
    return (struct scope){.db = db, .arena = arena, .workspace = workspace};
}

static inline struct scope scope_make_for(struct scope scope, enum actor_kind kind,
                                          struct uuid actor, const char *request_id)
{
    scope.actor_kind = kind;
    scope.actor = actor;
    scope.request_id = request_id;
    return scope;
}

#endif
