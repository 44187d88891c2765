/* What a PDF says of itself beside the page: the information dictionary, XMP, language, and an id
 * from the content. Adds nothing that depends on when or where it was made. */
#ifndef SLUICE_DOCUMENT_METADATA_H
#define SLUICE_DOCUMENT_METADATA_H

#include "base/arena.h"
#include "base/time.h"

enum { METADATA_FIELDS_MAX = 16 };

struct metadata_field {
    const char *name; /* XML name, of the namespace in metadata.c */
    const char *value;
};

struct metadata {
    const char *language;
    const char *title;
    const char *subject;
    const char *keywords;
    const char *author;
    struct instant created_at;
    struct metadata_field fields[METADATA_FIELDS_MAX];
    size_t field_count;
};

/* A field whose value is NULL is left out. */
void metadata_add(struct metadata *metadata, const char *name, const char *value);
enum err metadata_write(struct arena *arena, const struct metadata *metadata, struct bytes pdf,
                        struct bytes *into) MUST_USE;

#endif
