#include "store/queue.h"

/* What metrics see of the queue: counted on indexes of the hot table, which holds only
 * unfinished jobs. */

static const struct column depth_columns[] = {
    COLUMN(struct queue_depth, ready), COLUMN(struct queue_depth, scheduled),
    COLUMN(struct queue_depth, running), COLUMN(struct queue_depth, failed)};
static const struct shape depth_shape = SHAPE(struct queue_depth, depth_columns);

STATEMENT(queue_depth_sql, "SELECT count(*) FILTER (WHERE state = 0) AS ready,"
                           " count(*) FILTER (WHERE state = 2) AS scheduled,"
                           " count(*) FILTER (WHERE state = 1) AS running,"
                           " (SELECT count(*) FROM region.job_failed) AS failed FROM region.job");

enum err queue_depth(const struct untenanted *at, struct queue_depth *into)
{
    return db_one(&at->scope, &queue_depth_sql, NO_PARAMS, &depth_shape, into);
}
