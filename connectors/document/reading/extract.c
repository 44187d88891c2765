#include "base/base.h"

#include "base/text.h"
#include "connectors/document/clean.h"
#include "connectors/document/reading/pdf_walk.h"
#include "connectors/document/reading/syntax.h"
#include "connectors/document/reading/xml_tree.h"

enum { PDF_HEADER_BYTES = 1024 }; /* within which readers look for "%PDF-" (ISO 32000-1, annex H) */

/* ---- what it is ---- */

static bool starts(struct bytes document, const char *with, size_t n)
{
    return document.n >= n && memcmp(document.at, with, n) == 0;
}

/* Other bytes may stand before the header. */
static bool holds_pdf(struct bytes document)
{
    size_t n = document.n < PDF_HEADER_BYTES ? document.n : PDF_HEADER_BYTES;
    return n >= 5 && memmem(document.at, n, "%PDF-", 5);
}

/* '<' behind a byte order mark and blanks, in UTF-8 or UTF-16. */
static bool is_xml(struct bytes document)
{
    size_t at = 0;
    if (starts(document, "\xef\xbb\xbf", 3))
        at = 3;
    else if (starts(document, "\xff\xfe<", 3) || starts(document, "\xfe\xff\0<", 4))
        return true;
    while (at < document.n && document.at[at] && strchr(" \t\r\n", document.at[at]))
        at++;
    return at < document.n && document.at[at] == '<';
}

static const char *media_type_of(struct bytes document)
{
    if (starts(document, "%PDF-", 5))
        return "application/pdf";
    if (is_xml(document))
        return "application/xml";
    if (starts(document, "\xff\xd8\xff", 3))
        return "image/jpeg";
    if (starts(document, "\x89PNG\r\n\x1a\n", 8))
        return "image/png";
    if (starts(document, "GIF87a", 6) || starts(document, "GIF89a", 6))
        return "image/gif";
    return holds_pdf(document) ? "application/pdf" : "application/octet-stream";
}

/* ---- what it says ---- */

static struct reading_invoice empty_invoice(void)
{
    return (struct reading_invoice){
        .issued = {DATE_NONE}, .due = {DATE_NONE}, .delivered = {DATE_NONE}};
}

static enum reading_reason read_xml(struct arena *arena, struct bytes xml,
                                    const struct reading_limits *limits,
                                    struct reading_invoice *into)
{
    struct xml_node *root;
    enum reading_reason reason = xml_tree_read(arena, xml, limits, &root);
    *into = empty_invoice();
    if (reason != READING_DONE)
        return reason;
    if (cii_is(root))
        cii_read(arena, root, into);
    else if (ubl_is(root))
        ubl_read(arena, root, into);
    else
        return READING_XML_UNKNOWN;
    return READING_DONE;
}

/* The first that is an invoice. When none is, what a file of a standard's name came to is the
 * reason; other XML files may be anything, so that a PDF which has only those has no data. */
static enum reading_reason read_pdf(struct arena *arena, struct bytes pdf,
                                    const struct reading_limits *limits,
                                    struct reading_invoice *into)
{
    struct pdf_attachments attachments;
    enum reading_reason reason = pdf_walk(arena, pdf, limits, &attachments);
    if (reason != READING_DONE)
        return reason;
    reason = READING_NO_DATA;
    for (size_t i = 0; i < attachments.count; i++) {
        const struct pdf_attachment *file = &attachments.all[i];
        enum reading_reason one = file->reason == READING_DONE
                                      ? read_xml(arena, file->bytes, limits, into)
                                      : file->reason;
        if (one == READING_DONE) {
            into->attachment_name = document_clean(arena, file->name, READING_NAME_BYTES_MAX);
            return READING_DONE;
        }
        if (file->named_invoice && reason == READING_NO_DATA)
            reason = one;
    }
    return reason;
}

void reading_extract(struct arena *arena, struct bytes document,
                     const struct reading_limits *limits, struct reading *into)
{
    *into = (struct reading){.media_type = media_type_of(document), .invoice = empty_invoice()};
    if ((int64_t)document.n > limits->bytes)
        into->reason = READING_TOO_LARGE;
    else if (text_equal(into->media_type, "application/pdf"))
        into->reason = read_pdf(arena, document, limits, &into->invoice);
    else if (text_equal(into->media_type, "application/xml"))
        into->reason = read_xml(arena, document, limits, &into->invoice);
    else if (text_starts(into->media_type, "image/"))
        into->reason = READING_NO_DATA;
    else
        into->reason = READING_UNKNOWN_TYPE;
}
