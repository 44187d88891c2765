#include "store/collect.h"

static const struct column stream_columns[] = {
    COLUMN(struct stream, id),
    COLUMN_AS("connection_id", struct stream, connection),
    COLUMN(struct stream, provider),
    COLUMN(struct stream, account),
    COLUMN(struct stream, livemode),
    COLUMN(struct stream, name),
    COLUMN(struct stream, period_s),
    COLUMN(struct stream, marker),
    COLUMN(struct stream, pages),
    COLUMN(struct stream, reach),
    COLUMN_AS("last_success_at", struct stream, complete_at),
    COLUMN(struct stream, failures),
};
static const struct shape stream_shape = SHAPE(struct stream, stream_columns);

/* The reach of a stream that was read already is fixed: going further back is a backfill. */
STATEMENT(stream_ensure_sql,
          "INSERT INTO region.stream AS s (workspace_id, id, connection_id, provider, account,"
          " livemode, name, purpose, period_s, reach, created_at)"
          " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"
          " ON CONFLICT (workspace_id, provider, account, livemode, purpose, name) DO UPDATE"
          " SET connection_id = excluded.connection_id, period_s = least(s.period_s,"
          " excluded.period_s),"
          " reach = CASE WHEN s.pages = 0 THEN least(s.reach, excluded.reach) ELSE s.reach END"
          " RETURNING id, connection_id, provider, account, livemode, name, period_s, marker, "
          "pages, reach,"
          " last_success_at, failures");

enum err stream_ensure(const struct scope *scope, const struct stream *wanted, const char *purpose,
                       struct uuid *into)
{
    struct stream made;
    TRY(db_one(scope, &stream_ensure_sql,
               PARAMS(P(scope->workspace), P(db_new_id(scope)), P(wanted->connection),
                      P(wanted->provider), P(wanted->account), P(wanted->livemode), P(wanted->name),
                      P(purpose), P(wanted->period_s), P(wanted->reach), P(db_now(scope))),
               &stream_shape, &made));
    *into = made.id;
    return OK;
}

STATEMENT(
    stream_get_sql,
    "SELECT id, connection_id, provider, account, livemode, name, period_s, marker, pages, reach,"
    " last_success_at, failures"
    " FROM region.stream WHERE workspace_id = $1 AND id = $2");

enum err stream_get(const struct scope *scope, struct uuid id, struct stream *into)
{
    return db_one(scope, &stream_get_sql, PARAMS(P(scope->workspace), P(id)), &stream_shape, into);
}

STATEMENT(
    streams_of_account_sql,
    "SELECT id, connection_id, provider, account, livemode, name, period_s, marker, pages, reach,"
    " last_success_at, failures"
    " FROM region.stream WHERE workspace_id = $1 AND provider = $2 AND account = $3"
    " AND livemode = $4 AND purpose = $5 ORDER BY name");

enum err streams_of_account(const struct scope *scope, const struct stream *account,
                            const char *purpose, struct rows *into)
{
    return db_all(scope, &streams_of_account_sql,
                  PARAMS(P(scope->workspace), P(account->provider), P(account->account),
                         P(account->livemode), P(purpose)),
                  &stream_shape, into);
}

STATEMENT(
    stream_lock_sql,
    "SELECT id, connection_id, provider, account, livemode, name, period_s, marker, pages, reach,"
    " last_success_at, failures"
    " FROM region.stream WHERE workspace_id = $1 AND (provider, account, livemode) ="
    " (SELECT provider, account, livemode FROM region.stream WHERE workspace_id = $1 AND id = $2)"
    " ORDER BY id FOR UPDATE");

enum err streams_lock(const struct scope *scope, struct uuid any_of_account, struct rows *into)
{
    return db_all(scope, &stream_lock_sql, PARAMS(P(scope->workspace), P(any_of_account)),
                  &stream_shape, into);
}

/* A marker that did not move is not written anew: a long one is stored apart. */
STATEMENT(stream_advance_sql,
          "UPDATE region.stream SET marker = CASE WHEN marker = $3 THEN marker ELSE $3 END,"
          " pages = pages + 1, last_pull_at = $4,"
          " rows_received = rows_received + $7, failures = 0,"
          " last_success_at = CASE WHEN $5 THEN $4 ELSE last_success_at END"
          " WHERE workspace_id = $1 AND id = $2 AND pages = $6");

enum err stream_advance(const struct scope *scope, const struct stream_step *step)
{
    int64_t changed = 0;
    TRY(db_exec(scope, &stream_advance_sql,
                PARAMS(P(scope->workspace), P(step->stream), P(step->marker), P(db_now(scope)),
                       P(step->complete), P(step->pages), P(step->rows)),
                &changed));
    if (changed == 0)
        return arena_fail(scope->arena, ERR_CONFLICT, NULL, "The stream moved on meanwhile.");
    return OK;
}

STATEMENT(stream_wanted_sql,
          "SELECT count(*) FROM (SELECT FROM region.stream s"
          " JOIN region.connection c ON c.workspace_id = $1 AND c.provider = s.provider"
          " AND c.account = s.account AND c.livemode = s.livemode"
          " JOIN region.integration i ON i.workspace_id = $1 AND i.state = 'active'"
          " AND CASE s.purpose WHEN 'collect' THEN i.source_connection_id"
          " ELSE i.target_connection_id END = c.id"
          " WHERE s.workspace_id = $1 AND s.id = $2 AND NOT s.paused LIMIT 1) x");

enum err stream_wanted(const struct scope *scope, struct uuid id, bool *into)
{
    int64_t n = 0;
    TRY(db_int(scope, &stream_wanted_sql, PARAMS(P(scope->workspace), P(id)), &n));
    *into = n > 0;
    return OK;
}

STATEMENT(stream_failed_sql,
          "UPDATE region.stream SET failures = failures + 1, last_failure_at = $3,"
          " last_failure_code = $4 WHERE workspace_id = $1 AND id = $2 RETURNING failures");

enum err stream_failed(const struct scope *scope, struct uuid id, const char *code,
                       int64_t *failures)
{
    return db_int(scope, &stream_failed_sql,
                  PARAMS(P(scope->workspace), P(id), P(db_now(scope)), P(code)), failures);
}
