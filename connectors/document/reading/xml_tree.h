/* XML from outside as a small tree in an arena: local names, attributes and the text of leaves.
 * No document type, so no entities of anyone's making; nothing is fetched. Private to reading. */
#ifndef SLUICE_XML_TREE_H
#define SLUICE_XML_TREE_H

#include "connectors/document/reading/reading.h"

enum { XML_TEXT_BYTES_MAX = 8 * 1024 }; /* of a leaf: longer text (an attached file) is left out */

struct xml_attribute {
    const char *name;
    const char *value;
    struct xml_attribute *next;
};

struct xml_node {
    const char *name;           /* without its prefix */
    const char *namespace_name; /* "" without one */
    const char *text;           /* of a leaf, "" when there is none; of any other, NULL */
    struct xml_attribute *attributes;
    struct xml_node *parent;
    struct xml_node *first, *last; /* children */
    struct xml_node *next;
};

/* READING_DONE with the root, or why not. */
enum reading_reason xml_tree_read(struct arena *arena, struct bytes xml,
                                  const struct reading_limits *limits, struct xml_node **root);

/* The first node below `node` at "Header|HeaderOld/ID": names apart by '/', other names for the
 * same step by '|'. NULL when there is none or `node` is NULL. */
const struct xml_node *xml_at(const struct xml_node *node, const char *path);
/* The next sibling of the same name, for `for (n = xml_at(...); n; n = xml_again(n))`. */
const struct xml_node *xml_again(const struct xml_node *node);
int64_t xml_count(const struct xml_node *first); /* it and its siblings of the same name */
const char *xml_text(const struct xml_node *node, const char *path); /* NULL when blank */
const char *xml_attribute(const struct xml_node *node, const char *name);

#endif
