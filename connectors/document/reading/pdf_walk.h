/* The files that a PDF carries: the name tree of embedded files (ISO 32000-1, 7.7.4) and the
 * associated files of the catalog (/AF, ISO 19005-3). Private to reading. */
#ifndef SLUICE_PDF_WALK_H
#define SLUICE_PDF_WALK_H

#include "connectors/document/reading/reading.h"

struct pdf_attachment {
    const char *name;           /* UTF-8, without folders */
    int object;                 /* number of the stream in the PDF */
    bool named_invoice;         /* as a standard calls it: factur-x.xml, zugferd-invoice.xml, ... */
    enum reading_reason reason; /* READING_DONE, or why its bytes cannot be had */
    struct bytes bytes;         /* decoded */
};

struct pdf_attachments {
    struct pdf_attachment *all; /* of `limits.attachments`; files that standards name come first */
    size_t count;
};

/* The XML files of a PDF. `bytes` must outlive the arena. */
enum reading_reason pdf_walk(struct arena *arena, struct bytes pdf,
                             const struct reading_limits *limits, struct pdf_attachments *into);

#endif
