/* The YAML file, by libcyaml: its schema is made from the table of settings, so that an unknown
 * section or name is refused with its line. Every value is loaded as text. */
#include "config/settings.h"

#include <cyaml/cyaml.h>

#include "base/text.h"

enum { FIELDS_MAX = 128, NAME_BYTES_MAX = 64, TOP_LEVEL = 0 };

/* Where the values land: one text for each setting, and one for the file that holds it. */
struct loaded {
    char *text[FIELDS_MAX];
    char *file[FIELDS_MAX];
};

struct yaml_schema {
    struct arena *arena;
    cyaml_schema_field_t *top;
    size_t top_count;
    cyaml_schema_value_t whole;
    struct buf complaint;
};

static void keep_complaint(cyaml_log_t level, void *context, const char *format, va_list args)
    FORMAT_LIKE(3, 0);
static void keep_complaint(cyaml_log_t level, void *context, const char *format, va_list args)
{
    struct yaml_schema *schema = context;
    char *text = arena_vformat(schema->arena, format, args);
    size_t n = strcspn(text, "\n");
    while (n > 0 && text[n - 1] == ' ')
        n--;
    if (level != CYAML_LOG_ERROR || n == 0)
        return;
    const char *separator = schema->complaint.n ? "; " : "";
    buf_format(&schema->complaint, "%s%.*s", separator, (int)n, text);
}

static cyaml_schema_field_t text_field(const char *key, size_t offset)
{
    return (cyaml_schema_field_t){
        .key = key,
        .value = {.type = CYAML_STRING,
                  .flags = CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
                  .data_size = sizeof(char),
                  .string = {.min = 0, .max = CONFIG_VALUE_BYTES_MAX}},
        .data_offset = (uint32_t)offset,
    };
}

static void add_setting(struct yaml_schema *schema, cyaml_schema_field_t *fields, size_t *count,
                        size_t index, const char *key)
{
    fields[(*count)++] = text_field(key, offsetof(struct loaded, text) + index * sizeof(char *));
    if (settings[index].hidden)
        fields[(*count)++] = text_field(arena_format(schema->arena, "%s_file", key),
                                        offsetof(struct loaded, file) + index * sizeof(char *));
    assert(*count < FIELDS_MAX);
}

/* The settings of one section, which stand together in the table. */
static size_t add_section(struct yaml_schema *schema, size_t first)
{
    const char *name = settings[first].name;
    size_t prefix = strcspn(name, ".") + 1;
    cyaml_schema_field_t *fields = arena_array(schema->arena, FIELDS_MAX, sizeof *fields);
    size_t count = 0, i = first;
    for (; i < setting_count && strncmp(settings[i].name, name, prefix) == 0; i++)
        add_setting(schema, fields, &count, i, settings[i].name + prefix);
    schema->top[schema->top_count++] = (cyaml_schema_field_t){
        .key = arena_text_n(schema->arena, name, prefix - 1),
        .value = {.type = CYAML_MAPPING,
                  .flags = CYAML_FLAG_OPTIONAL,
                  .data_size = sizeof(struct loaded),
                  .mapping = {.fields = fields}},
        .data_offset = 0,
    };
    return i;
}

static void schema_make(struct arena *arena, struct yaml_schema *schema)
{
    *schema = (struct yaml_schema){.arena = arena, .complaint = buf_new(arena, 1024)};
    schema->top = arena_array(arena, FIELDS_MAX, sizeof *schema->top);
    for (size_t i = 0; i < setting_count;) {
        assert(schema->top_count + 2 < FIELDS_MAX);
        if (strchr(settings[i].name, '.')) {
            i = add_section(schema, i);
        } else {
            add_setting(schema, schema->top, &schema->top_count, i, settings[i].name);
            i++;
        }
    }
    schema->whole = (cyaml_schema_value_t){
        .type = CYAML_MAPPING,
        .flags = CYAML_FLAG_POINTER,
        .data_size = sizeof(struct loaded),
        .mapping = {.fields = schema->top},
    };
}

static enum err take_values(struct arena *arena, const char *path, const struct loaded *loaded,
                            struct raw_value *values)
{
    for (size_t i = 0; i < setting_count; i++) {
        const char *text = loaded->text[i] && *loaded->text[i] ? loaded->text[i] : NULL;
        const char *file = loaded->file[i] && *loaded->file[i] ? loaded->file[i] : NULL;
        if (text && file)
            return arena_fail(arena, ERR_CONFIG, settings[i].name, "%s sets both %s and %s_file.",
                              path, settings[i].name, settings[i].name);
        if (text)
            values[i] = (struct raw_value){arena_text(arena, text), path, true};
        if (file) {
            TRY(settings_read_file(arena, settings[i].name, file, &values[i].text));
            values[i].origin = arena_text(arena, file);
            values[i].copied = true;
        }
    }
    return OK;
}

enum err settings_from_yaml(struct arena *arena, const char *path, struct raw_value *values)
{
    assert(setting_count <= FIELDS_MAX);
    struct yaml_schema schema;
    schema_make(arena, &schema);
    cyaml_config_t config = {
        .log_fn = keep_complaint,
        .log_ctx = &schema,
        .mem_fn = cyaml_mem,
        .log_level = CYAML_LOG_ERROR,
        .flags = CYAML_CFG_NO_ALIAS,
    };
    struct loaded *loaded = NULL;
    const char *text;
    TRY(settings_read_file(arena, NULL, path, &text));
    if (text_blank(text))
        return OK;
    cyaml_err_t err = cyaml_load_data((const uint8_t *)text, strlen(text), &config, &schema.whole,
                                      (cyaml_data_t **)&loaded, NULL);
    memory_wipe((char *)(uintptr_t)text, strlen(text)); /* secrets may stand in it */
    if (err != CYAML_OK)
        return arena_fail(arena, ERR_CONFIG, NULL, "%s: %s (%s).", path, cyaml_strerror(err),
                          schema.complaint.data);
    enum err taken = take_values(arena, path, loaded, values);
    cyaml_free(&config, &schema.whole, loaded, 0);
    return taken;
}
