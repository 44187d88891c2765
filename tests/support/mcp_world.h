/* An MCP client and a peer that answers each request with the next of a list, byte for byte, with
 * "$" where the id of the request belongs. */
#ifndef SLUICE_MCP_WORLD_H
#define SLUICE_MCP_WORLD_H

#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/text.h"
#include "connectors/mcp/mcp_session.h"
#include "tls_peer.h"

#define HEAD(status, type)                                                                         \
    "HTTP/1.1 " status "\r\nContent-Type: " type "\r\nConnection: close\r\n\r\n"
#define JSON                   HEAD("200 OK", "application/json")
#define SSE                    HEAD("200 OK", "text/event-stream")
#define RPC(rest)              "{\"jsonrpc\":\"2.0\",\"id\":$," rest "}"
#define RESULT(rest)           RPC("\"result\":{" rest "}")
#define ERROR(code, rest)      RPC("\"error\":{\"code\":" code ",\"message\":\"no\"" rest "}")
#define SUPPORTED(code, first) ERROR(code, ",\"data\":{\"supported\":[\"" first "\"]}")
#define DISCOVERED                                                                                 \
    JSON RESULT("\"supportedVersions\":[\"2026-07-28\"],\"capabilities\":{},\"resultType\":"       \
                "\"complete\",\"ttlMs\":0,\"cacheScope\":\"public\"")
#define INITIALIZED JSON RESULT("\"protocolVersion\":\"2025-11-25\"")
#define ACCEPTED    "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
#define DONE        JSON RESULT("\"resultType\":\"complete\",\"answer\":42")
#define PLAIN       JSON RESULT("\"answer\":42")
#define NOTE(method, id, rest)                                                                     \
    "data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/" method "\",\"params\":{\"_meta\":{"   \
    "\"io.modelcontextprotocol/subscriptionId\":" id "}" rest "}}\n\n"

#define ANSWERS(...) ((const char *const[]){__VA_ARGS__, NULL})

enum { HEARD_BYTES = 64 * 1024 };

struct world {
    struct arena *arena;
    struct tls_peer *peer;
    struct clock clock;
    struct log log;
    struct credential credential;
    struct provider_settings settings;
    struct provider_call call;
    struct mcp_settings mcp;
    const char *const *answers; /* ended by NULL */
    bool in_pieces;             /* byte by byte */
    int asked;
    char methods[1024]; /* of what came in: "server/discover tools/call GET " */
    char heard[HEARD_BYTES];
    struct mcp_notice notices[4];
    size_t notice_count, notices_wanted;
    char *large; /* an answer to free when the peer is through with it */
};

int world_open(void **state);
int world_close(void **state);
struct mcp_session *session_of(struct world *world);
/* Forgets what was learned, as another connection would not know it. */
void anew(struct world *world);
/* What the next requests are answered with. */
void script(struct world *world, const char *const *answers);
/* One request that only reads. */
enum err ask(struct world *world, const char *const *answers, struct mcp_reply *reply);
/* It is answered with 42, after these methods were asked for. */
void expect(struct world *world, const char *methods, const char *const *answers);

#define WORLD_TEST(test) cmocka_unit_test_setup_teardown(test, world_open, world_close)

#endif
