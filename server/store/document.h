/* Documents: bytes stored once per workspace, in chunks, by their hash. */
#ifndef SLUICE_STORE_DOCUMENT_H
#define SLUICE_STORE_DOCUMENT_H

#include "store/json_rows.h"
#include "store/scoring.h"

enum { DOCUMENT_CHUNK_BYTES = 256 * 1024, DOCUMENT_STORED_BYTES_MAX = 32 * 1024 * 1024 };

/* Stores the bytes once and notes them as the rendered document of the item's record version. */
enum err document_store(const struct scope *scope, struct uuid item, struct uuid integration,
                        const struct stored_document *document) MUST_USE;
/* ERR_NOT_FOUND, or ERR_INTERNAL when the bytes do not have the hash. `sha256` is hex. */
enum err document_load(const struct scope *scope, const char *sha256, struct bytes *into) MUST_USE;

/* An outbox row to be inserted. */
struct delivery_insert {
    const struct planned_delivery *planned;
    const struct stored_document *document;
    struct uuid item;
    struct uuid integration;
    struct uuid connection;
    struct uuid window; /* nil: an approval */
    int rank;
    int64_t retry_s_max;
};
void delivery_row(const struct scope *scope, json_t *rows, const struct delivery_insert *insert);
enum err deliveries_insert(const struct scope *scope, const json_t *rows) MUST_USE;
/* The job that sends it, in the lane of its target connection. */
enum err delivery_enqueue(const struct scope *scope, struct uuid delivery,
                          struct uuid connection) MUST_USE;

#endif
