/* Calls the edge of the API as the server would, without a socket. */
#ifndef SLUICE_TEST_CALLER_H
#define SLUICE_TEST_CALLER_H

#include "support.h"

#include "handlers/edge.h"
#include "json/json.h"

#define REGION   "test"
#define PASSWORD "correct horse battery staple"

struct world {
    struct fixture directory, region;
    struct config config;
    struct jwt_keys jwt_keys;
    struct log log;
    struct app app;
    atomic_int waiting;
    _Atomic bool stopping;
    void *thread;
    struct arena *arena;
};

void world_open(struct world *world, const char *name);
void world_close(struct world *world);
void world_pass_time(struct world *world, int64_t seconds);

struct call {
    const char *method, *path; /* with the query */
    const char *token;         /* sent as a bearer token */
    const char *key;           /* Idempotency-Key; "new": one of its own */
    const char *if_match;
    const char *origin;
    const char *peer; /* "192.0.2.1" where it is not set */
    const char *forwarded, *forwarded_for[2];
    const char *content_type; /* "application/json" where it is not set */
    const char *body;
};

struct answer {
    int status;
    const json_t *json; /* NULL: not JSON */
    const char *text;
    struct http_reply reply;
};

struct answer call(struct world *world, const struct call *call);
/* The short form for what most calls are. */
struct answer get(struct world *world, const char *token, const char *path);
struct answer post(struct world *world, const char *token, const char *path, const char *body);
const char *answer_field(const struct answer *answer, const char *name); /* of the head */

#define assert_answer(answer, expected)        assert_answer_at(answer, expected, NULL, __LINE__)
#define assert_problem(answer, expected, code) assert_answer_at(answer, expected, code, __LINE__)
void assert_answer_at(struct answer answer, int status, const char *code, int line);

/* A person with PASSWORD, and an access token for them without signing in. */
struct uuid person(struct world *world, const char *email, bool operator);
const char *token_of(struct world *world, struct uuid user);
/* A workspace that this person owns. */
const char *workspace_of(struct world *world, const char *token, const char *name);
void join(struct world *world, const char *workspace, struct uuid user, const char *role);

#endif
