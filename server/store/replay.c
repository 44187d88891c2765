#include "store/replay.h"

struct stored_text {
    const char *features;
};
static const struct column text_columns[] = {COLUMN(struct stored_text, features)};
static const struct shape text_shape = SHAPE(struct stored_text, text_columns);

STATEMENT(decision_text_sql, "SELECT features FROM region.decision WHERE workspace_id = $1"
                             " AND id = $2 AND taken_by = 'machine'");

enum err decision_text_get(const struct scope *scope, struct uuid decision, const char **into)
{
    struct stored_text stored;
    TRY(db_one(scope, &decision_text_sql, PARAMS(P(scope->workspace), P(decision)), &text_shape,
               &stored));
    *into = stored.features;
    return OK;
}
