/* One request to Qonto's REST API: rate lease, token, staging header, deadline, one refresh and one
 * repetition after a 401, and the meaning of the answer. */
#ifndef SLUICE_QONTO_CALL_H
#define SLUICE_QONTO_CALL_H

#include "connectors/provider.h"
#include "connectors/qonto/answer.h"
#include "connectors/qonto/qonto.h"

/* The header that opens the sandbox, spelled as Qonto's documents demand. */
extern const char qonto_staging_header[];

struct qonto_request {
    const char *method;
    const char *path; /* "/v2/supplier_invoices/bulk", with its query */
    const struct http_part *parts;
    size_t part_count;
    size_t bytes_max; /* of the answer */
};

/* A path and its query, percent-encoded. */
struct qonto_path {
    struct buf text;
    bool queried;
};
struct qonto_path qonto_path_new(struct arena *arena, const char *path);
void qonto_path_add(struct qonto_path *path, const char *name, const char *value);
/* Appends one path segment, encoded. */
void qonto_path_segment(struct qonto_path *path, const char *segment);

/* The answer whatever its status, after a refresh if that was needed. ERR_UNCERTAIN only where the
 * request has an effect and its answer was lost. */
enum err qonto_send(struct provider_call *call, const struct qonto_request *request,
                    struct http_answer *answer) MUST_USE;
/* A GET and its object. */
enum err qonto_get(struct provider_call *call, const char *path, size_t bytes_max,
                   json_t **into) MUST_USE;

#endif
