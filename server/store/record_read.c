#include "store/record_read.h"

static const struct column record_view_columns[] = {
    COLUMN(struct record_view, id),
    COLUMN(struct record_view, provider),
    COLUMN(struct record_view, account),
    COLUMN(struct record_view, livemode),
    COLUMN(struct record_view, stream),
    COLUMN(struct record_view, kind),
    COLUMN(struct record_view, source_id),
    COLUMN(struct record_view, version),
    COLUMN_MONEY("amount_minor", "currency", struct record_view, amount),
    COLUMN(struct record_view, date),
    COLUMN(struct record_view, counterparty),
    COLUMN(struct record_view, counterparty_is),
    COLUMN(struct record_view, counterparty_name),
    COLUMN(struct record_view, reference),
    COLUMN(struct record_view, description),
    COLUMN(struct record_view, created_at),
    COLUMN(struct record_view, updated_at),
};
static const struct shape record_view_shape = SHAPE(struct record_view, record_view_columns);

#define RECORD_VIEW_SQL                                                                            \
    "SELECT r.id, s.provider, s.account, s.livemode, s.name AS stream, r.kind, r.source_id,"       \
    " r.version, v.amount_minor, v.currency, v.date, r.counterparty_id AS counterparty,"           \
    " c.name AS counterparty_is, v.party_name AS counterparty_name, v.reference, v.description,"   \
    " r.first_seen_at AS created_at, r.updated_at"                                                 \
    " FROM region.record r"                                                                        \
    " JOIN region.stream s ON s.workspace_id = r.workspace_id AND s.id = r.stream_id"              \
    " JOIN region.record_version v ON v.workspace_id = r.workspace_id AND v.record_id = r.id"      \
    " AND v.version = r.version"                                                                   \
    " LEFT JOIN region.counterparty c ON c.workspace_id = r.workspace_id"                          \
    " AND c.id = r.counterparty_id"                                                                \
    " WHERE r.workspace_id = $1"
#define RECORD_FILTER_SQL                                                                          \
    " AND ($2::text IS NULL OR r.kind = $2) AND ($3::text IS NULL OR r.source_id = $3)" RANGE_SQL( \
        "v", "$4", "$5", "$6", "$7", "$8")
#define RECORD_FILTER_PARAMS(scope, filter)                                                        \
    P((scope)->workspace), P((filter)->kind), P((filter)->source_id), RANGE_PARAMS(&(filter)->range)

STATEMENT(records_list_sql, RECORD_VIEW_SQL RECORD_FILTER_SQL
          " AND ($9::uuid IS NULL OR r.id < $9) ORDER BY r.id DESC LIMIT $10");

enum err records_list(const struct scope *scope, const struct record_filter *filter,
                      const struct list_page *page, struct rows *into)
{
    return db_all(scope, &records_list_sql,
                  PARAMS(RECORD_FILTER_PARAMS(scope, filter), P(page->after), P(page->rows)),
                  &record_view_shape, into);
}

STATEMENT(records_search_sql,
          RECORD_VIEW_SQL RECORD_FILTER_SQL " ORDER BY r.search_text <->> $9 LIMIT $10");

enum err records_search(const struct scope *scope, const struct record_filter *filter, int64_t rows,
                        struct rows *into)
{
    return db_all(scope, &records_search_sql,
                  PARAMS(RECORD_FILTER_PARAMS(scope, filter), P(filter->text), P(rows)),
                  &record_view_shape, into);
}

STATEMENT(record_view_get_sql, RECORD_VIEW_SQL " AND r.id = $2");

enum err record_get(const struct scope *scope, struct uuid id, struct record_view *into)
{
    return db_one(scope, &record_view_get_sql, PARAMS(P(scope->workspace), P(id)),
                  &record_view_shape, into);
}

/* ---- parts ---- */

static const struct column version_view_columns[] = {
    COLUMN(struct version_view, version),
    COLUMN(struct version_view, material_hash),
    COLUMN(struct version_view, source_event_id),
    COLUMN_MONEY("amount_minor", "currency", struct version_view, amount),
    COLUMN_MONEY("fee_minor", "fee_currency", struct version_view, fee),
    COLUMN_MONEY("net_minor", "net_currency", struct version_view, net),
    COLUMN(struct version_view, date),
    COLUMN(struct version_view, due_date),
    COLUMN(struct version_view, occurred_at),
    COLUMN(struct version_view, source_updated_at),
    COLUMN(struct version_view, source_txn_id),
    COLUMN(struct version_view, parent_source_id),
    COLUMN(struct version_view, description),
    COLUMN(struct version_view, reference),
    COLUMN(struct version_view, posting),
    COLUMN(struct version_view, posting_reason),
    COLUMN(struct version_view, quarantine),
    COLUMN(struct version_view, party),
    COLUMN(struct version_view, extra),
    COLUMN(struct version_view, created_at),
};
static const struct shape version_view_shape = SHAPE(struct version_view, version_view_columns);

/* What became of a record at its source is known of the current version only. */
STATEMENT(record_versions_sql,
          "SELECT v.version, v.material_hash, v.source_event_id, v.amount_minor, v.currency,"
          " v.fee_minor, v.fee_currency, v.net_minor, v.net_currency, v.date, v.due_date,"
          " v.occurred_at, v.source_updated_at, v.source_txn_id, r.parent_source_id,"
          " v.description, v.reference,"
          " CASE WHEN v.version = r.version THEN r.posting END AS posting,"
          " CASE WHEN v.version = r.version THEN r.posting_reason END AS posting_reason,"
          " CASE WHEN v.version = r.version THEN r.quarantine END AS quarantine,"
          " v.party, v.extra, v.created_at"
          " FROM region.record_version v"
          " JOIN region.record r ON r.workspace_id = v.workspace_id AND r.id = v.record_id"
          " WHERE v.workspace_id = $1 AND v.record_id = $2 ORDER BY v.version DESC LIMIT $3");

enum err record_versions(const struct scope *scope, struct uuid id, struct rows *into)
{
    return db_all(scope, &record_versions_sql,
                  PARAMS(P(scope->workspace), P(id), P(RECORD_PARTS_MAX)), &version_view_shape,
                  into);
}

static const struct column document_view_columns[] = {
    COLUMN(struct document_view, version),      COLUMN(struct document_view, ordinal),
    COLUMN(struct document_view, origin),       COLUMN(struct document_view, sha256),
    COLUMN(struct document_view, content_type), COLUMN(struct document_view, bytes),
    COLUMN(struct document_view, file_name),
};
static const struct shape document_view_shape = SHAPE(struct document_view, document_view_columns);

/* Documents of a version are counted from 1, whatever numbers they were stored under. */
#define DOCUMENT_VIEW_SQL                                                                          \
    "SELECT rd.version, row_number() OVER (PARTITION BY rd.version ORDER BY rd.ordinal)::int"      \
    " AS ordinal, rd.origin, rd.sha256, rd.content_type, d.bytes, rd.file_name"                    \
    " FROM region.record_document rd"                                                              \
    " JOIN region.document d ON d.workspace_id = rd.workspace_id AND d.sha256 = rd.sha256"         \
    " WHERE rd.workspace_id = $1 AND rd.record_id = $2"

STATEMENT(record_documents_sql, DOCUMENT_VIEW_SQL " ORDER BY rd.version DESC, ordinal LIMIT $3");

enum err record_documents(const struct scope *scope, struct uuid id, struct rows *into)
{
    return db_all(scope, &record_documents_sql,
                  PARAMS(P(scope->workspace), P(id), P(RECORD_PARTS_MAX)), &document_view_shape,
                  into);
}

static const struct column change_view_columns[] = {
    COLUMN(struct change_view, id),      COLUMN(struct change_view, at),
    COLUMN(struct change_view, version), COLUMN(struct change_view, material),
    COLUMN(struct change_view, changes),
};
static const struct shape change_view_shape = SHAPE(struct change_view, change_view_columns);

/* A value that is an object or a list (the whole party) is shown as its text. */
#define CHANGES_SQL                                                                                \
    "(SELECT coalesce(jsonb_agg(jsonb_build_object('field', c.one -> 'field', 'before',"           \
    " CASE WHEN jsonb_typeof(c.one -> 'from') IN ('object', 'array')"                              \
    " THEN to_jsonb((c.one -> 'from')::text) ELSE c.one -> 'from' END, 'after',"                   \
    " CASE WHEN jsonb_typeof(c.one -> 'to') IN ('object', 'array')"                                \
    " THEN to_jsonb((c.one -> 'to')::text) ELSE c.one -> 'to' END) ORDER BY c.n), '[]')"           \
    " FROM jsonb_array_elements(h.changes) WITH ORDINALITY AS c(one, n)) AS changes"

STATEMENT(record_changes_sql,
          "SELECT h.id, h.at, h.version, h.material, " CHANGES_SQL
          " FROM region.record_history h WHERE h.workspace_id = $1 AND h.record_id = $2"
          " ORDER BY h.id DESC LIMIT $3");

enum err record_changes(const struct scope *scope, struct uuid id, struct rows *into)
{
    return db_all(scope, &record_changes_sql,
                  PARAMS(P(scope->workspace), P(id), P(RECORD_PARTS_MAX)), &change_view_shape,
                  into);
}

STATEMENT(record_version_changes_sql,
          "SELECT h.id, h.at, h.version, h.material, " CHANGES_SQL
          " FROM region.record_history h WHERE h.workspace_id = $1 AND h.record_id = $2"
          " AND h.version = $3 AND h.version > 1 AND h.material ORDER BY h.id LIMIT 1");

enum err record_version_changes(const struct scope *scope, struct uuid id, int version,
                                const char **into)
{
    struct change_view change;
    bool found;
    TRY(db_maybe(scope, &record_version_changes_sql, PARAMS(P(scope->workspace), P(id), P(version)),
                 &change_view_shape, &change, &found));
    *into = found ? change.changes : "[]";
    return OK;
}

/* ---- bytes ---- */

struct chunk {
    struct bytes data;
};
static const struct column chunk_columns[] = {COLUMN(struct chunk, data)};
static const struct shape chunk_shape = SHAPE(struct chunk, chunk_columns);

STATEMENT(record_document_find_sql, DOCUMENT_VIEW_SQL
          " AND rd.version = coalesce(nullif($3::int, 0), (SELECT version FROM region.record"
          " WHERE workspace_id = $1 AND id = $2)) ORDER BY ordinal LIMIT 1 OFFSET $4 - 1");

STATEMENT_ROWS(record_document_chunks_sql, DOCUMENT_CHUNKS_MAX,
               "SELECT data FROM region.document_chunk WHERE workspace_id = $1 AND sha256 = $2"
               " ORDER BY n");

struct document_run {
    const struct document_key *key;
    struct document_view *view;
    struct bytes *bytes;
};

static enum err join_chunks(const struct scope *scope, const struct rows *chunks,
                            struct document_run *run)
{
    const struct chunk *at = chunks->at;
    size_t size = (size_t)run->view->bytes;
    uint8_t *whole = arena_alloc(scope->arena, size);
    size_t n = 0;
    for (size_t i = 0; i < chunks->count; i++) {
        if (at[i].data.n > size - n)
            return arena_fail(scope->arena, ERR_INTERNAL, NULL, "A document is longer than known.");
        memcpy(whole + n, at[i].data.at, at[i].data.n);
        n += at[i].data.n;
    }
    if (n != size)
        return arena_fail(scope->arena, ERR_INTERNAL, NULL, "A document lacks bytes.");
    *run->bytes = (struct bytes){whole, n};
    return OK;
}

static enum err document_read(const struct scope *scope, void *arg)
{
    struct document_run *run = arg;
    const struct document_key *key = run->key;
    TRY(db_one(scope, &record_document_find_sql,
               PARAMS(P(scope->workspace), P(key->record), P(key->version), P(key->ordinal)),
               &document_view_shape, run->view));
    if (run->view->bytes > DOCUMENT_SENT_BYTES_MAX)
        return arena_fail(scope->arena, ERR_LIMIT, NULL, "The document has more than %d bytes.",
                          DOCUMENT_SENT_BYTES_MAX);
    struct rows chunks;
    TRY(db_all(scope, &record_document_chunks_sql,
               PARAMS(P(scope->workspace), P(run->view->sha256)), &chunk_shape, &chunks));
    return join_chunks(scope, &chunks, run);
}

enum err record_document_get(const struct scope *scope, const struct document_key *key,
                             struct document_view *into, struct bytes *bytes)
{
    struct document_run run = {key, into, bytes};
    return db_snapshot(scope, document_read, &run);
}
