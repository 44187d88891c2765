/* Model Context Protocol as a client, over Streamable HTTP: the legacy era (revisions 2025-03-26,
 * 2025-06-18 and 2025-11-25). JSON and event-stream answers, sessions, resumption; requests of the
 * server are answered (ping) or declined. A later era is a second row of dialects (mcp_session.h).
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

#include "connectors/provider.h"

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
    MCP_TEXT_BYTES_MAX = 500, /* of the server's text in a failure */
    MCP_CONNECT_S = 5,
    MCP_IDLE_S = 60,
    MCP_TOTAL_S = 180,
};

struct mcp_session;

struct mcp_settings { /* the texts outlive the session */
    const char *name; /* in messages: "Stripe" */
    const char *url;
    const char *hosts; /* as in http_call */
    int total_s;       /* 0: MCP_TOTAL_S */
};

/* The session of this provider_call: the one that it holds, or a new one, not yet opened. */
struct mcp_session *mcp_session_of(struct provider_call *call, const struct mcp_settings *settings);

struct mcp_request {
    const char *method;
    json_t *params;  /* borrowed; NULL: none */
    bool repeatable; /* it only reads */
};

enum mcp_channel {
    MCP_RESULT,     /* `result` */
    MCP_TOOL_ERROR, /* the tool ran and says in `text` what went wrong (isError) */
    MCP_RPC_ERROR,  /* a JSON-RPC error: `code` and `text` */
    MCP_REFUSED,    /* the HTTP request was refused with a JSON body outside JSON-RPC: `text` */
};

struct mcp_reply {
    enum mcp_channel channel;
    int64_t code;
    const char *text;     /* for people and for classification; of tools: the first text block */
    const json_t *result; /* NULL unless MCP_RESULT or MCP_TOOL_ERROR */
};

enum err mcp_send(struct mcp_session *session, struct provider_call *call,
                  const struct mcp_request *request, struct mcp_reply *into) MUST_USE;

/* tools/call. `text` of the reply is the first text block, NULL when there is none. */
enum err mcp_tool(struct mcp_session *session, struct provider_call *call, const char *name,
                  json_t *arguments, bool repeatable, struct mcp_reply *into) MUST_USE;

struct mcp_tools {
    const json_t **tools; /* as the server describes them */
    size_t count;
};
/* tools/list, all pages. */
enum err mcp_tools_list(struct mcp_session *session, struct provider_call *call,
                        struct mcp_tools *into) MUST_USE;

/* The revision in use, "" before the session is open. */
const char *mcp_revision(const struct mcp_session *session);

/* Text of a server, fit for a message: valid, bounded, without control characters. */
const char *mcp_excerpt(struct arena *arena, const char *text);

#endif
