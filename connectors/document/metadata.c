#include <qpdf/qpdf-c.h>

#include "base/base.h"

#include "connectors/document/metadata.h"

#include "base/buf.h"
#include "connectors/document/document.h"

enum { XMP_BYTES_MAX = 64 * 1024 };

static const char xmp_head[] =
    "<?xpacket begin=\"\xef\xbb\xbf\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\n"
    "<x:xmpmeta xmlns:x=\"adobe:ns:meta/\">\n"
    "<rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">\n"
    "<rdf:Description rdf:about=\"\" xmlns:dc=\"http://purl.org/dc/elements/1.1/\""
    " xmlns:xmp=\"http://ns.adobe.com/xap/1.0/\" xmlns:pdf=\"http://ns.adobe.com/pdf/1.3/\""
    " xmlns:sluice=\"urn:sluice:document:1\">\n";
static const char xmp_tail[] = "</rdf:Description>\n</rdf:RDF>\n</x:xmpmeta>\n"
                               "<?xpacket end=\"r\"?>\n";

void metadata_add(struct metadata *metadata, const char *name, const char *value)
{
    if (!value)
        return;
    assert(metadata->field_count < METADATA_FIELDS_MAX);
    metadata->fields[metadata->field_count++] = (struct metadata_field){name, value};
}

static void add_escaped(struct buf *into, const char *text)
{
    for (; *text; text++) {
        switch (*text) {
        case '<':
            buf_add_text(into, "&lt;");
            break;
        case '>':
            buf_add_text(into, "&gt;");
            break;
        case '&':
            buf_add_text(into, "&amp;");
            break;
        default:
            buf_add_char(into, *text);
        }
    }
}

static void add_element(struct buf *into, const char *name, const char *value)
{
    buf_format(into, "<%s>", name);
    add_escaped(into, value);
    buf_format(into, "</%s>\n", name);
}

/* Texts that XMP holds once per language. */
static void add_alternative(struct buf *into, const char *name, const char *value)
{
    buf_format(into, "<%s><rdf:Alt><rdf:li xml:lang=\"x-default\">", name);
    add_escaped(into, value);
    buf_format(into, "</rdf:li></rdf:Alt></%s>\n", name);
}

static enum err xmp_of(struct arena *arena, const struct metadata *metadata, struct buf *xmp)
{
    *xmp = buf_new(arena, XMP_BYTES_MAX);
    const char *at = instant_format(arena, metadata->created_at);
    buf_add_text(xmp, xmp_head);
    add_element(xmp, "dc:format", "application/pdf");
    add_alternative(xmp, "dc:title", metadata->title);
    add_alternative(xmp, "dc:description", metadata->subject);
    buf_add_text(xmp, "<dc:creator><rdf:Seq><rdf:li>");
    add_escaped(xmp, metadata->author);
    buf_add_text(xmp, "</rdf:li></rdf:Seq></dc:creator>\n");
    add_element(xmp, "pdf:Keywords", metadata->keywords);
    add_element(xmp, "pdf:Producer", "Sluice");
    add_element(xmp, "xmp:CreatorTool", "Sluice");
    add_element(xmp, "xmp:CreateDate", at);
    add_element(xmp, "xmp:ModifyDate", at);
    for (size_t i = 0; i < metadata->field_count; i++)
        add_element(xmp, arena_format(arena, "sluice:%s", metadata->fields[i].name),
                    metadata->fields[i].value);
    buf_add_text(xmp, xmp_tail);
    if (xmp->overflowed)
        return arena_fail(arena, ERR_LIMIT, NULL, "The metadata is larger than %d bytes.",
                          XMP_BYTES_MAX);
    return OK;
}

/* qpdf_cleanup wants the address of the handle, which must live as long as the arena. */
struct qpdf_holder {
    qpdf_data data;
};

static void qpdf_release(void *object)
{
    struct qpdf_holder *holder = object;
    qpdf_cleanup(&holder->data);
}

static qpdf_data qpdf_open(struct arena *arena)
{
    struct qpdf_holder *holder = arena_alloc(arena, sizeof *holder);
    holder->data = qpdf_init();
    arena_defer(arena, qpdf_release, holder);
    qpdf_silence_errors(holder->data);
    qpdf_set_suppress_warnings(holder->data, QPDF_TRUE);
    return holder->data;
}

/* "D:20261120102223Z" */
static const char *pdf_date(struct arena *arena, struct instant at)
{
    const char *text = instant_format(arena, at);
    return arena_format(arena, "D:%.4s%.2s%.2s%.2s%.2s%.2sZ", text, text + 5, text + 8, text + 11,
                        text + 14, text + 17);
}

static void set_information(qpdf_data pdf, struct arena *arena, const struct metadata *metadata)
{
    const char *at = pdf_date(arena, metadata->created_at);
    const char *const entries[][2] = {
        {"/Title", metadata->title},
        {"/Subject", metadata->subject},
        {"/Keywords", metadata->keywords},
        {"/Author", metadata->author},
        {"/Creator", "Sluice"},
        {"/Producer", "Sluice"},
        {"/CreationDate", at},
        {"/ModDate", at},
    };
    qpdf_oh information = qpdf_oh_new_dictionary(pdf);
    for (size_t i = 0; i < COUNT(entries); i++)
        qpdf_oh_replace_key(pdf, information, entries[i][0],
                            qpdf_oh_new_unicode_string(pdf, entries[i][1]));
    qpdf_oh_replace_key(pdf, qpdf_get_trailer(pdf), "/Info",
                        qpdf_make_indirect_object(pdf, information));
}

static void set_catalog(qpdf_data pdf, const struct metadata *metadata, const struct buf *xmp)
{
    qpdf_oh root = qpdf_get_root(pdf);
    qpdf_oh_replace_key(pdf, root, "/Lang", qpdf_oh_new_unicode_string(pdf, metadata->language));
    qpdf_oh_replace_key(pdf, root, "/ViewerPreferences",
                        qpdf_oh_parse(pdf, "<< /DisplayDocTitle true >>"));
    qpdf_oh stream = qpdf_oh_new_stream(pdf);
    qpdf_oh dictionary = qpdf_oh_get_dict(pdf, stream);
    qpdf_oh_replace_key(pdf, dictionary, "/Type", qpdf_oh_new_name(pdf, "/Metadata"));
    qpdf_oh_replace_key(pdf, dictionary, "/Subtype", qpdf_oh_new_name(pdf, "/XML"));
    qpdf_oh_replace_stream_data(pdf, stream, (const unsigned char *)xmp->data, xmp->n,
                                qpdf_oh_new_null(pdf), qpdf_oh_new_null(pdf));
    qpdf_oh_replace_key(pdf, root, "/Metadata", stream);
}

static enum err failed(struct arena *arena, qpdf_data pdf)
{
    const char *text =
        qpdf_has_error(pdf) ? qpdf_get_error_message_detail(pdf, qpdf_get_error(pdf)) : "unknown";
    return arena_fail(arena, ERR_INTERNAL, NULL, "The document's metadata cannot be written: %s.",
                      text);
}

enum err metadata_write(struct arena *arena, const struct metadata *metadata, struct bytes pdf,
                        struct bytes *into)
{
    struct buf xmp;
    TRY(xmp_of(arena, metadata, &xmp));
    qpdf_data data = qpdf_open(arena);
    if (qpdf_read_memory(data, "document", (const char *)pdf.at, pdf.n, NULL) & QPDF_ERRORS)
        return failed(arena, data);
    set_information(data, arena, metadata);
    set_catalog(data, metadata, &xmp);
    if (qpdf_init_write_memory(data) & QPDF_ERRORS)
        return failed(arena, data);
    qpdf_set_deterministic_ID(data, QPDF_TRUE);
    if (qpdf_write(data) & QPDF_ERRORS || qpdf_has_error(data))
        return failed(arena, data);
    size_t n = qpdf_get_buffer_length(data);
    if (n > DOCUMENT_BYTES_MAX)
        return arena_fail(arena, ERR_LIMIT, NULL, "The document is larger than %d bytes.",
                          DOCUMENT_BYTES_MAX);
    *into = (struct bytes){arena_copy(arena, qpdf_get_buffer(data), n), n};
    return OK;
}
