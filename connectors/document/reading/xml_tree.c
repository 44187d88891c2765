#include <libxml/parser.h>
#include <libxml/parserInternals.h>

#include "base/base.h"

#include "base/buf.h"
#include "base/text.h"
#include "connectors/document/reading/xml_tree.h"

enum { SAX_ATTRIBUTE_PARTS = 5 }; /* local name, prefix, namespace, start and end of the value */

struct builder {
    struct arena *arena;
    const struct reading_limits *limits;
    xmlParserCtxt *parser;
    struct xml_node *root;
    struct xml_node *open; /* the innermost element that has not ended */
    struct buf text;       /* since that element began */
    int64_t depth;
    int64_t elements;
    enum reading_reason reason;
};

static void stop(struct builder *builder, enum reading_reason reason)
{
    if (builder->reason == READING_DONE)
        builder->reason = reason;
    xmlStopParser(builder->parser);
}

static const char *copied(struct arena *arena, const xmlChar *text)
{
    return text ? arena_text(arena, (const char *)text) : "";
}

static void add_attributes(struct builder *builder, struct xml_node *node, int count,
                           const xmlChar **parts)
{
    struct xml_attribute **end = &node->attributes;
    for (int i = 0; i < count; i++, parts += SAX_ATTRIBUTE_PARTS) {
        size_t n = (size_t)(parts[4] - parts[3]);
        if (n > XML_TEXT_BYTES_MAX)
            continue;
        struct xml_attribute *attribute = arena_alloc(builder->arena, sizeof *attribute);
        attribute->name = copied(builder->arena, parts[0]);
        attribute->value = arena_text_n(builder->arena, (const char *)parts[3], n);
        *end = attribute;
        end = &attribute->next;
    }
}

static void append(struct builder *builder, struct xml_node *node)
{
    struct xml_node *parent = builder->open;
    node->parent = parent;
    if (!parent)
        builder->root = node;
    else if (parent->last)
        parent->last->next = node;
    else
        parent->first = node;
    if (parent) {
        parent->last = node;
        parent->text = NULL;
    }
    builder->open = node;
}

/* NOLINTNEXTLINE(readability-function-size): libxml2 says how many parameters it hands over */
static void on_start(void *context, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri,
                     int namespace_count, const xmlChar **namespaces, int attribute_count,
                     int defaulted_count, const xmlChar **attributes)
{
    struct builder *builder = context;
    (void)prefix;
    (void)namespaces;
    (void)defaulted_count;
    builder->elements += 1 + namespace_count + attribute_count;
    if (builder->reason != READING_DONE)
        return;
    if (builder->elements > builder->limits->xml_elements) {
        stop(builder, READING_XML_TOO_LARGE);
        return;
    }
    if (++builder->depth > builder->limits->xml_depth) {
        stop(builder, READING_XML_TOO_DEEP);
        return;
    }
    struct xml_node *node = arena_alloc(builder->arena, sizeof *node);
    node->name = copied(builder->arena, name);
    node->namespace_name = copied(builder->arena, uri);
    node->text = "";
    add_attributes(builder, node, attribute_count, attributes);
    append(builder, node);
    builder->text.n = 0;
    builder->text.overflowed = false;
}

static void on_text(void *context, const xmlChar *text, int n)
{
    struct builder *builder = context;
    if (builder->reason == READING_DONE && builder->open && !builder->open->first)
        buf_add(&builder->text, text, (size_t)n);
}

static void on_end(void *context, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
    struct builder *builder = context;
    (void)name;
    (void)prefix;
    (void)uri;
    struct xml_node *node = builder->open;
    if (builder->reason != READING_DONE || !node)
        return;
    if (!node->first && builder->text.n > 0 && !builder->text.overflowed)
        node->text = arena_text_n(builder->arena, builder->text.data, builder->text.n);
    builder->open = node->parent;
    builder->depth--;
}

/* Comes at "<!DOCTYPE name", before anything that stands inside. */
static void on_doctype(void *context, const xmlChar *name, const xmlChar *external,
                       const xmlChar *system)
{
    (void)name;
    (void)external;
    (void)system;
    stop(context, READING_XML_DOCTYPE);
}

static enum reading_reason reason_of(int error)
{
    switch (error) {
    case XML_ERR_ENCODING_NAME:
    case XML_ERR_UNKNOWN_ENCODING:
    case XML_ERR_UNSUPPORTED_ENCODING:
    case XML_ERR_INVALID_ENCODING:
    case XML_I18N_CONV_FAILED:
    case XML_I18N_NO_HANDLER:
        return READING_XML_ENCODING;
    case XML_ERR_NO_MEMORY:
        return READING_TOO_MUCH_MEMORY;
    default:
        return READING_XML_MALFORMED;
    }
}

/* libxml2 hands over `xmlErrorPtr` up to 2.11 and `const xmlError *` since; both read the same. */
#if LIBXML_VERSION >= 21200
static void on_error(void *context, const xmlError *error)
#else
static void on_error(void *context, xmlErrorPtr error)
#endif
{
    struct builder *builder = context;
    if (error->level >= XML_ERR_FATAL)
        stop(builder, reason_of(error->code));
}

static void parser_release(void *parser)
{
    xmlFreeParserCtxt(parser);
}

/* Generators leave blanks before the declaration, which XML forbids and nobody means. */
static struct bytes without_leading_blanks(struct bytes xml)
{
    while (xml.n > 0 && strchr(" \t\r\n", xml.at[0]) && xml.at[0] != '\0') {
        xml.at++;
        xml.n--;
    }
    return xml;
}

enum reading_reason xml_tree_read(struct arena *arena, struct bytes xml,
                                  const struct reading_limits *limits, struct xml_node **root)
{
    xmlSAXHandler handler = {
        .initialized = XML_SAX2_MAGIC,
        .startElementNs = on_start,
        .endElementNs = on_end,
        .characters = on_text,
        .ignorableWhitespace = on_text,
        .cdataBlock = on_text,
        .internalSubset = on_doctype,
        .serror = on_error,
    };
    struct builder builder = {.arena = arena,
                              .limits = limits,
                              .text = buf_new(arena, XML_TEXT_BYTES_MAX),
                              .reason = READING_DONE};
    *root = NULL;
    xml = without_leading_blanks(xml);
    if ((int64_t)xml.n > limits->xml_bytes || xml.n > INT_MAX)
        return READING_XML_TOO_LARGE;
    if (xml.n == 0)
        return READING_XML_MALFORMED;
    builder.parser = xmlNewParserCtxt();
    if (!builder.parser)
        return READING_TOO_MUCH_MEMORY;
    *builder.parser->sax = handler;
    builder.parser->userData = &builder;
    arena_defer(arena, parser_release, builder.parser);
    xmlCtxtReadMemory(builder.parser, (const char *)xml.at, (int)xml.n, NULL, NULL,
                      XML_PARSE_NONET);
    if (builder.reason == READING_DONE && (!builder.parser->wellFormed || !builder.root))
        builder.reason = READING_XML_MALFORMED;
    if (builder.reason == READING_DONE)
        *root = builder.root;
    return builder.reason;
}

/* ---- looking into it ---- */

static bool name_among(const char *name, const char *names, size_t n)
{
    size_t length = strlen(name);
    for (const char *end = names + n; names < end;) {
        size_t one = strcspn(names, "|/");
        if (one == length && strncmp(names, name, one) == 0)
            return true;
        names += one + 1;
    }
    return false;
}

const struct xml_node *xml_at(const struct xml_node *node, const char *path)
{
    while (node && *path) {
        size_t step = strcspn(path, "/");
        const struct xml_node *child = node->first;
        while (child && !name_among(child->name, path, step))
            child = child->next;
        node = child;
        path += step + (path[step] == '/');
    }
    return node;
}

const struct xml_node *xml_again(const struct xml_node *node)
{
    const char *name = node->name;
    for (node = node->next; node && strcmp(node->name, name) != 0;)
        node = node->next;
    return node;
}

int64_t xml_count(const struct xml_node *first)
{
    int64_t count = 0;
    for (; first; first = xml_again(first))
        count++;
    return count;
}

const char *xml_text(const struct xml_node *node, const char *path)
{
    node = xml_at(node, path);
    return node && !text_blank(node->text) ? node->text : NULL;
}

const char *xml_attribute(const struct xml_node *node, const char *name)
{
    const struct xml_attribute *attribute = node ? node->attributes : NULL;
    while (attribute && strcmp(attribute->name, name) != 0)
        attribute = attribute->next;
    return attribute ? attribute->value : NULL;
}
