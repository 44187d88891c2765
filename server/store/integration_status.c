#include "store/integration_status.h"

static const struct column stream_columns[] = {
    COLUMN(struct status_stream, connection_id),
    COLUMN(struct status_stream, mirror),
    COLUMN(struct status_stream, name),
    COLUMN(struct status_stream, livemode),
    COLUMN(struct status_stream, marker),
    COLUMN(struct status_stream, last_pull_at),
    COLUMN(struct status_stream, last_complete_at),
};
static const struct shape stream_shape = SHAPE(struct status_stream, stream_columns);

STATEMENT(status_streams_sql,
          "SELECT c.id AS connection_id, s.purpose = 'mirror' AS mirror, s.name, s.livemode,"
          " s.marker, s.last_pull_at, s.last_success_at AS last_complete_at"
          " FROM region.integration i"
          " JOIN region.connection c ON c.workspace_id = $1"
          " AND c.id IN (i.source_connection_id, i.target_connection_id)"
          " JOIN region.stream s ON s.workspace_id = $1 AND s.provider = c.provider"
          " AND s.account = c.account AND s.livemode = c.livemode"
          " AND ((s.purpose = 'collect' AND c.id = i.source_connection_id)"
          " OR (s.purpose = 'mirror' AND c.id = i.target_connection_id))"
          " WHERE i.workspace_id = $1 AND i.id = $2 ORDER BY s.purpose, s.name");

enum err status_streams(const struct scope *scope, struct uuid integration, struct rows *into)
{
    return db_all(scope, &status_streams_sql, PARAMS(P(scope->workspace), P(integration)),
                  &stream_shape, into);
}

static const struct column counts_columns[] = {
    COLUMN(struct status_counts, flow),
    COLUMN(struct status_counts, hold),
    COLUMN(struct status_counts, stop),
    COLUMN(struct status_counts, unconfirmed),
};
static const struct shape counts_shape = SHAPE(struct status_counts, counts_columns);

STATEMENT(status_counts_sql,
          "SELECT b.flow, b.hold, b.stop,"
          " (SELECT count(*) FROM region.delivery d WHERE d.workspace_id = $1"
          "  AND d.integration_id = $2 AND d.state = 'unconfirmed') AS unconfirmed"
          " FROM (SELECT count(*) FILTER (WHERE d.outcome = 'flow') AS flow,"
          "  count(*) FILTER (WHERE d.outcome = 'hold') AS hold,"
          "  count(*) FILTER (WHERE d.outcome = 'stop') AS stop"
          "  FROM region.item i JOIN region.decision d ON d.workspace_id = $1"
          "  AND d.id = i.decision_id WHERE i.workspace_id = $1 AND i.integration_id = $2) b");

enum err status_counts(const struct scope *scope, struct uuid integration,
                       struct status_counts *into)
{
    return db_one(scope, &status_counts_sql, PARAMS(P(scope->workspace), P(integration)),
                  &counts_shape, into);
}
