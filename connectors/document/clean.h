/* Text from outside, made fit for a page, for PDF metadata and for XML. */
#ifndef SLUICE_DOCUMENT_CLEAN_H
#define SLUICE_DOCUMENT_CLEAN_H

#include "base/arena.h"

/* Well-formed UTF-8 of one paragraph: control characters and runs of white space become one blank,
 * bytes that are no UTF-8 become U+FFFD, characters that XML forbids and the invisible ones that
 * reorder text (bidirectional overrides, embeddings, isolates) are left out. Cut at `bytes_max`
 * with an ellipsis. NULL when nothing is left. */
char *document_clean(struct arena *arena, const char *text, size_t bytes_max);

#endif
