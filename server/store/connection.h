/* Connections: one account at a provider that a workspace authorised, and its health. */
#ifndef SLUICE_STORE_CONNECTION_H
#define SLUICE_STORE_CONNECTION_H

#include "base/secret.h"
#include "db/db.h"
#include "store/machines.h"

struct connection {
    struct uuid id;
    const char *provider;
    struct text_list roles; /* source, target */
    const char *method;     /* oauth, api_key, mail */
    const char *label;
    const char *account; /* NULL until authorised */
    const char *account_name;
    const char *account_choices; /* JSON array while a person has to choose; NULL otherwise */
    bool livemode;
    enum connection_state state;
    const char *state_reason; /* a code */
    struct instant state_changed_at;
    const char *scopes;        /* space separated, as granted */
    const char *capabilities;  /* JSON */
    const char *authorisation; /* JSON: issuer, endpoints, resource, client id; no secret */
    struct instant access_expires_at;
    int64_t credential_generation; /* counts every change of the tokens */
    struct instant last_success_at;
    struct instant last_failure_at;
    const char *last_failure_code;
    struct uuid replaced_by;
    struct instant disconnected_at;
    const char *revocation; /* JSON: the receipt */
    int64_t row_version;
    struct instant created_at;
    struct instant updated_at;
};

struct connection_new {
    const char *provider;
    struct text_list roles;
    const char *method;
    const char *label;
    const char *account; /* of a mail target: its address; NULL otherwise */
};
enum err connection_add(const struct scope *scope, const struct connection_new *wanted,
                        struct connection *into) MUST_USE;
enum err connection_get(const struct scope *scope, struct uuid id,
                        struct connection *into) MUST_USE;
/* The same, held until the transaction ends. */
enum err connection_lock(const struct scope *scope, struct uuid id,
                         struct connection *into) MUST_USE;

struct connection_filter {
    const char *provider; /* NULL: any */
    const char *state;    /* NULL: any */
    struct uuid before;   /* older than; nil: the newest */
    int64_t limit;
};
/* Rows of struct connection, newest first; replaced ones are left out. */
enum err connection_list(const struct scope *scope, const struct connection_filter *filter,
                         struct rows *into) MUST_USE;
/* Another connection to the same account that is not disconnected, if there is one. */
struct connection_account {
    const char *provider;
    const char *account;
    const char *account_name;
    bool livemode;
};
enum err connection_by_account(const struct scope *scope, const struct connection_account *account,
                               struct connection *into, bool *found) MUST_USE;

/* A move of the machine. OK when it is there already; ERR_CONFLICT when the machine has no such
 * move. `reason` is a code, or NULL. */
enum err connection_move(const struct scope *scope, struct uuid id, enum connection_state to,
                         const char *reason) MUST_USE;
/* ERR_DUPLICATE (connection_account) when another connection has it: hand over instead. */
enum err connection_account_set(const struct scope *scope, struct uuid id,
                                const struct connection_account *account) MUST_USE;
enum err connection_choices_set(const struct scope *scope, struct uuid id,
                                const char *choices) MUST_USE;
enum err connection_capabilities_set(const struct scope *scope, struct uuid id, const char *scopes,
                                     const char *capabilities) MUST_USE;
/* The newer connection to an account hands its credentials to the older and goes out of sight. */
enum err connection_replace(const struct scope *scope, const struct secret *region_key,
                            struct uuid older, struct uuid newer) MUST_USE;

/* A call succeeded or failed; successes are noted at most once a minute. */
enum err connection_succeeded(const struct scope *scope, struct uuid id) MUST_USE;
enum err connection_failed(const struct scope *scope, struct uuid id, const char *code) MUST_USE;

/* ---- tokens ---- */

struct connection_tokens {
    const struct secret *access_token;
    const struct secret *refresh_token; /* NULL: keep the old one */
    struct instant access_expires_at;   /* 0: not said */
    const char *scopes;                 /* NULL: as before */
    const char *authorisation;          /* JSON; NULL: as before */
};
/* Of a fresh authorisation, whatever was there. All in one transaction. */
enum err connection_tokens_put(const struct scope *scope, const struct secret *region_key,
                               struct uuid id, const struct connection_tokens *tokens) MUST_USE;

/* Claims the refresh of tokens of this generation by compare-and-swap. *claimed false: somebody
 * else refreshes or has refreshed; read the connection again after a moment. A claim lasts longer
 * than a refresh may take, and no longer than the lease of the worker that holds it. */
enum { REFRESH_LEASE_S = 90 };
struct connection_refresh {
    struct uuid connection;
    int64_t generation; /* of the tokens that are to be replaced */
    int64_t worker;     /* who refreshes; 0: only the time ends the claim */
    struct uuid claim;  /* filled when claimed */
};
enum err connection_refresh_claim(const struct scope *scope, struct connection_refresh *refresh,
                                  bool *claimed) MUST_USE;
/* Both tokens at once, before they are used. ERR_LEASE_LOST when the tokens were replaced in the
 * meantime by somebody else: then these are not stored. */
enum err connection_refresh_store(const struct scope *scope, const struct secret *region_key,
                                  const struct connection_refresh *refresh,
                                  const struct connection_tokens *tokens) MUST_USE;
/* The refresh failed for now: another may try. */
enum err connection_refresh_release(const struct scope *scope,
                                    const struct connection_refresh *refresh) MUST_USE;

/* ---- disconnecting ---- */

/* Moves to disconnected, stops its lane and its streams. The credentials serve revocation alone. */
enum err connection_disconnect(const struct scope *scope, struct uuid id) MUST_USE;
/* What the provider answered (JSON); `complete` destroys what was kept for revocation. */
enum err connection_revocation_set(const struct scope *scope, struct uuid id,
                                   const char *revocation, bool complete) MUST_USE;

#endif
