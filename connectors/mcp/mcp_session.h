/* Internal to connectors/mcp: the session, one HTTP exchange, and what an era of the protocol
 * decides. */
#ifndef SLUICE_MCP_SESSION_H
#define SLUICE_MCP_SESSION_H

#include "connectors/mcp/mcp.h"
#include "connectors/mcp/mcp_cache.h"

#include "net/sse.h"

enum {
    MCP_HEADERS_MAX = 10 + MCP_PARAM_HEADERS_MAX,
    MCP_REVISION_BYTES_MAX = 16,
};

struct mcp_session;
struct mcp_exchange;

/* An era. The rest of the client does not know which one is spoken. */
struct mcp_dialect {
    const char *name;
    enum mcp_era era;
    /* Before the first request: agrees on a revision and opens a session where the era has one. */
    enum err (*open)(struct mcp_session *session, struct provider_call *call);
    /* The headers of the era for one request, appended to `into`. */
    size_t (*headers)(const struct mcp_session *session, const struct mcp_exchange *exchange,
                      struct http_header *into);
    /* The params as they are sent: an era may add what every request carries. */
    json_t *(*params)(const struct mcp_session *session, struct arena *arena, json_t *params);
    /* Whether the answer says that the session, or the era, is gone and is to be opened anew. */
    bool (*session_gone)(const struct mcp_session *session, const struct mcp_exchange *exchange);
    bool resumable;     /* a broken stream is resumed with Last-Event-ID */
    bool answers;       /* a server may ask in its streams, and is answered */
    bool typed_results; /* results say of what type they are */
};

extern const struct mcp_dialect mcp_legacy;
extern const struct mcp_dialect mcp_modern;

extern const char mcp_modern_revision[];
/* Whether the legacy dialect speaks that revision. */
bool mcp_legacy_revision_known(const char *revision);

/* What of a session outlives a job. */
struct mcp_saved {
    enum mcp_era era; /* MCP_ERA_ANY: not known yet */
    bool opened;
    bool left;                /* it is to be ended, not used */
    int64_t generation;       /* of the tokens that it was used with */
    bool confirmed;           /* modern: the server described itself */
    bool leaves_streams_open; /* seen once: its streams are cut after the answer */
    int64_t next_id;
    int64_t rules_until_us; /* monotonic; 0: the tools were never listed */
    const char *rules;      /* of header parameters, as mcp_rules_write; NULL: none */
    char id[MCP_SESSION_ID_BYTES_MAX + 1]; /* Mcp-Session-Id; empty: none */
    char revision[MCP_REVISION_BYTES_MAX + 1];
};

struct mcp_session {
    struct arena *arena; /* as long as the session */
    struct mcp_settings settings;
    const struct mcp_dialect *dialect;
    struct mcp_saved state;
    struct oauth_challenge challenge; /* the last one; empty: none */
    struct mcp_cache *cache;          /* NULL: it ends with the job */
    struct uuid connection;
};

/* connectors/mcp/mcp_cache.h. The session of a connection is taken out while it is in use; `rules`
 * are copied into the arena. */
bool mcp_cache_take(struct mcp_cache *cache, struct uuid connection, struct arena *arena,
                    struct mcp_saved *into);
void mcp_cache_put(struct mcp_cache *cache, struct uuid connection, const struct mcp_saved *saved);

/* A message on its way out and what came back. */
struct mcp_exchange {
    /* in */
    struct mcp_session *session;
    struct provider_call *call;
    const char *http_method; /* NULL: POST */
    const char *method;      /* of JSON-RPC; NULL: an answer of ours, or no message at all */
    const char *message;     /* the JSON text; NULL: no body */
    const json_t *params;    /* as they are in the message */
    int64_t id;              /* of the request; 0: nothing comes back that is ours */
    bool repeatable;
    struct mcp_listen *listen; /* notifications are for it, and the stream goes on */
    /* out */
    struct http_answer http; /* status and headers; the body only when it is no answer of ours */
    struct bytes body;       /* of an answer that is neither 200 JSON nor a stream */
    json_t *response;        /* the JSON-RPC response with our id, or NULL */
};

/* Sends the message once, reads the answer in either form and resumes a broken stream. OK whatever
 * the HTTP status is. */
enum err mcp_exchange_run(struct mcp_exchange *exchange) MUST_USE;
/* Sends and reads one connection's worth of a stream that has no end of its own. */
enum err mcp_exchange_listen(struct mcp_exchange *exchange) MUST_USE;

/* Makes and sends a notification. */
enum err mcp_notify(struct mcp_session *session, struct provider_call *call,
                    const char *method) MUST_USE;
/* The message of a request, with the next id. */
void mcp_request_make(struct mcp_session *session, struct provider_call *call,
                      const struct mcp_request *request, struct mcp_exchange *into);
/* Makes and sends one request, without opening, refreshing or trying again. */
enum err mcp_request_once(struct mcp_session *session, struct provider_call *call,
                          const struct mcp_request *request, struct mcp_exchange *into) MUST_USE;
/* What a finished exchange means: a reply, or the error of its HTTP status. */
enum err mcp_reply_read(struct mcp_exchange *exchange, struct mcp_reply *into) MUST_USE;
/* The JSON-RPC error that a 4xx carries, or NULL. */
const json_t *mcp_error_of(const struct mcp_exchange *exchange);

/* Finds the era if it is not known and opens the session. */
enum err mcp_open(struct mcp_session *session, struct provider_call *call) MUST_USE;
/* Ends the session (DELETE) and forgets it; the era stays. A server that cannot be told is no
 * failure. */
void mcp_leave(struct mcp_session *session, struct provider_call *call);
/* The session is gone; the era stays unless the answer throws doubt on it. */
void mcp_forget(struct mcp_session *session);
void mcp_era_set(struct mcp_session *session, enum mcp_era era);

/* A value as it may stand in a header: as it is, or in base64 between marks. */
const char *mcp_header_value(struct arena *arena, const char *value);
/* Which arguments of a tool are repeated in headers, from its description, into `rules`. False when
 * the description breaks the rules for that: such a tool is not to be called. */
bool mcp_rules_add(json_t *rules, const json_t *tool);
/* The headers of a call, from the rules of all tools. */
size_t mcp_rules_headers(struct arena *arena, const json_t *rules, const json_t *params,
                         struct http_header *into);

/* A notification of the stream, for the one who listens. False: enough. */
bool mcp_listen_take(struct mcp_exchange *exchange, const char *method, const json_t *params);

#endif
