/* The request threads and the bounded queue before them. One thread (the owner, httpd.c) submits
 * exchanges and takes them back, answered or given up; the request threads do the work between.
 *
 * An exchange is held by the owner until exchange_release and, while it is queued or running, by
 * the pool. Who gives up a running exchange does not wait for it: the late answer is dropped. */
#ifndef SLUICE_POOL_H
#define SLUICE_POOL_H

#include "base/buf.h"
#include "http/httpd.h"

enum exchange_state {
    EXCHANGE_RECEIVING,
    EXCHANGE_QUEUED,
    EXCHANGE_RUNNING,
    EXCHANGE_ANSWERED,
    EXCHANGE_GIVEN_UP
};

struct exchange {
    struct arena *arena; /* head, body and reply */
    struct http_request request;
    struct buf body;
    struct http_reply reply; /* of EXCHANGE_ANSWERED, in `arena` */
    void *connection;        /* the owner's */
    enum exchange_state state;
    int holders;
    struct exchange *next;          /* in the queue or the list of answered ones */
    struct exchange *older, *newer; /* among all that were submitted and not taken back */
};

struct pool;

struct exchange *exchange_new(void); /* held by the caller */
void exchange_release(struct pool *pool, struct exchange *exchange);

enum err pool_open(struct arena *arena, const struct httpd_settings *settings,
                   struct pool **into) MUST_USE;
void pool_close(struct pool *pool); /* waits for running handlers; queued ones are dropped */

/* The owner's calls. */
bool pool_full(struct pool *pool); /* only the owner adds, so that "no" stays true until it does */
void pool_submit(struct pool *pool, struct exchange *exchange); /* not when full */
int pool_answered_fd(const struct pool *pool);                  /* readable: take the answered */
struct exchange *pool_take_answered(struct pool *pool);         /* NULL: none left */
/* The oldest one whose deadline passed, now given up; NULL when there is none. Its arena must not
 * be touched: a request thread may still be at work in it. */
struct exchange *pool_take_overdue(struct pool *pool, int64_t now_us);
size_t pool_queued(struct pool *pool);

#endif
