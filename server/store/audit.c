#include "store/audit.h"

#include "base/buf.h"
#include "crypto/crypto.h"

static const char *const actor_names[] = {[ACTOR_SYSTEM] = "system",
                                          [ACTOR_USER] = "user",
                                          [ACTOR_API_KEY] = "api_key",
                                          [ACTOR_JOB] = "job",
                                          [ACTOR_OPERATOR] = "operator"};

STATEMENT(audit_insert_sql,
          "INSERT INTO region.audit (workspace_id, id, at, actor_kind, actor, request_id, action,"
          " subject_kind, subject_id, detail) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)");

enum err audit_append(const struct scope *scope, const struct audit_entry *entry)
{
    return db_exec(scope, &audit_insert_sql,
                   PARAMS(P(scope->workspace), P(db_new_id(scope)), P(db_now(scope)),
                          P(actor_names[scope->actor_kind]), P(scope->actor), P(scope->request_id),
                          P(entry->action), P(entry->subject_kind), P(entry->subject),
                          P_JSON(entry->detail ? entry->detail : "{}")),
                   NULL);
}

static const struct column audit_columns[] = {
    COLUMN(struct audit_row, id),           COLUMN(struct audit_row, at),
    COLUMN(struct audit_row, actor_kind),   COLUMN(struct audit_row, actor),
    COLUMN(struct audit_row, request_id),   COLUMN(struct audit_row, action),
    COLUMN(struct audit_row, subject_kind), COLUMN(struct audit_row, subject_id),
    COLUMN(struct audit_row, detail),       COLUMN(struct audit_row, seal_seq),
    COLUMN(struct audit_row, chain_hash)};
static const struct shape audit_shape = SHAPE(struct audit_row, audit_columns);

STATEMENT(audit_list_sql,
          "SELECT a.*, s.seq AS seal_seq, s.chain_hash FROM region.audit AS a"
          " LEFT JOIN region.audit_seal AS s"
          "  ON s.workspace_id = a.workspace_id AND s.audit_id = a.id"
          " WHERE a.workspace_id = $1 AND ($2::uuid IS NULL OR a.subject_id = $2)"
          " AND ($3::uuid IS NULL OR a.actor = $3) AND ($4::text IS NULL OR a.action = $4)"
          " AND ($5::uuid IS NULL OR a.id < $5) ORDER BY a.id DESC LIMIT $6");

enum err audit_list(const struct scope *scope, const struct audit_filter *filter, struct rows *into)
{
    return db_all(scope, &audit_list_sql,
                  PARAMS(P(scope->workspace), P(filter->subject), P(filter->actor),
                         P(filter->action), P(filter->before), P(filter->limit)),
                  &audit_shape, into);
}

static const struct column dirty_columns[] = {COLUMN(struct dirty, workspace)};
static const struct shape dirty_shape = SHAPE(struct dirty, dirty_columns);
STATEMENT(audit_dirty_sql, "SELECT DISTINCT workspace_id AS workspace FROM (SELECT workspace_id"
                           " FROM region.dirty_workspace ORDER BY id"
                           " LIMIT 10000) AS oldest LIMIT $1");

enum err audit_dirty(const struct untenanted *region, int64_t limit, struct rows *into)
{
    return db_all(&region->scope, &audit_dirty_sql, PARAMS(P(limit)), &dirty_shape, into);
}

/* ---- the chain ---- */

struct link {
    int64_t seq;
    struct bytes row_hash;
    struct bytes chain_hash;
};

/* Every field with its length before it, so that no two rows read alike. */
static void add_text(struct buf *buf, const char *text)
{
    buf_format(buf, "%zd:%s,", text ? (ssize_t)strlen(text) : (ssize_t)-1, text ? text : "");
}

static void add_uuid(struct buf *buf, struct uuid uuid)
{
    add_text(buf, uuid_is_nil(uuid) ? NULL : uuid_format(buf->arena, uuid));
}

enum { AUDIT_ROW_BYTES_MAX = 1 << 20 };

static enum err row_hash(struct arena *arena, struct uuid workspace, const struct audit_row *row,
                         uint8_t into[SHA256_BYTES])
{
    struct buf buf = buf_new(arena, AUDIT_ROW_BYTES_MAX);
    add_text(&buf, "audit-1");
    add_uuid(&buf, workspace);
    add_uuid(&buf, row->id);
    buf_format(&buf, "%" PRId64 ",", row->at.us);
    add_text(&buf, row->actor_kind);
    add_uuid(&buf, row->actor);
    add_text(&buf, row->request_id);
    add_text(&buf, row->action);
    add_text(&buf, row->subject_kind);
    add_uuid(&buf, row->subject_id);
    add_text(&buf, row->detail);
    if (buf.overflowed)
        return arena_fail(arena, ERR_LIMIT, NULL, "An audit row is larger than %d bytes.",
                          (int)AUDIT_ROW_BYTES_MAX);
    sha256(buf_bytes(&buf), into);
    return OK;
}

static void chain_hash(struct arena *arena, int64_t seq, struct bytes previous,
                       const uint8_t row[SHA256_BYTES], uint8_t into[SHA256_BYTES])
{
    struct buf buf = buf_new(arena, 256);
    buf_format(&buf, "%" PRId64 ",", seq);
    buf_add(&buf, previous.at, previous.n);
    buf_add(&buf, row, SHA256_BYTES);
    sha256(buf_bytes(&buf), into);
}

static const struct column link_columns[] = {
    COLUMN(struct link, seq), COLUMN(struct link, row_hash), COLUMN(struct link, chain_hash)};
static const struct shape link_shape = SHAPE(struct link, link_columns);
STATEMENT(audit_last_sql, "SELECT seq, row_hash, chain_hash FROM region.audit_seal"
                          " WHERE workspace_id = $1 ORDER BY seq DESC LIMIT 1");
STATEMENT(audit_seal_at_sql, "SELECT seq, row_hash, chain_hash FROM region.audit_seal"
                             " WHERE workspace_id = $1 AND seq = $2");
/* One sealer per workspace at a time. */
STATEMENT(audit_seal_lock_sql, "SELECT pg_try_advisory_xact_lock(hashtextextended("
                               "'sluice.audit.' || $1, 0))::int::bigint");

/* What the hash of a row covers, in the field `row` of a struct. */
#define HASHED_COLUMNS(type)                                                                       \
    COLUMN_AS("id", type, row.id), COLUMN_AS("at", type, row.at),                                  \
        COLUMN_AS("actor_kind", type, row.actor_kind), COLUMN_AS("actor", type, row.actor),        \
        COLUMN_AS("request_id", type, row.request_id), COLUMN_AS("action", type, row.action),      \
        COLUMN_AS("subject_kind", type, row.subject_kind),                                         \
        COLUMN_AS("subject_id", type, row.subject_id), COLUMN_AS("detail", type, row.detail)

struct unsealed {
    int64_t dirty_id;
    struct audit_row row;
};
static const struct column unsealed_columns[] = {COLUMN_AS("dirty_id", struct unsealed, dirty_id),
                                                 HASHED_COLUMNS(struct unsealed)};
static const struct shape unsealed_shape = SHAPE(struct unsealed, unsealed_columns);
STATEMENT_ROWS(audit_unsealed_sql, AUDIT_SEAL_MAX,
               "SELECT d.id AS dirty_id, a.id, a.at, a.actor_kind, a.actor, a.request_id,"
               " a.action, a.subject_kind, a.subject_id, a.detail"
               " FROM region.dirty_workspace AS d JOIN region.audit AS a"
               "  ON a.workspace_id = d.workspace_id AND a.id = d.subject_id"
               " WHERE d.what = 'audit' AND d.workspace_id = $1 ORDER BY d.id LIMIT $2");
STATEMENT(audit_seal_insert_sql,
          "INSERT INTO region.audit_seal (workspace_id, seq, audit_id, row_hash, chain_hash,"
          " sealed_at) VALUES ($1, $2, $3, $4, $5, $6)");
STATEMENT(dirty_delete_sql, "DELETE FROM region.dirty_workspace WHERE id = ANY ($1)");

struct sealing {
    int64_t sealed;
    bool more;
};

static enum err seal_row(const struct scope *scope, const struct audit_row *row, struct link *last)
{
    uint8_t of_row[SHA256_BYTES];
    uint8_t *of_chain = arena_alloc(scope->arena, SHA256_BYTES);
    TRY(row_hash(scope->arena, scope->workspace, row, of_row));
    last->seq++;
    chain_hash(scope->arena, last->seq, last->chain_hash, of_row, of_chain);
    last->chain_hash = (struct bytes){of_chain, SHA256_BYTES};
    return db_later(scope, &audit_seal_insert_sql,
                    PARAMS(P(scope->workspace), P(last->seq), P(row->id),
                           P(((struct bytes){of_row, SHA256_BYTES})), P(last->chain_hash),
                           P(db_now(scope))));
}

static enum err seal_batch(const struct scope *scope, void *arg)
{
    struct sealing *self = arg;
    struct link last = {0};
    bool any;
    int64_t mine;
    struct rows rows;
    *self = (struct sealing){0};
    TRY(db_int(scope, &audit_seal_lock_sql,
               PARAMS(P((const char *)uuid_format(scope->arena, scope->workspace))), &mine));
    if (!mine)
        return OK;
    TRY(db_maybe(scope, &audit_last_sql, PARAMS(P(scope->workspace)), &link_shape, &last, &any));
    TRY(db_all(scope, &audit_unsealed_sql, PARAMS(P(scope->workspace), P((int)AUDIT_SEAL_MAX)),
               &unsealed_shape, &rows));
    const struct unsealed *unsealed = rows.at;
    int64_t *ids = arena_array(scope->arena, rows.count, sizeof(*ids));
    for (size_t i = 0; i < rows.count; i++) {
        ids[i] = unsealed[i].dirty_id;
        TRY(seal_row(scope, &unsealed[i].row, &last));
    }
    self->sealed = (int64_t)rows.count;
    self->more = rows.count == AUDIT_SEAL_MAX;
    return db_exec(scope, &dirty_delete_sql, PARAMS(P(((struct int_list){ids, rows.count}))), NULL);
}

enum err audit_seal(const struct scope *scope, int64_t *sealed, bool *more)
{
    struct sealing self;
    TRY(db_transaction(scope, seal_batch, &self));
    *sealed = self.sealed;
    *more = self.more;
    return OK;
}

/* ---- verifying ---- */

struct sealed_row {
    struct link link;
    struct audit_row row; /* id nil: the row is gone */
};
static const struct column sealed_columns[] = {
    COLUMN_AS("seq", struct sealed_row, link.seq),
    COLUMN_AS("row_hash", struct sealed_row, link.row_hash),
    COLUMN_AS("chain_hash", struct sealed_row, link.chain_hash), HASHED_COLUMNS(struct sealed_row)};
static const struct shape sealed_shape = SHAPE(struct sealed_row, sealed_columns);
STATEMENT_ROWS(audit_sealed_sql, AUDIT_VERIFY_MAX,
               "SELECT s.seq, s.row_hash, s.chain_hash, a.* FROM region.audit_seal AS s"
               " LEFT JOIN region.audit AS a"
               "  ON a.workspace_id = s.workspace_id AND a.id = s.audit_id"
               " WHERE s.workspace_id = $1 AND s.seq >= $2 ORDER BY s.seq LIMIT $3");
/* A row without a seal is on the list of what is to be sealed, or somebody slipped it in: both are
 * counted here. */
STATEMENT(audit_unsealed_count_sql,
          "SELECT count(*) FROM region.audit AS a WHERE a.workspace_id = $1 AND NOT EXISTS"
          " (SELECT FROM region.audit_seal AS s"
          "  WHERE s.workspace_id = a.workspace_id AND s.audit_id = a.id)");

static bool same(struct bytes a, const uint8_t b[SHA256_BYTES])
{
    return a.n == SHA256_BYTES && memcmp(a.at, b, SHA256_BYTES) == 0;
}

/* Whether the row is the sealed one and the chain goes on from `previous`. */
static enum err link_holds(const struct scope *scope, const struct sealed_row *sealed,
                           const struct link *previous, bool *holds)
{
    uint8_t of_row[SHA256_BYTES];
    uint8_t of_chain[SHA256_BYTES];
    TRY(row_hash(scope->arena, scope->workspace, &sealed->row, of_row));
    chain_hash(scope->arena, sealed->link.seq, previous->chain_hash, of_row, of_chain);
    *holds = sealed->link.seq == previous->seq + 1 && !uuid_is_nil(sealed->row.id) &&
             same(sealed->link.row_hash, of_row) && same(sealed->link.chain_hash, of_chain);
    return OK;
}

static enum err walk(const struct scope *scope, struct link previous,
                     struct audit_verification *into)
{
    struct rows rows;
    TRY(db_all(scope, &audit_sealed_sql,
               PARAMS(P(scope->workspace), P(into->from_seq), P((int)AUDIT_VERIFY_MAX)),
               &sealed_shape, &rows));
    const struct sealed_row *sealed = rows.at;
    for (size_t i = 0; i < rows.count; i++) {
        bool holds;
        TRY(link_holds(scope, &sealed[i], &previous, &holds));
        into->checked++;
        if (!holds) {
            into->broken_seq = previous.seq + 1;
            return OK;
        }
        previous = sealed[i].link;
    }
    into->intact = true;
    into->complete = previous.seq >= into->sealed_seq;
    into->next_seq = into->complete ? 0 : previous.seq + 1;
    return OK;
}

static enum err verify(const struct scope *scope, void *arg)
{
    struct audit_verification *into = arg;
    struct link last = {0}, previous = {0};
    bool any, found;
    TRY(db_maybe(scope, &audit_last_sql, PARAMS(P(scope->workspace)), &link_shape, &last, &any));
    into->sealed_seq = last.seq;
    into->sealed_hash = last.chain_hash;
    TRY(db_int(scope, &audit_unsealed_count_sql, PARAMS(P(scope->workspace)), &into->unsealed));
    if (into->from_seq > 1) {
        TRY(db_maybe(scope, &audit_seal_at_sql, PARAMS(P(scope->workspace), P(into->from_seq - 1)),
                     &link_shape, &previous, &found));
        previous.seq = into->from_seq - 1; /* a missing one breaks at from_seq */
    }
    return walk(scope, previous, into);
}

enum err audit_verify(const struct scope *scope, int64_t from_seq, struct audit_verification *into)
{
    *into = (struct audit_verification){.from_seq = from_seq};
    assert(from_seq > 0);
    return db_snapshot(scope, verify, into);
}
