/* The table of settings, and their raw values with where each came from. Internal to config. */
#ifndef SLUICE_SETTINGS_H
#define SLUICE_SETTINGS_H

#include "config/config.h"

enum setting_type {
    SETTING_TEXT,
    SETTING_URL, /* https://host[:port][/path] or http, without a slash at the end */
    SETTING_INT,
    SETTING_BOOL,
    SETTING_LEVEL,
    SETTING_LIST,   /* comma separated */
    SETTING_SECRET, /* const struct secret * */
};

struct setting {
    const char *name; /* "section.name", or "name" alone */
    enum setting_type type;
    size_t offset;      /* in struct config */
    const char *preset; /* NULL: none */
    int64_t min, max;   /* SETTING_INT */
    bool required;
    bool hidden; /* never shown: secrets, and URLs that may hold a password */
    const char *meaning;
};

extern const struct setting settings[];
extern const size_t setting_count;

struct raw_value {
    const char *text;   /* NULL: not set */
    const char *origin; /* "default", "sluice.yaml", "SLUICE_LISTEN_PORT" */
    bool copied;        /* the text is the arena's, not the environment's or the table's */
};

/* One raw value per setting, in the table's order. */
enum err settings_collect(struct arena *arena, const char *path, char *const *environment,
                          struct raw_value **into) MUST_USE;
/* The YAML file alone: fills what it sets. */
enum err settings_from_yaml(struct arena *arena, const char *path,
                            struct raw_value *values) MUST_USE;
/* Reads a whole small file as text, without the line breaks at its end. */
enum err settings_read_file(struct arena *arena, const char *setting, const char *path,
                            const char **into) MUST_USE;

#endif
