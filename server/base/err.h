/* The one registry of failures: code, HTTP status, slug, sentence. A function that can fail returns
 * enum err; what the caller may want to know beside the code (field, detail, when to retry) is left
 * in the failure slot of its arena (arena_fail). Providers and our own API share the vocabulary. */
#ifndef SLUICE_ERR_H
#define SLUICE_ERR_H

#define ERR_TABLE(X)                                                                               \
    X(OK, 200, "ok", "Done.")                                                                      \
    /* what a caller of our API did wrong */                                                       \
    X(ERR_JSON_MALFORMED, 400, "json_malformed", "The body is not valid JSON.")                    \
    X(ERR_REQUEST_MALFORMED, 400, "request_malformed", "The request is malformed.")                \
    X(ERR_PARAMETER_INVALID, 400, "parameter_invalid", "A parameter of the URL is not valid.")     \
    X(ERR_CURSOR_INVALID, 400, "cursor_invalid", "The cursor is not one that this list gave out.") \
    X(ERR_IDEMPOTENCY_KEY_MISSING, 400, "idempotency_key_missing",                                 \
      "This call needs an Idempotency-Key header.")                                                \
    X(ERR_UNAUTHENTICATED, 401, "unauthenticated", "The call carries no valid credential.")        \
    X(ERR_LOGIN_REFUSED, 401, "login_refused", "The e-mail address or the password is wrong.")     \
    X(ERR_FORBIDDEN, 403, "forbidden", "Your role does not allow this.")                           \
    X(ERR_NOT_FOUND, 404, "not_found", "There is no such object in this workspace.")               \
    X(ERR_METHOD_NOT_ALLOWED, 405, "method_not_allowed", "This path does not take that method.")   \
    X(ERR_CONFLICT, 409, "conflict", "The object is in a state that does not allow this.")         \
    X(ERR_DUPLICATE, 409, "duplicate", "Such an object exists already.")                           \
    X(ERR_TOO_MANY, 409, "limit_reached", "There are as many of these as there may be.")           \
    X(ERR_IDEMPOTENCY_RUNNING, 409, "idempotency_running",                                         \
      "A call with this Idempotency-Key is still running.")                                        \
    X(ERR_IDEMPOTENCY_SECRET, 409, "idempotency_secret",                                           \
      "The answer to this call carried a secret that is shown once.")                              \
    X(ERR_LENGTH_REQUIRED, 411, "length_required",                                                 \
      "Send the body with a Content-Length, not with a Transfer-Encoding.")                        \
    X(ERR_STALE, 412, "stale", "The object changed since you read it; read it again.")             \
    X(ERR_BODY_TOO_LARGE, 413, "body_too_large", "The body is larger than this call takes.")       \
    X(ERR_MEDIA_TYPE, 415, "media_type_unsupported", "Send the body as application/json.")         \
    X(ERR_FIELD_UNKNOWN, 422, "field_unknown",                                                     \
      "The body has a field that this call does not know.")                                        \
    X(ERR_FIELD_MISSING, 422, "field_missing", "The body lacks a field that this call needs.")     \
    X(ERR_FIELD_DUPLICATE, 422, "field_duplicate", "The body has a field twice.")                  \
    X(ERR_FIELD_INVALID, 422, "field_invalid", "A field of the body is not valid.")                \
    X(ERR_IDEMPOTENCY_KEY_REUSED, 422, "idempotency_key_reused",                                   \
      "This Idempotency-Key was used with another body.")                                          \
    X(ERR_PRECONDITION_REQUIRED, 428, "precondition_required",                                     \
      "Send If-Match with the ETag that you read.")                                                \
    X(ERR_RATE_LIMITED, 429, "rate_limited", "Too many calls; wait before the next one.")          \
    X(ERR_HEADERS_TOO_LARGE, 431, "headers_too_large", "The headers are larger than we take.")     \
    /* what a provider or the network answered */                                                  \
    X(ERR_TRANSIENT, 503, "provider_unavailable",                                                  \
      "The provider cannot answer now; it is retried.")                                            \
    X(ERR_AUTH, 502, "provider_authentication", "The provider no longer accepts the credentials.") \
    X(ERR_SCOPE, 502, "provider_scope", "The authorisation does not allow this at the provider.")  \
    X(ERR_VALIDATION, 422, "provider_validation", "The provider refused the document or a field.") \
    X(ERR_ABSENT, 502, "provider_absent", "The provider does not know this object.")               \
    X(ERR_UNCERTAIN, 502, "provider_uncertain",                                                    \
      "The answer was lost; whether it was done is looked up before anything is sent again.")      \
    X(ERR_PROTOCOL, 502, "provider_protocol",                                                      \
      "The provider answered something that is no answer.")                                        \
    X(ERR_EGRESS_REFUSED, 502, "egress_refused", "The address is not one that we may call.")       \
    X(ERR_APPROVAL, 502, "provider_approval", "The provider wants a person to approve this.")      \
    /* ourselves */                                                                                \
    X(ERR_LEASE_LOST, 503, "lease_lost", "Another worker has taken over this job.")                \
    X(ERR_BUSY, 503, "busy", "The server is busy; try again in a moment.")                         \
    X(ERR_SHUTTING_DOWN, 503, "shutting_down", "The server is stopping.")                          \
    X(ERR_DEADLINE, 504, "deadline", "The request took longer than it may.")                       \
    X(ERR_DB_DOWN, 503, "database_unavailable", "The database cannot be reached.")                 \
    X(ERR_DB_UNKNOWN, 503, "database_unknown",                                                     \
      "The connection to the database was lost while it committed; look before you repeat.")       \
    X(ERR_DB_RETRY, 503, "database_contention", "The database asked to try again.")                \
    X(ERR_DB, 500, "database_error", "The database refused a statement.")                          \
    X(ERR_CONFIG, 500, "configuration", "The configuration is not usable.")                        \
    X(ERR_CRYPTO, 500, "crypto", "A sealed value could not be opened or made.")                    \
    X(ERR_LIMIT, 500, "limit", "A limit of the server was reached.")                               \
    X(ERR_IO, 500, "io", "A file could not be read or written.")                                   \
    X(ERR_INTERNAL, 500, "internal", "Something went wrong on our side.")

#define ERR_ENUM(code, status, slug, sentence) code,
enum err { ERR_TABLE(ERR_ENUM) ERR_COUNT };
#undef ERR_ENUM

int err_status(enum err err);           /* HTTP status */
const char *err_slug(enum err err);     /* stable code of the API, e.g. "not_found" */
const char *err_sentence(enum err err); /* English, ends with a full stop */

#endif
