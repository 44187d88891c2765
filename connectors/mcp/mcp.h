/* Model Context Protocol as a client, over Streamable HTTP, in both of its eras: legacy (revisions
 * 2025-03-26, 2025-06-18 and 2025-11-25: a handshake, sessions, streams that are resumed, requests
 * of the server that are answered or declined) and modern (2026-07-28: every request stands for
 * itself, and headers repeat what it is about). JSON and event-stream answers. Which era a server
 * speaks is found out with the first request and remembered with the session; the caller does not
 * see the difference, but for MCP_INPUT_REQUIRED, which only the modern era knows.
 *
 * A session lives in the arena `keep` of the provider_call and is used by one thread. The server's
 * own texts are untrusted: they reach failure texts cut and with control characters replaced.
 *
 * Errors: ERR_AUTH (the token is refused and a fresh one too), ERR_SCOPE (403), ERR_TRANSIENT,
 * ERR_UNCERTAIN (a request that is not repeatable lost its answer), ERR_PROTOCOL (HTML, a redirect,
 * too large, half an event at the end of a JSON answer, no MCP). What a server answers in proper
 * form, refusals included, is OK and in the reply. */
#ifndef SLUICE_MCP_H
#define SLUICE_MCP_H

#include "connectors/oauth/oauth.h"
#include "connectors/provider.h"
#include "net/sse.h"

enum {
    MCP_ANSWER_BYTES_MAX = 8 * 1024 * 1024,  /* one message */
    MCP_STREAM_BYTES_MAX = 32 * 1024 * 1024, /* one event stream */
    MCP_EVENTS_MAX = 10000,                  /* of one answer */
    MCP_SERVER_REQUESTS_MAX = 16,            /* answered within one answer */
    MCP_RESUMES_MAX = 5,                     /* of one answer */
    MCP_RETRY_WAIT_MS_MAX = 10 * 1000,       /* a longer wish of the server: give up, try later */
    MCP_SESSION_ID_BYTES_MAX = 512,
    MCP_PAGES_MAX = 50,
    MCP_TOOLS_MAX = 1000,
    MCP_TEXT_BYTES_MAX = 500,            /* of the server's text in a failure */
    MCP_DISCOVER_S = 15,                 /* of the question which era is spoken */
    MCP_VERSION_ROUNDS_MAX = 2,          /* asking again in a revision that the server names */
    MCP_STATE_ROUNDS_MAX = 5,            /* asking again because the server wants its state back */
    MCP_PARAM_HEADERS_MAX = 32,          /* arguments of one tool that headers repeat */
    MCP_PARAM_NAME_BYTES_MAX = 100,      /* of the name of such a header */
    MCP_RULES_BYTES_MAX = 16 * 1024,     /* what is kept of the tools' rules for headers */
    MCP_FRESH_MS_MAX = 24 * 3600 * 1000, /* of a cache hint */
    MCP_RULES_FRESH_MS_MIN = 60 * 1000,  /* so long are those rules good, whatever the hint */
    MCP_LISTEN_S_MAX = 3600,             /* one call of mcp_listen */
    MCP_LISTEN_IDLE_S = 45,              /* three of the keep-alives that servers send */
    MCP_LISTEN_URIS_MAX = 32,
    MCP_END_S = 5, /* to end a session */
    MCP_CONNECT_S = 5,
    MCP_IDLE_S = 60,
    MCP_TOTAL_S = 180,
};

struct mcp_session;

enum mcp_era {
    MCP_ERA_ANY, /* find out */
    MCP_ERA_LEGACY,
    MCP_ERA_MODERN,
};

struct mcp_settings { /* the texts outlive the session */
    const char *name; /* in messages: "Stripe" */
    const char *url;
    const char *hosts; /* as in http_call */
    int total_s;       /* 0: MCP_TOTAL_S */
    enum mcp_era era;  /* MCP_ERA_ANY, or the only one to speak */
};

/* The session of this provider_call: the one that it holds, or a new one, not yet opened. */
struct mcp_session *mcp_session_of(struct provider_call *call, const struct mcp_settings *settings);

struct mcp_request {
    const char *method;
    json_t *params;  /* borrowed; NULL: none */
    bool repeatable; /* it only reads */
    /* The second time, after MCP_INPUT_REQUIRED: what was asked for, by the keys of
     * `input_requests`, and `request_state` as it came. NULL: nothing. */
    json_t *input_responses;
    const char *request_state;
};

/* Codes of JSON-RPC errors that callers tell apart. */
enum {
    MCP_CODE_METHOD_UNKNOWN = -32601,
    MCP_CODE_PARAMS_INVALID = -32602,
    MCP_CODE_HEADER_MISMATCH = -32020,
    MCP_CODE_CAPABILITY_MISSING = -32021,
    MCP_CODE_VERSION_UNSUPPORTED = -32022,
};

enum mcp_channel {
    MCP_RESULT,         /* `result` */
    MCP_TOOL_ERROR,     /* the tool ran and says in `text` what went wrong (isError) */
    MCP_RPC_ERROR,      /* a JSON-RPC error: `code` and `text` */
    MCP_REFUSED,        /* the HTTP request was refused with a JSON body outside JSON-RPC: `text` */
    MCP_INPUT_REQUIRED, /* nothing is done before somebody answers `input_requests` */
};

struct mcp_reply {
    enum mcp_channel channel;
    int64_t code;
    const char *text;     /* for people and for classification; of tools: the first text block */
    const json_t *result; /* NULL unless MCP_RESULT, MCP_TOOL_ERROR or MCP_INPUT_REQUIRED */
    const json_t *input_requests; /* key: {method, params} */
    const char *request_state;    /* NULL: none */
    int64_t fresh_ms;             /* the server's hint how long the result stays true; 0: none */
};

/* A server that wants nothing but its own state back gets it at once. */
enum err mcp_send(struct mcp_session *session, struct provider_call *call,
                  const struct mcp_request *request, struct mcp_reply *into) MUST_USE;

/* tools/call. `text` of the reply is the first text block, NULL when there is none. */
enum err mcp_tool(struct mcp_session *session, struct provider_call *call, const char *name,
                  json_t *arguments, bool repeatable, struct mcp_reply *into) MUST_USE;

struct mcp_tools {
    const json_t **tools; /* as the server describes them */
    size_t count;
};
/* tools/list, all pages. Modern: without the tools whose rules for headers are broken. */
enum err mcp_tools_list(struct mcp_session *session, struct provider_call *call,
                        struct mcp_tools *into) MUST_USE;

/* What a server tells unasked. */
enum mcp_notice_kind {
    MCP_NOTICE_TOOLS,     /* the list of tools changed */
    MCP_NOTICE_RESOURCES, /* the list of resources changed */
    MCP_NOTICE_RESOURCE,  /* the resource `uri` changed */
};
struct mcp_notice {
    enum mcp_notice_kind kind;
    const char *uri; /* NULL unless MCP_NOTICE_RESOURCE */
};

enum mcp_listen_end {
    MCP_LISTEN_CLOSED,      /* go on with another call, after `retry_ms`; read what changed first */
    MCP_LISTEN_STOPPED,     /* on_notice wanted no more */
    MCP_LISTEN_NOT_OFFERED, /* this server tells nothing: ask it by the clock */
};

/* A stream of notices: subscriptions/listen, or GET in the legacy era. Zeroed before the first
 * call; the same struct again for the next. */
struct mcp_listen {
    /* in */
    bool tools, resources;   /* changes of these lists */
    const char *const *uris; /* resources to be told of, at most MCP_LISTEN_URIS_MAX */
    size_t uri_count;
    int total_s; /* for so long at most, 1 to MCP_LISTEN_S_MAX */
    bool (*on_notice)(void *context, const struct mcp_notice *notice); /* false: enough */
    void *context;
    /* out */
    enum mcp_listen_end end;
    bool acknowledged; /* the stream stands: what changes from now on is told */
    int64_t retry_ms;  /* what the server wants between two streams; 0: it did not say */
    char last_id[SSE_ID_BYTES_MAX + 1]; /* legacy: where the next stream goes on */
};

/* Listens until something in `end` happens. Notices that were lost with a broken stream do not come
 * again in the modern era. */
enum err mcp_listen(struct mcp_session *session, struct provider_call *call,
                    struct mcp_listen *listen) MUST_USE;

/* Takes leave of the server: ends its session, where the era has one (DELETE), and forgets what was
 * learned of it. A server that cannot be told keeps its session until it expires. */
void mcp_session_end(struct mcp_session *session, struct provider_call *call);

/* What the server said with its last 401 or 403 about where a better token comes from. */
const struct oauth_challenge *mcp_challenge(const struct mcp_session *session);

/* The era in use: "legacy" or "modern", "" before the session is open. */
const char *mcp_era_name(const struct mcp_session *session);
/* The revision in use, "" before the session is open. */
const char *mcp_revision(const struct mcp_session *session);

/* Text of a server, fit for a message: valid, bounded, without control characters. */
const char *mcp_excerpt(struct arena *arena, const char *text);

#endif
