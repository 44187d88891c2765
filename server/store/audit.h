/* The audit log: one row per change, in the transaction that makes it; a hash chain over the
 * committed rows, made by the sealer a moment later. */
#ifndef SLUICE_STORE_AUDIT_H
#define SLUICE_STORE_AUDIT_H

#include "db/db.h"

struct audit_entry {
    const char *action;       /* "connection.disconnected" */
    const char *subject_kind; /* "connection" */
    struct uuid subject;      /* nil: none */
    const char *detail;       /* JSON object without secrets; NULL: {} */
};

/* Actor and request are the scope's. To be called in every transaction that changes something. */
enum err audit_append(const struct scope *scope, const struct audit_entry *entry) MUST_USE;

struct audit_row {
    struct uuid id;
    struct instant at;
    const char *actor_kind;
    struct uuid actor;
    const char *request_id;
    const char *action;
    const char *subject_kind;
    struct uuid subject_id;
    const char *detail;
    int64_t seal_seq;        /* 0: not sealed yet */
    struct bytes chain_hash; /* empty: not sealed yet */
};
struct audit_filter {
    struct uuid subject; /* nil: any */
    struct uuid actor;
    const char *action;
    struct uuid before; /* rows older than this one; nil: the newest */
    int64_t limit;
};
enum err audit_list(const struct scope *scope, const struct audit_filter *filter,
                    struct rows *into) MUST_USE;

enum { AUDIT_SEAL_MAX = 1000, AUDIT_VERIFY_MAX = 1000 };

/* Workspaces with audit rows to seal or counts of items to fold (item_count_fold); rows of struct
 * dirty. */
struct dirty {
    struct uuid workspace;
};
enum err audit_dirty(const struct untenanted *region, int64_t limit, struct rows *into) MUST_USE;
/* Seals at most AUDIT_SEAL_MAX committed rows of the scope's workspace, in the order in which they
 * were committed as far as the sealer saw it. *more: call again. */
enum err audit_seal(const struct scope *scope, int64_t *sealed, bool *more) MUST_USE;

struct audit_verification {
    bool intact;
    int64_t from_seq;
    int64_t checked;
    bool complete;
    int64_t next_seq;         /* 0 when complete or broken */
    int64_t sealed_seq;       /* the last sealed one */
    struct bytes sealed_hash; /* of the last sealed one */
    int64_t unsealed;         /* rows that wait for their seal */
    int64_t broken_seq;       /* 0 when intact */
};
/* Computes the chain anew from `from_seq` over at most AUDIT_VERIFY_MAX rows. */
enum err audit_verify(const struct scope *scope, int64_t from_seq,
                      struct audit_verification *into) MUST_USE;

#endif
