/* sluice read-document: what an invoice says of itself. No database, no network, no configuration
 * file. */
#include "base/base.h"

#include "base/text.h"
#include "connectors/document/reading/reading.h"
#include "verbs.h"

enum { STATUS_USAGE = 2 };

static const char help_text[] =
    "usage: sluice read-document FILE\n"
    "\n"
    "Reads the invoice data that a PDF embeds (Factur-X, ZUGFeRD) or that an XML file is (CII, "
    "UBL),\n"
    "and prints it as JSON. \"-\" is the standard input. The pages of a PDF are not looked at.\n"
    "Needs no database, no network and no configuration.\n"
    "\n"
    "The file is read by a process of its own, which can open nothing, reach nothing and run only\n"
    "so long. \"outcome\" is read, no_data or unreadable; \"reason\" and \"sentence\" say why.\n"
    "\n"
    "Exit status: 0 the outcome is read or no_data; 1 the document is unreadable, or the file "
    "cannot\n"
    "be opened; 2 the command line is wrong.\n"
    "\n"
    "Limits: ";

static void print_help(void)
{
    fputs(help_text, stdout);
#define LIMIT_PRINT(name, value) printf("%s %lld, ", #name, (long long)(value));
    READING_LIMIT_TABLE(LIMIT_PRINT)
    puts("each an outcome of its own.");
}

static void close_file(void *file)
{
    fclose(file);
}

/* One byte more than a document may have, so that too large is told by who knows the limit. */
static enum err file_read(struct arena *arena, const char *path, size_t bytes_max,
                          struct bytes *into)
{
    bool standard = text_equal(path, "-");
    FILE *file = standard ? stdin : fopen(path, "rb");
    if (!file)
        return arena_fail(arena, ERR_IO, path, "The file cannot be opened.");
    if (!standard)
        arena_defer(arena, close_file, file);
    uint8_t *data = arena_alloc(arena, bytes_max + 1);
    size_t n = fread(data, 1, bytes_max + 1, file);
    if (ferror(file))
        return arena_fail(arena, ERR_IO, path, "The file cannot be read.");
    *into = (struct bytes){data, n};
    return OK;
}

enum err verb_read_document(struct invocation *invocation)
{
    struct arena *arena = invocation->arena;
    const struct document_reader reader = {.limits = reading_limits_default()};
    const char *path = invocation->argument_count == 1 ? invocation->arguments[0] : NULL;
    struct bytes document = {0};
    struct reading reading;
    if (path && text_equal(path, "--help")) {
        print_help();
        return OK;
    }
    invocation->status = STATUS_USAGE;
    if (!path || (text_starts(path, "-") && !text_equal(path, "-")))
        return arena_fail(arena, ERR_CONFIG, NULL,
                          "One file is wanted; `sluice read-document --help` says more.");
    invocation->status = 1;
    TRY(file_read(arena, path, (size_t)reader.limits.bytes, &document));
    TRY(document_read(arena, document, &reader, &reading));
    json_dumpf(reading_json(arena, &reading), stdout, JSON_INDENT(2));
    putchar('\n');
    invocation->status = text_equal(reading_outcome(reading.reason), "unreadable");
    return OK;
}

enum err verb_read_document_child(struct invocation *invocation)
{
    reading_child(invocation->arguments, invocation->argument_count);
}
