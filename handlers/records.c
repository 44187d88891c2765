/* Source objects, their versions and documents. */
#include "base/text.h"
#include "handlers/handlers.h"
#include "handlers/listing.h"
#include "handlers/view.h"

enum { SOURCE_ID_CHARS_MAX = 255, VERSION_MAX = 1000000, ORDINAL_MAX = 100 };

struct record_query {
    struct page page;
    struct range_query range;
    int kind;
    const char *text;
    const char *source_id;
};
static const struct input_field list_fields[] = {
    PAGE_FIELDS(struct record_query, page),
    RANGE_FIELDS(struct record_query, range),
    FIELD_WORD("kind", struct record_query, kind, record_kind_words, OPTIONAL),
    FIELD_TEXT("text", struct record_query, text, 1, SEARCH_CHARS_MAX, OPTIONAL),
    FIELD_TEXT("source_id", struct record_query, source_id, 1, SOURCE_ID_CHARS_MAX, OPTIONAL),
};

static enum err find_records(struct request *req, const struct record_query *query,
                             struct rows *rows)
{
    struct record_filter filter = {
        .kind = word_or_null(record_kind_words, query->kind),
        .source_id = query->source_id,
        .text = query->text,
    };
    TRY(range_read(req, &query->range, &filter.range));
    struct list_page page = list_page_of(&query->page);
    return query->text ? records_search(req->scope, &filter, query->page.limit, rows)
                       : records_list(req->scope, &filter, &page, rows);
}

enum err api_record_list(struct request *req)
{
    struct record_query query = {.page = PAGE_DEFAULT, .range = RANGE_DEFAULT, .kind = WORD_ABSENT};
    struct rows rows;
    TRY(list_read(req, list_fields, COUNT(list_fields), &query, &query.page));
    TRY(find_records(req, &query, &rows));
    const struct record_view *records = rows.at;
    size_t shown = page_shown(&query.page, rows.count);
    struct json_out out = list_begin(req);
    for (size_t i = 0; i < shown; i++) {
        out_object(&out, NULL);
        out_record(&out, &records[i]);
        out_end(&out);
    }
    struct cursor next = {.id = shown ? records[shown - 1].id : (struct uuid){{0}}};
    return list_end(req, &out, shown < rows.count ? &next : NULL);
}

/* ---- one record ---- */

struct record_parts {
    struct record_view record;
    struct rows versions;
    struct rows documents;
    struct rows items;
    struct rows changes;
};

static enum err read_parts(struct request *req, struct uuid id, struct record_parts *into)
{
    TRY(record_get(req->scope, id, &into->record));
    TRY(record_versions(req->scope, id, &into->versions));
    TRY(record_documents(req->scope, id, &into->documents));
    TRY(items_of_record(req->scope, id, &into->items));
    return record_changes(req->scope, id, &into->changes);
}

/* What was read from the source beside amount and date. */
static void out_fields(struct json_out *out, const struct version_view *version)
{
    out_object(out, "fields");
    out_text(out, "description", version->description);
    out_text(out, "reference", version->reference);
    out_money(out, "fee", version->fee);
    out_money(out, "net", version->net);
    out_date(out, "due_date", version->due_date);
    out_instant(out, "occurred_at", version->occurred_at);
    out_instant(out, "source_updated_at", version->source_updated_at);
    out_text(out, "source_txn_id", version->source_txn_id);
    out_text(out, "parent_source_id", version->parent_source_id);
    out_text(out, "posting", version->posting);
    out_text(out, "posting_reason", version->posting_reason);
    out_text(out, "quarantine", version->quarantine);
    out_json(out, "party", version->party);
    out_json(out, "extra", version->extra);
    out_end(out);
}

static void out_versions(struct json_out *out, const struct rows *rows)
{
    const struct version_view *versions = rows->at;
    out_array(out, "versions");
    for (size_t i = 0; i < rows->count; i++) {
        out_object(out, NULL);
        out_int(out, "version", versions[i].version);
        out_text(out, "material_hash", versions[i].material_hash);
        out_text(out, "source_event_id", versions[i].source_event_id);
        out_money(out, "amount", versions[i].amount);
        out_date(out, "date", versions[i].date);
        out_fields(out, &versions[i]);
        out_instant(out, "created_at", versions[i].created_at);
        out_end(out);
    }
    out_end(out);
}

static void out_documents(struct json_out *out, const struct rows *rows)
{
    const struct document_view *documents = rows->at;
    out_array(out, "documents");
    for (size_t i = 0; i < rows->count; i++) {
        out_object(out, NULL);
        out_int(out, "version", documents[i].version);
        out_int(out, "ordinal", documents[i].ordinal);
        out_text(out, "origin", documents[i].origin);
        out_text(out, "sha256", hex_encode(out->buf.arena, documents[i].sha256));
        out_text(out, "content_type", documents[i].content_type);
        out_int(out, "bytes", documents[i].bytes);
        out_text(out, "file_name", documents[i].file_name);
        out_end(out);
    }
    out_end(out);
}

static void out_history(struct json_out *out, const struct rows *rows)
{
    const struct change_view *changes = rows->at;
    out_array(out, "history");
    for (size_t i = 0; i < rows->count; i++) {
        out_object(out, NULL);
        out_uuid(out, "id", changes[i].id);
        out_instant(out, "at", changes[i].at);
        out_int(out, "version", changes[i].version);
        out_bool(out, "material", changes[i].material);
        out_json(out, "changes", changes[i].changes);
        out_end(out);
    }
    out_end(out);
}

enum err api_record_get(struct request *req)
{
    struct record_parts parts;
    TRY(read_parts(req, request_uuid(req, "record_id"), &parts));
    struct json_out out = reply_begin(req);
    out_record(&out, &parts.record);
    out_versions(&out, &parts.versions);
    out_documents(&out, &parts.documents);
    out_array(&out, "items");
    const struct item_view *items = parts.items.at;
    for (size_t i = 0; i < parts.items.count; i++) {
        out_object(&out, NULL);
        out_item(&out, &items[i], req->now);
        out_end(&out);
    }
    out_end(&out);
    out_history(&out, &parts.changes);
    return reply_end(req, 200, &out);
}

/* ---- its document ---- */

struct document_query {
    int64_t version;
    int64_t ordinal;
};
static const struct input_field document_fields[] = {
    FIELD_INT("version", struct document_query, version, 1, VERSION_MAX, OPTIONAL),
    FIELD_INT("ordinal", struct document_query, ordinal, 1, ORDINAL_MAX, OPTIONAL),
};

/* A name for a header: letters, digits, dots and hyphens; the rest becomes an underscore. */
static const char *safe_name(struct request *req, const char *name)
{
    char *safe = arena_text(req->arena, name ? name : "document");
    for (char *at = safe; *at; at++) {
        bool plain = (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') ||
                     (*at >= '0' && *at <= '9') || *at == '.' || *at == '-' || *at == '_';
        if (!plain)
            *at = '_';
    }
    return safe;
}

/* What the contract names; anything else is only bytes, and no browser shows it. */
static const char *safe_type(const char *content_type)
{
    static const char *const shown[] = {"application/pdf", "image/png", "image/jpeg"};
    for (size_t i = 0; i < COUNT(shown); i++) {
        if (text_equal(shown[i], content_type))
            return shown[i];
    }
    return "application/octet-stream";
}

enum err api_record_document_get(struct request *req)
{
    struct document_query query = {.ordinal = 1};
    struct document_view document;
    struct bytes bytes;
    TRY(query_read(req, document_fields, COUNT(document_fields), &query));
    struct document_key key = {request_uuid(req, "record_id"), (int)query.version,
                               (int)query.ordinal};
    TRY(record_document_get(req->scope, &key, &document, &bytes));
    const char *sha256 = hex_encode(req->arena, document.sha256);
    reply_field(req, "ETag", arena_format(req->arena, "\"%s\"", sha256));
    reply_field(
        req, "Content-Disposition",
        arena_format(req->arena, "inline; filename=\"%s\"", safe_name(req, document.file_name)));
    return reply_bytes(req, safe_type(document.content_type), bytes);
}
