/* The page of a document: where each fact stands. `input` is valid and clean (document.c). */
#ifndef SLUICE_DOCUMENT_DRAW_H
#define SLUICE_DOCUMENT_DRAW_H

#include "connectors/document/page.h"
#include "connectors/document/words.h"

struct drawing {
    struct arena *arena;
    struct page *page;
    const struct document_input *input;
    enum document_language language;
    const char *provider; /* as people write it */
    struct document_kind_words kind;
    double y; /* where the next thing goes */
};

void draw_document(struct drawing *drawing);

#endif
