#include "store/item_refusal.h"

#include "store/problem.h"

STATEMENT(item_refused_sql, "UPDATE region.item SET state = 'problem', state_changed_at = $3,"
                            " row_version = row_version + 1"
                            " WHERE workspace_id = $1 AND id = $2 AND state = 'queued'");

STATEMENT(item_is_problem_sql, "SELECT count(*) FROM region.item WHERE workspace_id = $1"
                               " AND id = $2 AND state = 'problem'");

struct refusing {
    struct uuid item;
    struct uuid integration;
    const struct item_refusal *refusal;
};

static enum err refuse(const struct scope *scope, void *arg)
{
    const struct refusing *refusing = arg;
    int64_t is = 0;
    struct problem_order problem = {
        .code = refusing->refusal->code,
        .text = refusing->refusal->text,
        .item = refusing->item,
        .integration = refusing->integration,
        .fields = problem_field(scope, refusing->refusal->field, refusing->refusal->text),
        .action = "retry",
    };
    TRY(db_exec(scope, &item_refused_sql,
                PARAMS(P(scope->workspace), P(refusing->item), P(db_now(scope))), NULL));
    TRY(db_int(scope, &item_is_problem_sql, PARAMS(P(scope->workspace), P(refusing->item)), &is));
    return is ? problem_open(scope, &problem) : OK; /* undone meanwhile: nothing to tell */
}

enum err item_refused(const struct scope *scope, struct uuid item, struct uuid integration,
                      const struct item_refusal *refusal)
{
    struct refusing refusing = {item, integration, refusal};
    return db_transaction(scope, refuse, &refusing);
}
