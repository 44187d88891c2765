/* Source objects as people look at them: the current version, the versions before it, documents and
 * history. */
#ifndef SLUICE_STORE_RECORD_READ_H
#define SLUICE_STORE_RECORD_READ_H

#include "store/listing.h"

enum { RECORD_PARTS_MAX = 100 /* versions, documents, changes that are shown of one record */ };

struct record_view {
    struct uuid id;
    const char *provider;
    const char *account;
    bool livemode;
    const char *stream;
    const char *kind;
    const char *source_id;
    int version;
    struct money amount;
    struct date date;
    struct uuid counterparty; /* nil: not resolved */
    const char *counterparty_is;
    const char *counterparty_name; /* as the source wrote it */
    const char *reference;
    const char *description;
    struct instant created_at;
    struct instant updated_at;
};

struct version_view {
    int version;
    const char *material_hash;
    const char *source_event_id;
    struct money amount;
    struct money fee;
    struct money net;
    struct date date;
    struct date due_date;
    struct instant occurred_at;
    struct instant source_updated_at;
    const char *source_txn_id;
    const char *parent_source_id;
    const char *description;
    const char *reference;
    const char *posting; /* this and the next two: of the current version only */
    const char *posting_reason;
    const char *quarantine;
    const char *party; /* JSON; may be NULL */
    const char *extra; /* JSON of what not every kind has; may be NULL */
    struct instant created_at;
};

struct document_view {
    int version;
    int ordinal; /* from 1 */
    const char *origin;
    struct bytes sha256;
    const char *content_type;
    int64_t bytes;
    const char *file_name;
};

struct change_view {
    struct uuid id;
    struct instant at;
    int version;
    bool material;
    const char *changes; /* JSON: [{"field","before","after"}] */
};

struct record_filter {
    const char *kind;
    const char *source_id;
    struct list_range range;
    const char *text; /* NULL: no search */
};

/* Newest first; rows of struct record_view. */
enum err records_list(const struct scope *scope, const struct record_filter *filter,
                      const struct list_page *page, struct rows *into) MUST_USE;
/* Nearest to the text first: one page. */
enum err records_search(const struct scope *scope, const struct record_filter *filter, int64_t rows,
                        struct rows *into) MUST_USE;
enum err record_get(const struct scope *scope, struct uuid id, struct record_view *into) MUST_USE;

/* Newest first, at most RECORD_PARTS_MAX each: rows of struct version_view, document_view and
 * change_view. */
enum err record_versions(const struct scope *scope, struct uuid id, struct rows *into) MUST_USE;
enum err record_documents(const struct scope *scope, struct uuid id, struct rows *into) MUST_USE;
enum err record_changes(const struct scope *scope, struct uuid id, struct rows *into) MUST_USE;

/* The changes that made this version; "[]" for the first. */
enum err record_version_changes(const struct scope *scope, struct uuid id, int version,
                                const char **into) MUST_USE;

enum { DOCUMENT_CHUNKS_MAX = 256, DOCUMENT_SENT_BYTES_MAX = 64 * 1024 * 1024 };

/* Version 0 is the current one. ERR_NOT_FOUND: there is no such document. */
struct document_key {
    struct uuid record;
    int version;
    int ordinal;
};
enum err record_document_get(const struct scope *scope, const struct document_key *key,
                             struct document_view *into, struct bytes *bytes) MUST_USE;

#endif
