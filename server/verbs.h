/* The verbs of the command line. Private to main.c. */
#ifndef SLUICE_VERBS_H
#define SLUICE_VERBS_H

#include "base/arena.h"

struct invocation {
    struct arena *arena;
    char **arguments; /* behind the verb */
    int argument_count;
    char **environment;
    /* Exit status of a verb that did its work: 0, or 1 for "no". Of one that failed: 0 means 1. */
    int status;
};

enum err verb_serve(struct invocation *invocation);
enum err verb_work(struct invocation *invocation);
enum err verb_up(struct invocation *invocation);
enum err verb_migrate(struct invocation *invocation);
enum err verb_routes(struct invocation *invocation);
enum err verb_operator_create(struct invocation *invocation);
enum err verb_operator_password(struct invocation *invocation);
enum err verb_keys_rotate(struct invocation *invocation);
enum err verb_audit_verify(struct invocation *invocation);
enum err verb_replay(struct invocation *invocation);
enum err verb_match(struct invocation *invocation);
enum err verb_read_document(struct invocation *invocation);
enum err verb_read_document_child(struct invocation *invocation); /* does not return */
enum err verb_config_show(struct invocation *invocation);

/* An option's value; NULL when it was not given. `required` says what it is for. */
struct option {
    const char *name;   /* "--email" */
    const char **value; /* or NULL for a flag */
    bool *flag;
    const char *required; /* what is missing without it; NULL: optional */
};
/* Reads --config and the options; refuses anything else. */
enum err options_read(struct invocation *invocation, const struct option *options, size_t count,
                      const char **config) MUST_USE;

#endif
