/* One A4 page to draw text and lines on, over pango and cairo; lengths in points from the upper
 * left corner. The fonts are named files (see document.h), never what the machine happens to have
 * configured, so that the same calls give the same bytes. */
#ifndef SLUICE_DOCUMENT_PAGE_H
#define SLUICE_DOCUMENT_PAGE_H

#include "base/arena.h"

struct page;
struct document_fonts;

#define PAGE_WIDTH  595.28
#define PAGE_HEIGHT 841.89

enum page_ink { INK_TEXT, INK_MUTED, INK_FAINT, INK_WARN, INK_COUNT };

struct page_style {
    double size;
    enum page_ink ink;
    bool bold;
    bool mono;
    bool right; /* aligned */
};

/* Where a text goes and how much of it: more than `lines` lines end in an ellipsis. */
struct page_box {
    double x, y, width;
    int lines;
};

/* What document_fonts_open opens. */
enum err page_fonts_open(struct arena *arena, struct document_fonts **into) MUST_USE;
/* The page draws into `pdf`, which is complete after page_finish. `language` is a BCP 47 tag; the
 * fonts outlive the page. */
enum err page_open(struct arena *arena, struct document_fonts *fonts, const char *language,
                   struct page **into) MUST_USE;
/* Draws one paragraph and answers the height that it took. */
double page_text(struct page *page, struct page_box box, struct page_style style, const char *text);
/* As page_text in one line that is never cut: it becomes smaller until it fits. */
double page_fit(struct page *page, struct page_box box, struct page_style style, const char *text);
double page_text_height(struct page *page, struct page_box box, struct page_style style,
                        const char *text);
void page_rule(struct page *page, double x, double y, double width, bool strong);
/* A block of light colour behind what is drawn next. */
void page_panel(struct page *page, struct page_box box, double height);
enum err page_finish(struct page *page, struct bytes *pdf) MUST_USE;

#endif
