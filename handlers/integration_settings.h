/* The settings of an integration: read from a body or from what is stored, merged, checked, and
 * written as the JSON that is stored and answered (one and the same text). */
#ifndef SLUICE_INTEGRATION_SETTINGS_H
#define SLUICE_INTEGRATION_SETTINGS_H

#include "connectors/source.h"
#include "http/json_in.h"

enum settings_route { ROUTE_BY_PRESET = -1, ROUTE_POST, ROUTE_ENRICH, ROUTE_IGNORE };
enum settings_preset { PRESET_STANDARD, PRESET_PURCHASES_ONLY };

struct settings_policies {
    const json_t *max_unattended_minor; /* minor units by currency; NULL: no limit */
    const json_t *new_counterparty_above_minor;
    struct input_texts allowed_currencies;
    struct date closed_before;
};

struct settings_notify {
    struct input_texts connection;
    struct input_texts problem;
    struct input_texts review;
};

struct settings {
    int64_t backfill_days;
    int64_t poll_period_s;
    enum settings_preset preset;
    struct settings_thresholds {
        int64_t flow, hold; /* millionths */
    } thresholds;
    struct settings_routes {
        enum settings_route of[KIND_COUNT];
    } routes;
    struct settings_policies policies;
    int64_t grace_s;
    struct settings_notify notify;
};

/* What a body brought. A part that was not sent is not looked at. */
struct settings_input {
    struct settings sent;
    bool backfill_days_sent, poll_period_s_sent, preset_sent, thresholds_sent, routes_sent,
        policies_sent, grace_s_sent, notify_sent;
};

/* For FIELD_OBJECT: `struct settings_input x = settings_input_new();`. */
extern const struct input_field settings_fields[8];
struct settings_input settings_input_new(void);

struct settings settings_defaults(void);
/* Replaces what was sent, each part as a whole. True when something differs from before. */
bool settings_merge(struct arena *arena, const struct settings_input *input, struct settings *into);
/* What a table of fields cannot say. `source` bounds the reach; ERR_FIELD_INVALID names the field
 * as it stands in the body: "settings.thresholds.hold". */
enum err settings_check(struct arena *arena, const struct settings *settings,
                        const struct source *source) MUST_USE;

char *settings_write(struct arena *arena, const struct settings *settings);
enum err settings_read(struct arena *arena, const char *stored, struct settings *into) MUST_USE;

#endif
