/* Small PDFs for tests, written by hand so that every part of one can be wrong. */
#ifndef SLUICE_TESTS_PDF_MAKE_H
#define SLUICE_TESTS_PDF_MAKE_H

#include "base/buf.h"

enum { PDF_MAKE_BYTES_MAX = 128 * 1024 * 1024, PDF_MAKE_OBJECTS_MAX = 2000 };

struct pdf_make {
    struct buf text;
    size_t offsets[PDF_MAKE_OBJECTS_MAX];
    int objects;
};

static inline struct pdf_make *pdf_make_new(struct arena *arena)
{
    struct pdf_make *pdf = arena_alloc(arena, sizeof *pdf);
    pdf->text = buf_new(arena, PDF_MAKE_BYTES_MAX);
    buf_add_text(&pdf->text, "%PDF-1.7\n");
    return pdf;
}

/* Objects are numbered from 1 in the order in which they are added. */
static inline void pdf_make_object(struct pdf_make *pdf, const char *body)
{
    pdf->offsets[pdf->objects++] = pdf->text.n;
    buf_format(&pdf->text, "%d 0 obj\n", pdf->objects);
    buf_add_text(&pdf->text, body);
    buf_add_text(&pdf->text, "\nendobj\n");
}

static inline void pdf_make_stream(struct pdf_make *pdf, const char *entries, struct bytes data)
{
    pdf->offsets[pdf->objects++] = pdf->text.n;
    buf_format(&pdf->text, "%d 0 obj\n<< %s /Length %zu >>\nstream\n", pdf->objects, entries,
               data.n);
    buf_add(&pdf->text, data.at, data.n);
    buf_add_text(&pdf->text, "\nendstream\nendobj\n");
}

static inline void pdf_make_file(struct pdf_make *pdf, const char *name, int stream)
{
    pdf_make_object(pdf, arena_format(pdf->text.arena,
                                      "<< /Type /Filespec /F (%s) /UF (%s) /EF << /F %d 0 R >> >>",
                                      name, name, stream));
}

/* The root is object 1. `size_said` is what the trailer claims; 0: the truth. */
static inline struct bytes pdf_make_end(struct pdf_make *pdf, int size_said)
{
    size_t start = pdf->text.n;
    buf_format(&pdf->text, "xref\n0 %d\n0000000000 65535 f \n", pdf->objects + 1);
    for (int i = 0; i < pdf->objects; i++)
        buf_format(&pdf->text, "%010zu 00000 n \n", pdf->offsets[i]);
    buf_format(&pdf->text, "trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%zu\n%%%%EOF\n",
               size_said ? size_said : pdf->objects + 1, start);
    return buf_bytes(&pdf->text);
}

/* One page and one attached file, unless `name` is NULL. */
static inline struct bytes pdf_make_simple(struct arena *arena, const char *name,
                                           const char *entries, struct bytes data)
{
    struct pdf_make *pdf = pdf_make_new(arena);
    pdf_make_object(pdf, name ? "<< /Type /Catalog /Pages 2 0 R /Names << /EmbeddedFiles << "
                                "/Names [(a) 4 0 R] >> >> >>"
                              : "<< /Type /Catalog /Pages 2 0 R >>");
    pdf_make_object(pdf, "<< /Type /Pages /Count 1 /Kids [3 0 R] >>");
    pdf_make_object(pdf, "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 200] >>");
    if (name) {
        pdf_make_file(pdf, name, 5);
        pdf_make_stream(pdf, entries, data);
    }
    return pdf_make_end(pdf, 0);
}

/* ---- zeros in little room: zlib (RFC 1950) around one block of fixed codes (RFC 1951) ---- */

struct bit_writer {
    struct buf *into;
    unsigned held;
    int count;
};

/* Codes come most significant bit first. */
static inline void write_code(struct bit_writer *writer, unsigned code, int bits)
{
    for (int i = bits - 1; i >= 0; i--) {
        writer->held |= ((code >> i) & 1u) << writer->count;
        if (++writer->count == 8) {
            buf_add_char(writer->into, (char)writer->held);
            writer->held = 0;
            writer->count = 0;
        }
    }
}

/* 1 + 258 * `runs` zeros; a run takes 13 bits. */
static inline struct bytes zeros_deflated(struct arena *arena, size_t runs)
{
    struct buf *into = arena_alloc(arena, sizeof *into);
    *into = buf_new(arena, PDF_MAKE_BYTES_MAX);
    struct bit_writer writer = {.into = into};
    buf_add(into, "\x78\x01", 2);
    write_code(&writer, 1, 1);    /* the last block */
    write_code(&writer, 2, 2);    /* of fixed codes; this number has its low bit first */
    write_code(&writer, 0x30, 8); /* the literal 0 */
    for (size_t i = 0; i < runs; i++) {
        write_code(&writer, 0xc5, 8); /* 258 bytes, */
        write_code(&writer, 0, 5);    /* from one byte before */
    }
    write_code(&writer, 0, 7); /* the end */
    while (writer.count > 0)
        write_code(&writer, 0, 1);
    size_t sum = (1 + 258 * runs) % 65521; /* Adler-32 of zeros */
    const char adler[] = {(char)(sum >> 8), (char)sum, 0, 1};
    buf_add(into, adler, sizeof adler);
    return buf_bytes(into);
}

#endif
