/* Settings: one table (config.c) of name, type, default, bounds, secrecy and meaning. Read from a
 * YAML file of sections (`listen:` / `  port: 8080`), overridden by the environment: listen.port is
 * SLUICE_LISTEN_PORT, and SLUICE_LISTEN_PORT_FILE names a file that holds the value. Every mistake
 * names the setting, where it came from and what to do. */
#ifndef SLUICE_CONFIG_H
#define SLUICE_CONFIG_H

#include "base/buf.h"
#include "base/log.h"
#include "base/secret.h"

struct config_provider {
    const char *api_url;   /* Stripe: its MCP endpoint */
    const char *oauth_url; /* NULL: discovered */
    const char *client_id; /* NULL: registered on the fly */
    const struct secret *client_secret;
    const struct secret *staging_token;
    const char *scope;
};

struct config_list {
    const char **at;
    size_t n;
};

struct config {
    bool production;
    const char *log_level;

    const char *listen_address;
    int64_t listen_port;
    const char *public_url; /* without a slash at its end */
    struct config_list cors_origins;
    struct config_list return_origins; /* where OAuth may send a browser back to */

    int64_t request_threads;
    int64_t request_queue_max;
    int64_t request_deadline_s;
    int64_t connections_max;
    int64_t connection_timeout_s;
    int64_t stop_s; /* how long a graceful stop waits */

    const char *directory_database_url; /* libpq conninfo of the application's role */
    const char *region_name;
    const char *region_database_url;
    const char *queue_database_url; /* of the queue's role; NULL: as region_database_url */
    const char *owner_directory_database_url; /* of the owner, for migrate; NULL: as above */
    const char *owner_region_database_url;

    const struct secret *region_key; /* 32 bytes, from a file, the environment or a command */
    const char *region_key_command;  /* prints the key as base64url; NULL: region_key is set */
    const struct secret *jwt_key;

    struct config_list egress_allow; /* "127.0.0.1:9443": beyond public addresses */
    const char *ca_file;             /* certificate authorities beyond the system's; NULL: none */
    struct config_provider stripe;
    struct config_provider qonto;

    int64_t worker_threads;
    int64_t worker_batch;
    int64_t clock_offset_s; /* development: where business time begins */
};

/* `path` may be NULL. `environment` is the process's environ. */
enum err config_read(struct arena *arena, const char *path, char *const *environment,
                     struct config *into) MUST_USE;
/* Every setting with its value ("***" for a secret that is set), where it came from and what it
 * means. */
enum err config_show(struct arena *arena, const char *path, char *const *environment,
                     struct buf *into) MUST_USE;

#endif
