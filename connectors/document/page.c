#include <fontconfig/fontconfig.h>
#include <pango/pangocairo.h>
#include <pango/pangofc-fontmap.h>
#include <cairo-pdf.h>

#include "base/base.h"

#include "connectors/document/page.h"

#include "base/buf.h"
#include "connectors/document/document.h"

enum { FIT_SIZE_MIN = 2 }; /* holds an id of DOCUMENT_ID_BYTES_MAX: small, but whole */

static const char *const font_files[] = {
    "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf",
    "/usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf",
    "/usr/share/fonts/truetype/dejavu/DejaVuSansMono.ttf",
};
static const char fallback_font_file[] =
    "/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf";
static const char font_families[] = "DejaVu Sans, Droid Sans Fallback";
static const char font_families_mono[] = "DejaVu Sans Mono, DejaVu Sans, Droid Sans Fallback";

static const double inks[INK_COUNT][3] = {
    [INK_TEXT] = {0.11, 0.13, 0.17},
    [INK_MUTED] = {0.38, 0.42, 0.48},
    [INK_FAINT] = {0.82, 0.84, 0.87},
    [INK_WARN] = {0.70, 0.32, 0.05},
};

struct document_fonts {
    FcConfig *files;
    PangoFontMap *map;
};

struct page {
    struct arena *arena;
    struct buf pdf;
    PangoContext *context;
    cairo_surface_t *surface;
    cairo_t *cairo;
};

static void fonts_release(void *object)
{
    struct document_fonts *fonts = object;
    if (fonts->map) { /* pango 1.50 keeps its reference to the configuration unless told */
        pango_fc_font_map_set_config(PANGO_FC_FONT_MAP(fonts->map), NULL);
        g_object_unref(fonts->map);
    }
    if (fonts->files)
        FcConfigDestroy(fonts->files);
}

static void page_release(void *object)
{
    struct page *page = object;
    if (page->cairo)
        cairo_destroy(page->cairo);
    if (page->surface)
        cairo_surface_destroy(page->surface);
    if (page->context)
        g_object_unref(page->context);
}

static cairo_status_t take_bytes(void *closure, const unsigned char *data, unsigned int n)
{
    struct page *page = closure;
    return buf_add(&page->pdf, data, n) ? CAIRO_STATUS_SUCCESS : CAIRO_STATUS_WRITE_ERROR;
}

enum err page_fonts_open(struct arena *arena, struct document_fonts **into)
{
    struct document_fonts *fonts = arena_alloc(arena, sizeof *fonts);
    arena_defer(arena, fonts_release, fonts);
    fonts->files = FcConfigCreate();
    for (size_t i = 0; i < COUNT(font_files); i++) {
        if (!FcConfigAppFontAddFile(fonts->files, (const FcChar8 *)font_files[i]))
            return arena_fail(arena, ERR_CONFIG, NULL,
                              "The font %s cannot be read; install fonts-dejavu-core.",
                              font_files[i]);
    }
    FcConfigAppFontAddFile(fonts->files, (const FcChar8 *)fallback_font_file);
    fonts->map = pango_cairo_font_map_new_for_font_type(CAIRO_FONT_TYPE_FT);
    pango_fc_font_map_set_config(PANGO_FC_FONT_MAP(fonts->map), fonts->files);
    *into = fonts;
    return OK;
}

static void open_context(struct page *page, PangoFontMap *fonts, const char *language)
{
    page->context = pango_font_map_create_context(fonts);
    pango_context_set_language(page->context, pango_language_from_string(language));
    pango_context_set_base_dir(page->context, PANGO_DIRECTION_LTR);
    pango_context_set_round_glyph_positions(page->context, FALSE);
    cairo_font_options_t *options = cairo_font_options_create();
    cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_NONE);
    cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF);
    cairo_font_options_set_antialias(options, CAIRO_ANTIALIAS_GRAY);
    pango_cairo_context_set_font_options(page->context, options);
    pango_cairo_context_set_resolution(page->context, 72); /* a point is a unit of the surface */
    cairo_font_options_destroy(options);
}

enum err page_open(struct arena *arena, struct document_fonts *fonts, const char *language,
                   struct page **into)
{
    struct page *page = arena_alloc(arena, sizeof *page);
    page->arena = arena;
    page->pdf = buf_new(arena, DOCUMENT_BYTES_MAX);
    arena_defer(arena, page_release, page);
    open_context(page, fonts->map, language);
    page->surface = cairo_pdf_surface_create_for_stream(take_bytes, page, PAGE_WIDTH, PAGE_HEIGHT);
    cairo_pdf_surface_restrict_to_version(page->surface, CAIRO_PDF_VERSION_1_5);
    /* Without one, cairo writes the wall clock. The true one is set with the other metadata. */
    cairo_pdf_surface_set_metadata(page->surface, CAIRO_PDF_METADATA_CREATE_DATE,
                                   "1970-01-01T00:00:00Z");
    page->cairo = cairo_create(page->surface);
    *into = page;
    return OK;
}

static void set_ink(struct page *page, enum page_ink ink)
{
    cairo_set_source_rgb(page->cairo, inks[ink][0], inks[ink][1], inks[ink][2]);
}

static PangoLayout *layout_of(struct page *page, struct page_box box, struct page_style style,
                              const char *text)
{
    PangoLayout *layout = pango_layout_new(page->context);
    PangoFontDescription *font = pango_font_description_new();
    pango_font_description_set_family_static(font, style.mono ? font_families_mono : font_families);
    pango_font_description_set_weight(font, style.bold ? PANGO_WEIGHT_BOLD : PANGO_WEIGHT_NORMAL);
    pango_font_description_set_size(font, (int)(style.size * PANGO_SCALE));
    pango_layout_set_font_description(layout, font);
    pango_font_description_free(font);
    pango_layout_set_auto_dir(layout, FALSE); /* a right-to-left name stays at its label */
    pango_layout_set_alignment(layout, style.right ? PANGO_ALIGN_RIGHT : PANGO_ALIGN_LEFT);
    pango_layout_set_line_spacing(layout, 1.25F);
    pango_layout_set_wrap(layout, PANGO_WRAP_WORD_CHAR);
    pango_layout_set_ellipsize(layout, PANGO_ELLIPSIZE_END);
    pango_layout_set_width(layout, (int)(box.width * PANGO_SCALE));
    pango_layout_set_height(layout, -box.lines);
    pango_layout_set_text(layout, text, -1);
    return layout;
}

static double layout_height(PangoLayout *layout)
{
    int height = 0;
    pango_layout_get_size(layout, NULL, &height);
    return (double)height / PANGO_SCALE;
}

/* The clip holds ink that leaves its line, as piles of combining marks do. */
static double draw_layout(struct page *page, struct page_box box, struct page_style style,
                          PangoLayout *layout)
{
    double height = layout_height(layout);
    cairo_save(page->cairo);
    cairo_rectangle(page->cairo, box.x - 1, box.y - 2, box.width + 2, height + 4);
    cairo_clip(page->cairo);
    cairo_move_to(page->cairo, box.x, box.y);
    set_ink(page, style.ink);
    pango_cairo_show_layout(page->cairo, layout);
    cairo_restore(page->cairo);
    g_object_unref(layout);
    return height;
}

double page_text(struct page *page, struct page_box box, struct page_style style, const char *text)
{
    return draw_layout(page, box, style, layout_of(page, box, style, text));
}

double page_fit(struct page *page, struct page_box box, struct page_style style, const char *text)
{
    box.lines = 1;
    PangoLayout *layout = layout_of(page, box, style, text);
    while (pango_layout_is_ellipsized(layout) && style.size > FIT_SIZE_MIN) {
        g_object_unref(layout);
        style.size -= 0.5;
        layout = layout_of(page, box, style, text);
    }
    return draw_layout(page, box, style, layout);
}

double page_text_height(struct page *page, struct page_box box, struct page_style style,
                        const char *text)
{
    PangoLayout *layout = layout_of(page, box, style, text);
    double height = layout_height(layout);
    g_object_unref(layout);
    return height;
}

void page_rule(struct page *page, double x, double y, double width, bool strong)
{
    set_ink(page, strong ? INK_TEXT : INK_FAINT);
    cairo_set_line_width(page->cairo, strong ? 0.9 : 0.5);
    cairo_move_to(page->cairo, x, y);
    cairo_line_to(page->cairo, x + width, y);
    cairo_stroke(page->cairo);
}

void page_panel(struct page *page, struct page_box box, double height)
{
    cairo_set_source_rgb(page->cairo, 0.955, 0.963, 0.973);
    cairo_rectangle(page->cairo, box.x, box.y, box.width, height);
    cairo_fill(page->cairo);
}

enum err page_finish(struct page *page, struct bytes *pdf)
{
    cairo_show_page(page->cairo);
    cairo_surface_finish(page->surface);
    if (page->pdf.overflowed)
        return arena_fail(page->arena, ERR_LIMIT, NULL, "The document is larger than %d bytes.",
                          DOCUMENT_BYTES_MAX);
    cairo_status_t status = cairo_surface_status(page->surface);
    if (status == CAIRO_STATUS_SUCCESS)
        status = cairo_status(page->cairo);
    if (status != CAIRO_STATUS_SUCCESS)
        return arena_fail(page->arena, ERR_INTERNAL, NULL, "The document cannot be drawn: %s.",
                          cairo_status_to_string(status));
    *pdf = buf_bytes(&page->pdf);
    return OK;
}
