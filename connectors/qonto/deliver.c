#include "base/base.h"

#include "connectors/qonto/deliver.h"

#include "base/text.h"
#include "connectors/qonto/call.h"
#include "connectors/qonto/map.h"

static const char bulk_meta[] = "{\"integration_type\":\"sluice\",\"connector\":\"sluice\"}";

struct file_kind {
    const char *content_type;
    const char *extension;
    const char *extension_too;
    const char *magic;
    size_t magic_n;
};

static const struct file_kind file_kinds[] = {
    {"application/pdf", ".pdf", ".pdf", "%PDF-", 5},
    {"image/jpeg", ".jpg", ".jpeg", "\xff\xd8\xff", 3},
    {"image/png", ".png", ".png", "\x89PNG\r\n\x1a\n", 8},
};

static const struct file_kind *kind_of(struct bytes document)
{
    for (size_t i = 0; i < COUNT(file_kinds); i++) {
        const struct file_kind *kind = &file_kinds[i];
        if (document.n > kind->magic_n && memcmp(document.at, kind->magic, kind->magic_n) == 0)
            return kind;
    }
    return NULL;
}

static bool extension_fits(const char *name, const struct file_kind *kind)
{
    size_t n = strlen(name);
    size_t one = strlen(kind->extension), two = strlen(kind->extension_too);
    return (n > one && strcasecmp(name + n - one, kind->extension) == 0) ||
           (n > two && strcasecmp(name + n - two, kind->extension_too) == 0);
}

/* The name travels in a header of the multipart body and comes back in searches. */
static enum err check_file_name(struct arena *arena, const char *name, const struct file_kind *kind)
{
    if (text_blank(name) || strlen(name) > QONTO_FILE_NAME_BYTES_MAX)
        return arena_fail(arena, ERR_VALIDATION, "file_name",
                          "The file name is empty or longer than %d bytes.",
                          QONTO_FILE_NAME_BYTES_MAX);
    for (const char *at = name; *at; at++) {
        if (*at <= 0x20 || *at >= 0x7f || strchr("\"\\/<>:|?*;", *at))
            return arena_fail(arena, ERR_VALIDATION, "file_name",
                              "The file name holds a character that is not allowed in one.");
    }
    if (name[0] == '.' || !extension_fits(name, kind))
        return arena_fail(arena, ERR_VALIDATION, "file_name",
                          "The file name does not end in %s as its content does.", kind->extension);
    return OK;
}

enum err qonto_preflight(struct arena *arena, const struct delivery_order *order)
{
    if (!text_equal(order->operation, "create") && !text_equal(order->operation, "reverse"))
        return arena_fail(arena, ERR_VALIDATION, "operation",
                          "Qonto takes new documents only; it has no operation \"%s\".",
                          order->operation ? order->operation : "");
    if (uuid_is_nil(order->idempotency_key))
        return arena_fail(arena, ERR_VALIDATION, "idempotency_key",
                          "The delivery has no idempotency key.");
    if (order->document.n > QONTO_DOCUMENT_BYTES_MAX)
        return arena_fail(arena, ERR_VALIDATION, "document",
                          "The document has %zu bytes; Qonto takes %d.", order->document.n,
                          QONTO_DOCUMENT_BYTES_MAX);
    const struct file_kind *kind = kind_of(order->document);
    if (!kind)
        return arena_fail(arena, ERR_VALIDATION, "document",
                          "The document is no PDF, JPEG or PNG by its content.");
    if (!text_equal(order->content_type, kind->content_type))
        return arena_fail(arena, ERR_VALIDATION, "content_type",
                          "The document is %s by its content, not %s.", kind->content_type,
                          order->content_type ? order->content_type : "unnamed");
    return check_file_name(arena, order->file_name, kind);
}

static const char *invoice_id(struct arena *arena, const json_t *invoice)
{
    const char *id = json_text(invoice, "id");
    return text_blank(id) ? NULL : arena_text(arena, id);
}

/* The first page of a search is page 1; the next ones follow while the answer says so. */
static enum err search_page(struct provider_call *call, const char *file_name, int page,
                            json_t **into)
{
    struct qonto_path path = qonto_path_new(call->arena, "/v2/supplier_invoices");
    qonto_path_add(&path, "query", file_name);
    qonto_path_add(&path, "query_fields", "file_name");
    qonto_path_add(&path, "sort_by", "created_at:asc");
    qonto_path_add(&path, "page", arena_format(call->arena, "%d", page));
    qonto_path_add(&path, "per_page", arena_format(call->arena, "%d", QONTO_PAGE_ROWS_MAX));
    return qonto_get(call, path.text.data, QONTO_LIST_BYTES_MAX, into);
}

/* The id of the oldest invoice whose file has exactly that name; `id` stays as it is otherwise:
 * ERR_ABSENT when there is none, ERR_LIMIT when too many resemble it to tell. */
static enum err search(struct provider_call *call, const char *file_name, const char **id)
{
    for (int page = 1; page <= QONTO_SEARCH_PAGES_MAX; page++) {
        json_t *body;
        TRY(search_page(call, file_name, page, &body));
        const json_t *hits = json_list(body, "supplier_invoices");
        if (!hits)
            return arena_fail(call->arena, ERR_PROTOCOL, "supplier_invoices",
                              "Qonto's answer to a search has no list.");
        for (size_t i = 0; i < json_array_size(hits); i++) {
            const json_t *hit = json_array_get(hits, i);
            const char *found = invoice_id(call->arena, hit);
            if (found && text_equal(json_text(hit, "file_name"), file_name)) {
                *id = found;
                return OK;
            }
        }
        if (json_array_size(hits) == 0 || json_int(body, "meta.total_pages", 1) <= page)
            return arena_fail(call->arena, ERR_ABSENT, NULL,
                              "Qonto has no document of that file name.");
    }
    return arena_fail(call->arena, ERR_LIMIT, NULL,
                      "Qonto has more than %d documents whose file name resembles this one.",
                      QONTO_SEARCH_PAGES_MAX * QONTO_PAGE_ROWS_MAX);
}

static enum err read_back(struct provider_call *call, const char *id, const char *file_name,
                          bool *found)
{
    json_t *body;
    struct qonto_path path = qonto_path_new(call->arena, "/v2/supplier_invoices");
    qonto_path_segment(&path, id);
    TRY(qonto_get(call, path.text.data, QONTO_ANSWER_BYTES_MAX, &body));
    *found = text_equal(json_text(body, "supplier_invoice.id"), id) &&
             text_equal(json_text(body, "supplier_invoice.file_name"), file_name);
    return OK;
}

/* Qonto said that it made `id`: done when a read, or else a search, shows the document. The read
 * was leased before the upload (qonto_deliver). */
static enum err verify(struct provider_call *call, const struct delivery_order *order,
                       struct delivery_result *into)
{
    bool found = false;
    struct provider_call leased = *call;
    leased.lease_request = NULL;
    enum err err = read_back(&leased, into->external_id, order->file_name, &found);
    if ((err == OK && !found) || err == ERR_ABSENT)
        err = search(call, order->file_name, &into->external_id);
    if (err == OK) {
        into->verified = true;
        return OK;
    }
    arena_failure_clear(call->arena);
    return arena_fail(call->arena, ERR_UNCERTAIN, NULL,
                      "Qonto accepted the document, but it could not be read back (%s).",
                      err_slug(err));
}

/* The request failed in a way that leaves open whether it was executed: adopt the document if it is
 * there, else answer with the failure that came first. */
static enum err adopt(struct provider_call *call, const struct delivery_order *order,
                      enum err failed, struct delivery_result *into)
{
    struct failure first = *arena_failure(call->arena);
    arena_failure_clear(call->arena);
    enum err err = search(call, order->file_name, &into->external_id);
    if (err == OK) {
        into->verified = true;
        return OK;
    }
    arena_failure_clear(call->arena);
    if (err != ERR_ABSENT)
        return arena_fail(call->arena, ERR_UNCERTAIN, NULL,
                          "%s Whether it was stored all the same could not be read (%s).",
                          first.detail ? first.detail : "Qonto failed.", err_slug(err));
    if (failed == ERR_TRANSIENT)
        return arena_fail_retry(call->arena, failed, first.retry_after_s, "%s",
                                first.detail ? first.detail : "Qonto failed.");
    return arena_fail(call->arena, failed, first.field, "%s",
                      first.detail ? first.detail : "Qonto failed.");
}

static enum err fail_bulk(struct arena *arena, const struct qonto_bulk *bulk)
{
    const char *detail = *bulk->error.detail ? bulk->error.detail : "no reason given";
    if (bulk->retryable)
        return arena_fail(arena, ERR_TRANSIENT, NULL,
                          "Qonto could not process the document now: %s", detail);
    return arena_fail(arena, ERR_VALIDATION, qonto_error_field(arena, &bulk->error),
                      "Qonto refused the document: %s", detail);
}

/* What a 2xx answer says about our one invoice. */
static enum err settle(struct provider_call *call, const struct delivery_order *order,
                       const json_t *body, struct delivery_result *into)
{
    struct qonto_bulk bulk;
    const char *key = uuid_format(call->arena, order->idempotency_key);
    qonto_bulk_map(call->arena, body, key, order->file_name, &bulk);
    if (bulk.invoice) {
        into->external_id = invoice_id(call->arena, bulk.invoice);
        return verify(call, order, into);
    }
    if (!bulk.failed)
        return adopt(call, order,
                     arena_fail(call->arena, ERR_PROTOCOL, "supplier_invoices",
                                "Qonto answered neither an invoice nor an error."),
                     into);
    enum err err = fail_bulk(call->arena, &bulk);
    return bulk.retryable ? adopt(call, order, err, into) : err;
}

static enum err post(struct provider_call *call, const struct delivery_order *order,
                     struct http_answer *answer)
{
    const char *key = uuid_format(call->arena, order->idempotency_key);
    /* A file and its key pair by position, so that the order of the parts matters. */
    const struct http_part parts[] = {
        {.name = "supplier_invoices[][file]",
         .file_name = order->file_name,
         .content_type = order->content_type,
         .data = order->document},
        {.name = "supplier_invoices[][idempotency_key]",
         .data = {(const uint8_t *)key, strlen(key)}},
        {.name = "source", .data = {(const uint8_t *)"integration", strlen("integration")}},
        {.name = "meta", .data = {(const uint8_t *)bulk_meta, strlen(bulk_meta)}},
    };
    struct qonto_request request = {.method = "POST",
                                    .path = "/v2/supplier_invoices/bulk",
                                    .parts = parts,
                                    .part_count = COUNT(parts),
                                    .bytes_max = QONTO_ANSWER_BYTES_MAX};
    return qonto_send(call, &request, answer);
}

/* Refusals, and the sign-in page that stands before the API, stored nothing and need no search. */
static bool nothing_stored(struct arena *arena, int status)
{
    return (status >= 300 && status < 500 && status != 408) ||
           text_equal(arena_failure(arena)->field, "staging_token");
}

enum err qonto_deliver(struct provider_call *call, const struct delivery_order *order,
                       struct delivery_result *into)
{
    *into = (struct delivery_result){0};
    TRY(qonto_preflight(call->arena, order));
    /* For the read-back: nothing is posted that the rate would not let us see. */
    if (call->lease_request)
        TRY(call->lease_request(call->context));
    struct http_answer answer = {0};
    enum err err = post(call, order, &answer);
    if (err == ERR_PROTOCOL)
        return adopt(call, order, err, into);
    TRY(err);
    into->status = answer.status;
    into->excerpt = qonto_excerpt(call->arena, &answer);
    json_t *body;
    err = qonto_answer_read(call->arena, &answer, &body);
    if (err == OK)
        return settle(call, order, body, into);
    return nothing_stored(call->arena, answer.status) ? err : adopt(call, order, err, into);
}

enum err qonto_look(struct provider_call *call, const struct delivery_order *order,
                    enum look_answer *answer, struct delivery_result *into)
{
    *into = (struct delivery_result){0};
    *answer = LOOK_CANNOT_TELL;
    enum err err = search(call, order->file_name, &into->external_id);
    if (err == OK) {
        *answer = LOOK_ARRIVED;
        into->verified = true;
        return OK;
    }
    if (err == ERR_LIMIT) {
        arena_failure_clear(call->arena);
        return OK;
    }
    if (err != ERR_ABSENT)
        return err;
    arena_failure_clear(call->arena);
    *answer = LOOK_ABSENT;
    return OK;
}
