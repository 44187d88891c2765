/* Internal to connectors/mcp: the session, one HTTP exchange, and what an era of the protocol
 * decides. */
#ifndef SLUICE_MCP_SESSION_H
#define SLUICE_MCP_SESSION_H

#include "connectors/mcp/mcp.h"
#include "connectors/mcp/mcp_cache.h"

enum { MCP_HEADERS_MAX = 8, MCP_REVISION_BYTES_MAX = 16 };

struct mcp_session;
struct mcp_exchange;

/* An era. The rest of the client does not know which one is spoken. */
struct mcp_dialect {
    const char *name;
    /* Before the first request: agrees on a revision and opens a session where the era has one. */
    enum err (*open)(struct mcp_session *session, struct provider_call *call);
    /* The headers of the era for one request, appended to `into`. */
    size_t (*headers)(const struct mcp_session *session, const struct mcp_exchange *exchange,
                      struct http_header *into);
    /* The params as they are sent: an era may add what every request carries. */
    json_t *(*params)(const struct mcp_session *session, struct arena *arena, json_t *params);
    /* Whether the answer says that the session is gone and a new one is to be opened. */
    bool (*session_gone)(const struct mcp_session *session, const struct mcp_exchange *exchange);
    bool resumable; /* a broken stream is resumed with Last-Event-ID */
};

extern const struct mcp_dialect mcp_legacy;

/* What of a session outlives a job. */
struct mcp_saved {
    bool opened;
    int64_t generation;       /* of the tokens that it was used with */
    bool leaves_streams_open; /* seen once: its streams are cut after the answer */
    int64_t next_id;
    char id[MCP_SESSION_ID_BYTES_MAX + 1]; /* Mcp-Session-Id; empty: none */
    char revision[MCP_REVISION_BYTES_MAX + 1];
};

struct mcp_session {
    struct mcp_settings settings;
    const struct mcp_dialect *dialect;
    struct mcp_saved state;
    struct mcp_cache *cache; /* NULL: it ends with the job */
    struct uuid connection;
};

/* connectors/mcp/mcp_cache.h. The session of a connection is taken out while it is in use. */
bool mcp_cache_take(struct mcp_cache *cache, struct uuid connection, struct mcp_saved *into);
void mcp_cache_put(struct mcp_cache *cache, struct uuid connection, const struct mcp_saved *saved);

/* A message on its way out and what came back. */
struct mcp_exchange {
    /* in */
    struct mcp_session *session;
    struct provider_call *call;
    const char *method;  /* of JSON-RPC */
    const char *message; /* the JSON text */
    int64_t id;          /* of the request; 0: a notification or an answer, nothing comes back */
    bool repeatable;
    /* out */
    struct http_answer http; /* status and headers; the body only when it is no answer of ours */
    struct bytes body;       /* of an answer that is neither 200 JSON nor a stream */
    json_t *response;        /* the JSON-RPC response with our id, or NULL */
};

/* Sends the message once, reads the answer in either form and resumes a broken stream. OK whatever
 * the HTTP status is. */
enum err mcp_exchange_run(struct mcp_exchange *exchange) MUST_USE;

/* Makes and sends a notification. */
enum err mcp_notify(struct mcp_session *session, struct provider_call *call,
                    const char *method) MUST_USE;
/* Makes and sends one request, without opening, refreshing or trying again. */
enum err mcp_request_once(struct mcp_session *session, struct provider_call *call,
                          const struct mcp_request *request, struct mcp_exchange *into) MUST_USE;
/* What a finished exchange means: a reply, or the error of its HTTP status. */
enum err mcp_reply_read(struct mcp_exchange *exchange, struct mcp_reply *into) MUST_USE;

#endif
