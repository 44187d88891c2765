/* What the modern era repeats of a message in HTTP headers, so that proxies need not read it. */
#include "connectors/mcp/mcp_session.h"

#include "base/text.h"

#define KEYWORD "x-mcp-header"

enum { SCHEMA_DEPTH_MAX = 32 };

/* Beyond, a number that JSON carries is not the same everywhere. */
#define INTEGER_MAX ((int64_t)1 << 53)

static const char mark_begin[] = "=?base64?";
static const char mark_end[] = "?=";

static bool plain(const char *value)
{
    size_t n = strlen(value);
    if (n == 0)
        return true;
    for (size_t i = 0; i < n; i++) {
        if (value[i] < ' ' || value[i] > '~')
            return false;
    }
    return value[0] != ' ' && value[n - 1] != ' ' && !text_starts(value, mark_begin);
}

const char *mcp_header_value(struct arena *arena, const char *value)
{
    if (plain(value))
        return value;
    const char *coded = base64_encode(arena, (struct bytes){(const uint8_t *)value, strlen(value)});
    return arena_format(arena, "%s%s%s", mark_begin, coded, mark_end);
}

/* RFC 9110 §5.6.2. */
static bool token(const char *name)
{
    static const char characters[] = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
                                     "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    return name && name[0] && name[strspn(name, characters)] == '\0' &&
           strlen(name) <= MCP_PARAM_NAME_BYTES_MAX;
}

static bool primitive(const json_t *type)
{
    static const char *const types[] = {"string", "integer", "boolean"};
    for (size_t i = 0; i < COUNT(types); i++) {
        if (text_equal(json_string_value(type), types[i]))
            return true;
    }
    return false;
}

/* How often the keyword stands anywhere in a schema, also where no value can be reached by it. */
static size_t keyword_count(json_t *schema, int depth)
{
    size_t count = 0;
    const char *key;
    json_t *value;
    size_t index;
    if (depth > SCHEMA_DEPTH_MAX)
        return 0;
    json_array_foreach(schema, index, value) count += keyword_count(value, depth + 1);
    json_object_foreach(schema, key, value)
    {
        count += text_equal(key, KEYWORD) && !json_is_object(value);
        count += keyword_count(value, depth + 1);
    }
    return count;
}

/* The walk through the properties of one schema. */
struct walk {
    json_t *rule; /* header: path */
    const char *path[SCHEMA_DEPTH_MAX];
    size_t depth;
    size_t found;
    bool broken;
};

static bool header_taken(json_t *rule, const char *name)
{
    const char *key;
    json_t *value;
    json_object_foreach(rule, key, value)
    {
        if (strcasecmp(key, name) == 0)
            return true;
    }
    return false;
}

static void property_take(struct walk *walk, const json_t *property)
{
    const json_t *mark = json_object_get(property, KEYWORD);
    if (!mark)
        return;
    const char *name = json_string_value(mark);
    walk->found++;
    walk->broken = walk->broken || !token(name) || header_taken(walk->rule, name) ||
                   !primitive(json_object_get(property, "type")) ||
                   json_object_size(walk->rule) >= MCP_PARAM_HEADERS_MAX;
    if (walk->broken)
        return;
    json_t *path = json_array();
    for (size_t i = 0; i < walk->depth; i++)
        json_array_append_new(path, json_string(walk->path[i]));
    json_object_set_new(walk->rule, name, path);
}

static void properties_walk(struct walk *walk, const json_t *schema)
{
    json_t *properties = json_object_get(schema, "properties");
    const char *key;
    json_t *property;
    if (walk->depth >= SCHEMA_DEPTH_MAX)
        return;
    json_object_foreach(properties, key, property)
    {
        walk->path[walk->depth++] = key;
        property_take(walk, property);
        properties_walk(walk, property);
        walk->depth--;
    }
}

bool mcp_rules_add(json_t *rules, const json_t *tool)
{
    json_t *schema = json_at(tool, "inputSchema");
    struct walk walk = {.rule = json_object()};
    properties_walk(&walk, schema);
    bool kept = !walk.broken && walk.found == keyword_count(schema, 0);
    if (kept && walk.found > 0)
        json_object_set(rules, json_text(tool, "name"), walk.rule);
    json_decref(walk.rule);
    return kept;
}

static const char *argument_text(struct arena *arena, const json_t *value)
{
    if (json_is_string(value))
        return json_string_value(value);
    if (json_is_integer(value) && llabs(json_integer_value(value)) <= INTEGER_MAX)
        return arena_format(arena, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    return json_is_boolean(value) ? json_is_true(value) ? "true" : "false" : NULL;
}

size_t mcp_rules_headers(struct arena *arena, const json_t *rules, const json_t *params,
                         struct http_header *into)
{
    const char *name;
    json_t *path;
    size_t n = 0;
    const char *tool = json_text(params, "name");
    json_object_foreach(tool ? json_object_get(rules, tool) : NULL, name, path)
    {
        const json_t *value = json_object_get(params, "arguments");
        for (size_t i = 0; i < json_array_size(path); i++)
            value = json_object_get(value, json_string_value(json_array_get(path, i)));
        const char *text = argument_text(arena, value);
        if (text && n < MCP_PARAM_HEADERS_MAX)
            into[n++] = (struct http_header){.name = arena_format(arena, "Mcp-Param-%s", name),
                                             .value = mcp_header_value(arena, text)};
    }
    return n;
}
