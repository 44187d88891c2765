#include "store/idempotency.h"

/* The same statements over two tables: the workspace's, and the directory's for calls that have no
 * workspace yet. $1 is the workspace in both, unused in the directory. */
#define CLAIM_SQL(table, columns, values, conflict)                                                \
    "INSERT INTO " table " AS t (" columns "principal, route, key, body_hash, claim,"              \
    " locked_until, expires_at) VALUES (" values "$2, $3, $4, $5, $6,"                             \
    " clock_timestamp() + $7 * interval '1 second', $8) ON CONFLICT (" conflict                    \
    "principal, route, key) DO UPDATE SET body_hash = excluded.body_hash,"                         \
    " claim = excluded.claim, locked_until = excluded.locked_until,"                               \
    " expires_at = excluded.expires_at, finished = false, status = NULL, headers = NULL,"          \
    " answer = NULL, secret = false WHERE t.expires_at <= $9"                                      \
    " OR (NOT t.finished AND t.locked_until < clock_timestamp()"                                   \
    "  AND t.body_hash = excluded.body_hash)"
#define READ_SQL(table, own)                                                                       \
    "SELECT body_hash, finished, status, headers, answer, secret FROM " table " WHERE " own        \
    " principal = $2 AND route = $3 AND key = $4"
#define FINISH_SQL(table, own)                                                                     \
    "UPDATE " table " SET finished = true, status = $6, headers = $7, answer = $8, secret = $9"    \
    " WHERE " own " principal = $2 AND route = $3 AND key = $4 AND claim = $5 AND NOT finished"
#define RELEASE_SQL(table, own)                                                                    \
    "DELETE FROM " table " WHERE " own                                                             \
    " principal = $2 AND route = $3 AND key = $4 AND claim = $5 AND NOT finished"

#define OF_WORKSPACE "workspace_id = $1 AND"
#define OF_NOBODY    "$1::uuid IS NULL AND"

STATEMENT(idempotency_claim_sql,
          CLAIM_SQL("region.idempotency", "workspace_id, ", "$1, ", "workspace_id, "));
STATEMENT(idempotency_read_sql, READ_SQL("region.idempotency", OF_WORKSPACE));
STATEMENT(idempotency_finish_sql, FINISH_SQL("region.idempotency", OF_WORKSPACE));
STATEMENT(idempotency_release_sql, RELEASE_SQL("region.idempotency", OF_WORKSPACE));
STATEMENT(directory_idempotency_claim_sql,
          "WITH unused AS (SELECT $1::uuid) " CLAIM_SQL("directory.idempotency", "", "", ""));
STATEMENT(directory_idempotency_read_sql, READ_SQL("directory.idempotency", OF_NOBODY));
STATEMENT(directory_idempotency_finish_sql, FINISH_SQL("directory.idempotency", OF_NOBODY));
STATEMENT(directory_idempotency_release_sql, RELEASE_SQL("directory.idempotency", OF_NOBODY));

static const struct statement *of(const struct scope *scope, const struct statement *workspace,
                                  const struct statement *directory)
{
    return uuid_is_nil(scope->workspace) ? directory : workspace;
}

struct kept {
    struct bytes body_hash;
    bool finished;
    int status;
    const char *headers;
    const char *answer;
    bool secret;
};
static const struct column kept_columns[] = {
    COLUMN(struct kept, body_hash), COLUMN(struct kept, finished), COLUMN(struct kept, status),
    COLUMN(struct kept, headers),   COLUMN(struct kept, answer),   COLUMN(struct kept, secret)};
static const struct shape kept_shape = SHAPE(struct kept, kept_columns);

static enum err refuse(const struct scope *scope, enum err code)
{
    return arena_fail(scope->arena, code, NULL, "%s", err_sentence(code));
}

static enum err replay(const struct scope *scope, const struct idempotency_key *key,
                       struct idempotency *into)
{
    struct kept kept;
    bool found;
    TRY(db_maybe(scope, of(scope, &idempotency_read_sql, &directory_idempotency_read_sql),
                 PARAMS(P(scope->workspace), P(key->principal), P(key->route), P(key->key)),
                 &kept_shape, &kept, &found));
    if (!found) /* released between the two statements */
        return refuse(scope, ERR_IDEMPOTENCY_RUNNING);
    if (kept.body_hash.n != key->body_hash.n ||
        memcmp(kept.body_hash.at, key->body_hash.at, key->body_hash.n) != 0)
        return refuse(scope, ERR_IDEMPOTENCY_KEY_REUSED);
    if (!kept.finished)
        return refuse(scope, ERR_IDEMPOTENCY_RUNNING);
    if (kept.secret)
        return refuse(scope, ERR_IDEMPOTENCY_SECRET);
    into->replay = true;
    into->status = kept.status;
    into->headers = kept.headers;
    into->answer = kept.answer;
    return OK;
}

enum err idempotency_claim(const struct scope *scope, const struct idempotency_key *key,
                           struct idempotency *into)
{
    int64_t claimed;
    struct instant now = db_now(scope);
    *into = (struct idempotency){.claim = db_new_id(scope)};
    TRY(db_exec(scope, of(scope, &idempotency_claim_sql, &directory_idempotency_claim_sql),
                PARAMS(P(scope->workspace), P(key->principal), P(key->route), P(key->key),
                       P(key->body_hash), P(into->claim), P((int)IDEMPOTENCY_LEASE_S),
                       P(instant_add_s(now, IDEMPOTENCY_KEPT_S)), P(now)),
                &claimed));
    return claimed == 1 ? OK : replay(scope, key, into);
}

enum err idempotency_finish(const struct scope *scope, const struct idempotency_key *key,
                            struct uuid claim, const struct idempotency_answer *answer)
{
    int64_t finished;
    const char *kept = answer->secret ? NULL : answer->answer;
    const char *headers = answer->secret ? NULL : answer->headers;
    TRY(db_exec(scope, of(scope, &idempotency_finish_sql, &directory_idempotency_finish_sql),
                PARAMS(P(scope->workspace), P(key->principal), P(key->route), P(key->key), P(claim),
                       P(answer->status), P(headers), P(kept), P(answer->secret)),
                &finished));
    return finished == 1 ? OK : refuse(scope, ERR_LEASE_LOST);
}

enum err idempotency_release(const struct scope *scope, const struct idempotency_key *key,
                             struct uuid claim)
{
    return db_exec(
        scope, of(scope, &idempotency_release_sql, &directory_idempotency_release_sql),
        PARAMS(P(scope->workspace), P(key->principal), P(key->route), P(key->key), P(claim)), NULL);
}
