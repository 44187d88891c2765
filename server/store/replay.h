/* What a stored decision needs to be taken again. */
#ifndef SLUICE_STORE_REPLAY_H
#define SLUICE_STORE_REPLAY_H

#include "db/db.h"

/* The canonical text of a machine's decision (matcher/explain.h). ERR_NOT_FOUND: there is no such
 * decision, or a person took it. */
enum err decision_text_get(const struct scope *scope, struct uuid decision,
                           const char **into) MUST_USE;

#endif
