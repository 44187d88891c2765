#include <qpdf/qpdf-c.h>

#include "base/base.h"

#include "base/text.h"
#include "connectors/document/reading/pdf_walk.h"

enum { TREE_DEPTH_MAX = 32, ERROR_TEXT_WARNINGS_MAX = 100 };

static const char out_of_memory[] = "bad_alloc"; /* how libqpdf tells of it, in its error's text */

struct walk {
    struct arena *arena;
    const struct reading_limits *limits;
    qpdf_data pdf;
    int64_t nodes;
    struct pdf_attachments *found;
    enum reading_reason reason;
};

/* ---- opening ---- */

struct qpdf_holder {
    qpdf_data data;
};

static void holder_release(void *object)
{
    struct qpdf_holder *holder = object;
    qpdf_cleanup(&holder->data);
}

static void block_release(void *block)
{
    free(block);
}

static enum reading_reason reason_of(qpdf_data pdf, qpdf_error error)
{
    if (strstr(qpdf_get_error_full_text(pdf, error), out_of_memory))
        return READING_TOO_MUCH_MEMORY;
    if (qpdf_get_error_code(pdf, error) == qpdf_e_password)
        return READING_ENCRYPTED;
    return READING_DAMAGED;
}

static enum reading_reason open_pdf(struct walk *walk, struct bytes pdf)
{
    struct qpdf_holder *holder = arena_alloc(walk->arena, sizeof *holder);
    holder->data = qpdf_init();
    arena_defer(walk->arena, holder_release, holder);
    walk->pdf = holder->data;
    qpdf_silence_errors(walk->pdf);
    qpdf_set_suppress_warnings(walk->pdf, QPDF_TRUE);
    QPDF_ERROR_CODE read =
        qpdf_read_memory(walk->pdf, "document", (const char *)pdf.at, pdf.n, NULL);
    if (read & QPDF_ERRORS)
        return reason_of(walk->pdf, qpdf_get_error(walk->pdf));
    int64_t size = 0;
    qpdf_oh trailer = qpdf_get_trailer(walk->pdf);
    long long said = 0;
    if (qpdf_oh_get_value_as_longlong(walk->pdf, qpdf_oh_get_key(walk->pdf, trailer, "/Size"),
                                      &said))
        size = said;
    return size > walk->limits->objects ? READING_TOO_MANY_OBJECTS : READING_DONE;
}

/* What went wrong unseen: libqpdf replaces an object that it cannot read by null and warns. */
static enum reading_reason reason_afterwards(struct walk *walk)
{
    if (walk->reason != READING_DONE)
        return walk->reason;
    if (qpdf_has_error(walk->pdf) &&
        reason_of(walk->pdf, qpdf_get_error(walk->pdf)) == READING_TOO_MUCH_MEMORY)
        return READING_TOO_MUCH_MEMORY;
    for (int i = 0; i < ERROR_TEXT_WARNINGS_MAX && qpdf_more_warnings(walk->pdf); i++) {
        if (reason_of(walk->pdf, qpdf_next_warning(walk->pdf)) == READING_TOO_MUCH_MEMORY)
            return READING_TOO_MUCH_MEMORY;
    }
    return READING_DONE;
}

/* ---- one file ---- */

static const char *base_name(const char *path)
{
    for (const char *at = path; *at; at++) {
        if (*at == '/' || *at == '\\')
            path = at + 1;
    }
    return path;
}

static bool ends_with_xml(const char *name)
{
    size_t n = strlen(name);
    return n >= 4 && strcasecmp(name + n - 4, ".xml") == 0;
}

static bool name_of_standard(const char *name)
{
    static const char *const names[] = {"factur-x.xml", "zugferd-invoice.xml", "xrechnung.xml"};
    for (size_t i = 0; i < COUNT(names); i++) {
        if (strcasecmp(name, names[i]) == 0)
            return true;
    }
    return false;
}

static const char *file_name(struct walk *walk, qpdf_oh file)
{
    static const char *const keys[] = {"/UF", "/F"};
    for (size_t i = 0; i < COUNT(keys); i++) {
        const char *name = NULL;
        size_t n = 0;
        qpdf_oh value = qpdf_oh_get_key(walk->pdf, file, keys[i]);
        if (qpdf_oh_get_value_as_utf8(walk->pdf, value, &name, &n) && n > 0)
            return base_name(arena_text_n(walk->arena, name, n));
    }
    return "";
}

static qpdf_oh file_stream(struct walk *walk, qpdf_oh file)
{
    qpdf_oh files = qpdf_oh_get_key_if_dict(walk->pdf, file, "/EF");
    qpdf_oh stream = qpdf_oh_get_key_if_dict(walk->pdf, files, "/UF");
    if (!qpdf_oh_is_stream(walk->pdf, stream))
        stream = qpdf_oh_get_key_if_dict(walk->pdf, files, "/F");
    return stream;
}

/* libqpdf decodes whole streams; the address space of the child bounds what that can cost. */
static enum reading_reason file_bytes(struct walk *walk, qpdf_oh stream, struct bytes *into)
{
    QPDF_BOOL filtered = QPDF_FALSE;
    unsigned char *data = NULL;
    size_t n = 0;
    QPDF_ERROR_CODE read =
        qpdf_oh_get_stream_data(walk->pdf, stream, qpdf_dl_generalized, &filtered, &data, &n);
    enum reading_reason reason = READING_DONE;
    if (read & QPDF_ERRORS)
        reason = reason_of(walk->pdf, qpdf_get_error(walk->pdf));
    else if ((int64_t)n > walk->limits->xml_bytes)
        reason = READING_XML_TOO_LARGE;
    else if (!filtered)
        reason = READING_DAMAGED;
    if (reason != READING_DONE) {
        free(data);
        return reason;
    }
    if (data)
        arena_defer(walk->arena, block_release, data);
    *into = (struct bytes){data, n};
    return READING_DONE;
}

static bool known(const struct walk *walk, int object)
{
    for (size_t i = 0; i < walk->found->count; i++) {
        if (walk->found->all[i].object == object)
            return true;
    }
    return false;
}

/* Those that a standard names stand first, in the order of the document. */
static void insert(struct walk *walk, struct pdf_attachment attachment)
{
    struct pdf_attachments *found = walk->found;
    size_t at = found->count;
    while (attachment.named_invoice && at > 0 && !found->all[at - 1].named_invoice) {
        found->all[at] = found->all[at - 1];
        at--;
    }
    found->all[at] = attachment;
    found->count++;
}

/* The same file stands in the name tree and among the associated files, usually. */
static void add_file(struct walk *walk, qpdf_oh file)
{
    struct pdf_attachment attachment = {.name = file_name(walk, file)};
    qpdf_oh stream = file_stream(walk, file);
    if (!ends_with_xml(attachment.name) || !qpdf_oh_is_stream(walk->pdf, stream))
        return;
    attachment.object = qpdf_oh_get_object_id(walk->pdf, stream);
    if (known(walk, attachment.object))
        return;
    if ((int64_t)walk->found->count >= walk->limits->attachments) {
        walk->reason = READING_TOO_MANY_OBJECTS;
        return;
    }
    attachment.named_invoice = name_of_standard(attachment.name);
    attachment.reason = file_bytes(walk, stream, &attachment.bytes);
    insert(walk, attachment);
}

/* ---- where files stand ---- */

static bool may_visit(struct walk *walk)
{
    if (walk->reason == READING_DONE && ++walk->nodes > walk->limits->nodes)
        walk->reason = READING_TOO_MANY_OBJECTS;
    return walk->reason == READING_DONE;
}

/* [step, 2 * step, ...] of an array; releases each handle, or libqpdf keeps them all. */
static void each_item(struct walk *walk, qpdf_oh array, int from, int step)
{
    int count =
        qpdf_oh_is_array(walk->pdf, array) ? qpdf_oh_get_array_n_items(walk->pdf, array) : 0;
    for (int i = from; i < count && may_visit(walk); i += step) {
        qpdf_oh item = qpdf_oh_get_array_item(walk->pdf, array, i);
        if (qpdf_oh_is_dictionary(walk->pdf, item))
            add_file(walk, item);
        qpdf_oh_release(walk->pdf, item);
    }
}

/* A tree that points back to itself ends at a limit. */
static void walk_names(struct walk *walk, qpdf_oh node, int depth)
{
    if (!qpdf_oh_is_dictionary(walk->pdf, node) || !may_visit(walk))
        return;
    each_item(walk, qpdf_oh_get_key(walk->pdf, node, "/Names"), 1, 2);
    qpdf_oh kids = qpdf_oh_get_key(walk->pdf, node, "/Kids");
    int count = qpdf_oh_is_array(walk->pdf, kids) ? qpdf_oh_get_array_n_items(walk->pdf, kids) : 0;
    if (count > 0 && depth >= TREE_DEPTH_MAX)
        walk->reason = READING_TOO_MANY_OBJECTS;
    for (int i = 0; i < count && walk->reason == READING_DONE; i++) {
        qpdf_oh kid = qpdf_oh_get_array_item(walk->pdf, kids, i);
        walk_names(walk, kid, depth + 1);
        qpdf_oh_release(walk->pdf, kid);
    }
}

enum reading_reason pdf_walk(struct arena *arena, struct bytes pdf,
                             const struct reading_limits *limits, struct pdf_attachments *into)
{
    struct walk walk = {.arena = arena, .limits = limits, .found = into, .reason = READING_DONE};
    *into = (struct pdf_attachments){
        .all = arena_array(arena, (size_t)limits->attachments, sizeof *into->all)};
    enum reading_reason opened = open_pdf(&walk, pdf);
    if (opened != READING_DONE)
        return opened;
    qpdf_oh root = qpdf_get_root(walk.pdf);
    if (!qpdf_oh_is_dictionary(walk.pdf, root)) {
        enum reading_reason reason = reason_afterwards(&walk);
        return reason == READING_DONE ? READING_DAMAGED : reason;
    }
    qpdf_oh names = qpdf_oh_get_key_if_dict(walk.pdf, root, "/Names");
    walk_names(&walk, qpdf_oh_get_key_if_dict(walk.pdf, names, "/EmbeddedFiles"), 0);
    each_item(&walk, qpdf_oh_get_key_if_dict(walk.pdf, root, "/AF"), 0, 1);
    return reason_afterwards(&walk);
}
