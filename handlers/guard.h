/* Who may call: reads the credential, finds the caller's role in the workspace of the path, and
 * makes the tenant scope, by what the route's row asks for. The only maker of scopes on this side.
 *
 * No credential or a bad one: 401. A role that is too small: 403. A workspace that the caller has
 * nothing to do with: 404, exactly as one that does not exist. */
#ifndef SLUICE_GUARD_H
#define SLUICE_GUARD_H

#include "handlers/request.h"

enum { GUARD_TIMEOUT_MS_MIN = 200 };

enum err guard_admit(struct request *req) MUST_USE;
/* The credential of "Authorization: Bearer <token>" (RFC 6750); NULL when there is none. */
const char *bearer_read(const struct request *req);

/* For the few calls that reach a workspace without naming it in their path (making one, accepting
 * an invitation, an authorisation coming back): the caller vouches that the request may act there.
 * ERR_DB_DOWN when the workspace lives in a region that this process does not serve. */
enum err guard_scope(struct request *req, struct uuid workspace, const char *region,
                     struct scope *into) MUST_USE;

/* Roles by their names; the order of enum access. ACCESS_UNSET for a word that is no role. */
enum access role_parse(const char *name);
extern const char *const role_names[]; /* viewer, reviewer, admin, owner, NULL */

#endif
