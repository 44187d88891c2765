/* Any bytes are walked as a PDF to an end that has a name; what comes out is within the limits. */
#include "base/base.h"

#include "base/text.h"
#include "connectors/document/reading/pdf_walk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_open();
    struct reading_limits limits = reading_limits_default();
    struct pdf_attachments attachments;
    limits.xml_bytes = 64 * 1024;
    enum reading_reason reason = pdf_walk(arena, (struct bytes){data, size}, &limits, &attachments);
    require(reason == READING_DONE || reason == READING_DAMAGED || reason == READING_ENCRYPTED ||
            reason == READING_TOO_MANY_OBJECTS || reason == READING_TOO_MUCH_MEMORY);
    require((int64_t)attachments.count <= limits.attachments);
    bool named = true;
    for (size_t i = 0; i < attachments.count; i++) {
        const struct pdf_attachment *file = &attachments.all[i];
        require(text_ends(file->name, "l") || text_ends(file->name, "L"));
        require(file->reason == READING_DONE ? (int64_t)file->bytes.n <= limits.xml_bytes
                                             : file->bytes.n == 0);
        require(named || !file->named_invoice); /* those of a standard's name come first */
        named = file->named_invoice;
    }
    arena_close(arena);
    return 0;
}
