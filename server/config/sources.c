/* Where raw values come from: defaults, the YAML file, files of secrets, the environment. */
#include "config/settings.h"

#include "base/text.h"

enum { ENV_NAME_BYTES = 96 };

static void environment_name(const char *setting, const char *ending, char into[ENV_NAME_BYTES])
{
    int n = snprintf(into, ENV_NAME_BYTES, "SLUICE_%s%s", setting, ending);
    assert(n > 0 && n < ENV_NAME_BYTES);
    for (char *at = into; *at; at++) {
        if (*at == '.')
            *at = '_';
        else if (*at >= 'a' && *at <= 'z')
            *at = (char)(*at - 'a' + 'A');
    }
}

static const char *environment_value(char *const *environment, const char *name)
{
    size_t n = strlen(name);
    for (; environment && *environment; environment++) {
        if (strncmp(*environment, name, n) == 0 && (*environment)[n] == '=')
            return *environment + n + 1;
    }
    return NULL;
}

static enum err from_environment(struct arena *arena, char *const *environment,
                                 const struct setting *setting, struct raw_value *value)
{
    char name[ENV_NAME_BYTES], file_name[ENV_NAME_BYTES];
    environment_name(setting->name, "", name);
    environment_name(setting->name, "_FILE", file_name);
    const char *text = environment_value(environment, name);
    const char *path = environment_value(environment, file_name);
    if (text && path)
        return arena_fail(arena, ERR_CONFIG, setting->name, "Set %s or %s, not both.", name,
                          file_name);
    if (path) {
        TRY(settings_read_file(arena, setting->name, path, &text));
        *value = (struct raw_value){text, arena_text(arena, file_name), true};
    } else if (text) {
        *value = (struct raw_value){text, arena_text(arena, name), false};
    }
    return OK;
}

enum err settings_collect(struct arena *arena, const char *path, char *const *environment,
                          struct raw_value **into)
{
    struct raw_value *values = arena_array(arena, setting_count, sizeof *values);
    for (size_t i = 0; i < setting_count; i++)
        values[i] = (struct raw_value){settings[i].preset, "default", false};
    if (path)
        TRY(settings_from_yaml(arena, path, values));
    for (size_t i = 0; i < setting_count; i++)
        TRY(from_environment(arena, environment, &settings[i], &values[i]));
    *into = values;
    return OK;
}
