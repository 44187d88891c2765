/* Integrations: a source connection joined to a target connection, with versioned settings. */
#ifndef SLUICE_STORE_INTEGRATION_H
#define SLUICE_STORE_INTEGRATION_H

#include "db/db.h"
#include "store/machines.h"

struct integration {
    struct uuid id;
    const char *name;
    struct uuid source_connection_id;
    struct uuid target_connection_id;
    const char *source_provider;
    const char *target_provider;
    enum integration_state state;
    int settings_version;
    const char *settings; /* JSON, of settings_version */
    struct instant starts_at;
    int64_t row_version;
    struct instant created_at;
    struct instant updated_at;
};

struct integration_new {
    const char *name;
    struct uuid source_connection_id;
    struct uuid target_connection_id;
    const char *settings; /* JSON, complete */
};
/* ERR_CONFLICT when a connection is not there. */
enum err integration_add(const struct scope *scope, const struct integration_new *wanted,
                         struct integration *into) MUST_USE;
enum err integration_get(const struct scope *scope, struct uuid id,
                         struct integration *into) MUST_USE;
struct integration_filter {
    const char *state;  /* NULL: any */
    struct uuid before; /* older than; nil: the newest */
    int64_t limit;
};
/* Rows of struct integration, newest first. */
enum err integration_list(const struct scope *scope, const struct integration_filter *filter,
                          struct rows *into) MUST_USE;
/* Of a connection, as source or target, that are not archived. */
enum err integration_of_connection(const struct scope *scope, struct uuid connection,
                                   struct rows *into) MUST_USE;

struct integration_change {
    const char *name;     /* NULL: unchanged */
    const char *settings; /* JSON, complete: a new version; NULL: unchanged */
    bool state_given;
    enum integration_state state;
    int64_t version; /* as read; ERR_STALE when it changed; 0: whatever it is */
};
/* ERR_CONFLICT when the machine has no such move. */
enum err integration_update(const struct scope *scope, struct uuid id,
                            const struct integration_change *change,
                            struct integration *into) MUST_USE;
/* The settings that decided an item. */
enum err integration_settings_get(const struct scope *scope, struct uuid id, int version,
                                  const char **settings) MUST_USE;

#endif
