#include <pthread.h>

#include "connectors/mcp/mcp_cache.h"

#include "connectors/mcp/mcp_session.h"

struct row {
    struct uuid connection;
    struct mcp_saved saved;
    char *rules;           /* what saved.rules points to, of our own */
    uint64_t rested_since; /* 0: the row is free */
};

struct mcp_cache {
    pthread_mutex_t lock;
    uint64_t turns;
    struct row rows[MCP_CACHE_SESSIONS_MAX];
};

struct mcp_cache *mcp_cache_open(void)
{
    struct mcp_cache *cache = calloc(1, sizeof *cache);
    if (!cache || pthread_mutex_init(&cache->lock, NULL) != 0)
        abort();
    return cache;
}

void mcp_cache_close(struct mcp_cache *cache)
{
    if (!cache)
        return;
    for (size_t i = 0; i < COUNT(cache->rows); i++)
        free(cache->rows[i].rules);
    pthread_mutex_destroy(&cache->lock);
    free(cache);
}

/* The row of a connection, or NULL. Rows without a session are of no connection. */
static struct row *row_of(struct mcp_cache *cache, struct uuid connection)
{
    for (size_t i = 0; i < COUNT(cache->rows); i++) {
        struct row *row = &cache->rows[i];
        if (row->rested_since && uuid_equal(row->connection, connection))
            return row;
    }
    return NULL;
}

static struct row *row_rested_longest(struct mcp_cache *cache)
{
    struct row *oldest = &cache->rows[0]; /* a free row rested for ever */
    for (size_t i = 1; i < COUNT(cache->rows); i++) {
        if (cache->rows[i].rested_since < oldest->rested_since)
            oldest = &cache->rows[i];
    }
    return oldest;
}

static void row_empty(struct row *row)
{
    free(row->rules);
    *row = (struct row){0};
}

bool mcp_cache_take(struct mcp_cache *cache, struct uuid connection, struct arena *arena,
                    struct mcp_saved *into)
{
    pthread_mutex_lock(&cache->lock);
    struct row *row = row_of(cache, connection);
    if (row) {
        *into = row->saved;
        into->rules = arena_text(arena, row->rules);
        row_empty(row);
    }
    pthread_mutex_unlock(&cache->lock);
    return row != NULL;
}

void mcp_cache_put(struct mcp_cache *cache, struct uuid connection, const struct mcp_saved *saved)
{
    pthread_mutex_lock(&cache->lock);
    struct row *row = row_of(cache, connection);
    if (!row)
        row = row_rested_longest(cache);
    row_empty(row);
    *row = (struct row){.connection = connection, .saved = *saved, .rested_since = ++cache->turns};
    row->rules = saved->rules ? strdup(saved->rules) : NULL;
    if (saved->rules && !row->rules)
        abort();
    row->saved.rules = NULL; /* the arena's, and gone with it */
    pthread_mutex_unlock(&cache->lock);
}

void mcp_cache_forget(struct mcp_cache *cache, struct uuid connection)
{
    pthread_mutex_lock(&cache->lock);
    struct row *row = row_of(cache, connection);
    if (row)
        row_empty(row);
    pthread_mutex_unlock(&cache->lock);
}
