#include "store/document.h"

#include "base/text.h"
#include "crypto/crypto.h"
#include "store/queue.h"

STATEMENT(document_insert_sql,
          "INSERT INTO region.document (workspace_id, sha256, bytes, chunks, content_type,"
          " created_at) VALUES ($1, decode($2, 'hex'), $3, $4, $5, $6)"
          " ON CONFLICT (workspace_id, sha256) DO NOTHING");
STATEMENT(document_chunk_insert_sql,
          "INSERT INTO region.document_chunk (workspace_id, sha256, n, data)"
          " VALUES ($1, decode($2, 'hex'), $3, $4)"
          " ON CONFLICT (workspace_id, sha256, n) DO NOTHING");
STATEMENT(record_document_insert_sql,
          "INSERT INTO region.record_document (workspace_id, record_id, version, ordinal, sha256,"
          " origin, integration_id, file_name, content_type, renderer, created_at)"
          " SELECT $1, i.record_id, i.version, coalesce((SELECT max(d.ordinal) + 1"
          " FROM region.record_document d WHERE d.workspace_id = $1"
          " AND d.record_id = i.record_id AND d.version = i.version), 0), decode($3, 'hex'),"
          " 'rendered', $4, $5, $6, $7, $8 FROM region.item i"
          " WHERE i.workspace_id = $1 AND i.id = $2 AND NOT EXISTS (SELECT"
          " FROM region.record_document d WHERE d.workspace_id = $1"
          " AND d.record_id = i.record_id AND d.version = i.version"
          " AND d.sha256 = decode($3, 'hex'))");

static enum err store_chunks(const struct scope *scope, const struct stored_document *document,
                             int64_t chunks)
{
    for (int64_t n = 0; n < chunks; n++) {
        size_t from = (size_t)n * DOCUMENT_CHUNK_BYTES;
        size_t left = document->bytes.n - from;
        struct bytes chunk = {document->bytes.at + from,
                              left < DOCUMENT_CHUNK_BYTES ? left : DOCUMENT_CHUNK_BYTES};
        TRY(db_later(scope, &document_chunk_insert_sql,
                     PARAMS(P(scope->workspace), P(document->sha256), P(n), P(chunk))));
    }
    return OK;
}

enum err document_store(const struct scope *scope, struct uuid item, struct uuid integration,
                        const struct stored_document *document)
{
    int64_t chunks =
        (int64_t)((document->bytes.n + DOCUMENT_CHUNK_BYTES - 1) / DOCUMENT_CHUNK_BYTES);
    struct instant now = db_now(scope);
    TRY(db_later(scope, &document_insert_sql,
                 PARAMS(P(scope->workspace), P(document->sha256), P(document->bytes.n), P(chunks),
                        P(document->content_type), P(now))));
    TRY(store_chunks(scope, document, chunks));
    return db_later(scope, &record_document_insert_sql,
                    PARAMS(P(scope->workspace), P(item), P(document->sha256), P(integration),
                           P(document->file_name), P(document->content_type), P(document->recipe),
                           P(now)));
}

struct chunk {
    struct bytes data;
};
static const struct column chunk_columns[] = {COLUMN(struct chunk, data)};
static const struct shape chunk_shape = SHAPE(struct chunk, chunk_columns);

STATEMENT(document_load_sql, "SELECT data FROM region.document_chunk WHERE workspace_id = $1"
                             " AND sha256 = decode($2, 'hex') ORDER BY n");

enum err document_load(const struct scope *scope, const char *sha256, struct bytes *into)
{
    struct rows rows;
    TRY(db_all(scope, &document_load_sql, PARAMS(P(scope->workspace), P(sha256)), &chunk_shape,
               &rows));
    const struct chunk *chunks = rows.at;
    struct buf all = buf_new(scope->arena, DOCUMENT_STORED_BYTES_MAX);
    for (size_t i = 0; i < rows.count; i++)
        buf_add(&all, chunks[i].data.at, chunks[i].data.n);
    if (rows.count == 0)
        return arena_fail(scope->arena, ERR_NOT_FOUND, NULL, "There is no such document.");
    *into = buf_bytes(&all);
    if (all.overflowed || !text_equal(sha256_hex(scope->arena, *into), sha256))
        return arena_fail(scope->arena, ERR_INTERNAL, NULL,
                          "The stored document %s does not have its hash.", sha256);
    return OK;
}

enum err delivery_enqueue(const struct scope *scope, struct uuid delivery, struct uuid connection)
{
    return queue_enqueue(scope, &(struct job_order){
                                    .kind = JOB_DELIVER,
                                    .connection = connection,
                                    .subject = delivery,
                                    .dedupe = arena_format(scope->arena, "deliver:%s",
                                                           uuid_format(scope->arena, delivery)),
                                });
}
