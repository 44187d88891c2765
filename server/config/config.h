/* Settings: one table (settings.c) of name, type, default, bounds, secrecy and meaning. Read from a
 * YAML file of sections (`listen:` / `  port: 8080`) and overridden by the environment: listen.port
 * is SLUICE_LISTEN_PORT. A secret may stand in a file of its own: region.key_file in the YAML file,
 * SLUICE_REGION_KEY_FILE in the environment. Lists are comma separated. Every mistake names the
 * setting, where it came from and what to do. */
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
    const char *hosts;   /* that discovered endpoints may name; NULL: any that egress allows */
    const char *mcp_era; /* "any", "legacy" or "modern" */
};

struct config_list {
    const char *const *at;
    size_t n;
};

enum { METRICS_TOKEN_BYTES_MIN = 16 };
enum { REGION_KEY_BYTES = 32, CONFIG_BYTES_MAX = 256 * 1024, CONFIG_VALUE_BYTES_MAX = 16 * 1024 };

struct config {
    bool production;
    enum log_level log_level;

    const char *listen_address;
    int64_t listen_port;
    struct config_list trusted_proxies; /* ranges that address_range_parse takes */
    const char *client_header;          /* "x-forwarded-for" or "forwarded" */
    const struct secret *metrics_token; /* NULL: this host alone may read metrics */
    const char *public_url;             /* without a slash at its end; never NULL */
    struct config_list cors_origins;
    struct config_list return_origins; /* where OAuth may send a browser back to */

    int64_t http_threads;
    int64_t http_queue_max;
    int64_t http_deadline_s;
    int64_t http_connections_max;
    int64_t http_idle_s;
    int64_t http_stop_s;

    int64_t workspaces_per_person_max;

    const char *directory_database_url; /* libpq conninfo of the application's role */
    const char *directory_owner_url;    /* of the role that migrates; NULL: migrate says so */
    const char *region_name;
    const char *region_title;
    const char *region_hosted_in;
    const char *region_database_url;
    const char *region_queue_url; /* of the queue's role; NULL: region_database_url */
    const char *region_owner_url;
    const struct secret *region_key; /* REGION_KEY_BYTES */

    const struct secret *jwt_key; /* text for access_keys_read */

    struct config_list egress_allow; /* "127.0.0.1:9443": beyond public addresses */
    const char *egress_ca_file;      /* certificate authorities beside the system's; NULL: none */
    struct config_provider stripe;
    struct config_provider qonto;

    int64_t work_threads;
    int64_t work_attempt_s;
    int64_t work_window_s;
    int64_t work_retry_s;
    int64_t work_ledger_age_s;
    int64_t work_mirror_days;

    const char *migrations_directory;
};

/* `path` may be NULL: environment and defaults alone. `environment` is the process's environ.
 * ERR_CONFIG; the failure's field is the setting. */
enum err config_read(struct arena *arena, const char *path, char *const *environment,
                     struct config *into) MUST_USE;
/* Every setting with its value ("***" for a secret that is set), where it came from and what it
 * means. Checks only what config_read would check of each value by itself. */
enum err config_show(struct arena *arena, const char *path, char *const *environment,
                     struct buf *into) MUST_USE;

#endif
