/* MCP sessions between jobs: a job that polls every few seconds would otherwise open a session each
 * time. One cache per process, thread-safe, of bounded size; a session is in the hands of one job
 * at a time. It holds session ids, which are worth nothing without the token of their connection,
 * and nothing that another process needs: what is not here is opened anew.
 *
 * The one who makes a provider_call sets `sessions` and `connection`; the session is put back when
 * the arena `keep` ends. A session that the server has forgotten is opened anew by mcp_send. */
#ifndef SLUICE_MCP_CACHE_H
#define SLUICE_MCP_CACHE_H

#include "base/uuid.h"

enum { MCP_CACHE_SESSIONS_MAX = 256 }; /* beyond, the one that rested longest is forgotten */

struct mcp_cache;

struct mcp_cache *mcp_cache_open(void);
void mcp_cache_close(struct mcp_cache *cache); /* after the last job */
/* Forgets the session of a connection that was disconnected or authorised anew. One that a job has
 * in its hands comes back, and other processes keep theirs, but nobody goes on with a session that
 * was used with other tokens than those of the call. */
void mcp_cache_forget(struct mcp_cache *cache, struct uuid connection);

#endif
