/* Documents read by a child process: the same answers, the limits that only a process can have, and
 * what the child can no longer do. This program is its own child, as the server is its own. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/text.h"
#include "connectors/document/reading/confine.h"
#include "connectors/document/reading/reading.h"
#include "pdf_make.h"

enum { FILE_BYTES_MAX = 1024 * 1024, FILES = 46, MEGABYTE = 1024 * 1024 };

static struct bytes file_bytes(struct arena *arena, const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        fail_msg("cannot read %s", path);
    uint8_t *data = arena_alloc(arena, FILE_BYTES_MAX);
    size_t n = fread(data, 1, FILE_BYTES_MAX, file);
    fclose(file);
    return (struct bytes){data, n};
}

static struct bytes text_bytes(const char *text)
{
    return (struct bytes){(const uint8_t *)text, strlen(text)};
}

static struct reading read_with(struct arena *arena, struct bytes document,
                                const struct document_reader *reader)
{
    struct reading reading = {.reason = READING_REASON_COUNT};
    assert_int_equal(document_read(arena, document, reader, &reading), OK);
    assert_int_equal(arena_failure(arena)->code, OK);
    return reading;
}

static void assert_reason(const struct reading *reading, enum reading_reason reason)
{
    assert_string_equal(reading_reason_slug(reading->reason), reading_reason_slug(reason));
}

static struct document_reader usual(void)
{
    return (struct document_reader){.limits = reading_limits_default()};
}

static const char *shown(struct arena *arena, const struct reading *reading)
{
    return json_write(arena, reading_json(arena, reading));
}

static void test_the_child_answers_what_the_golden_files_hold(void **state)
{
    (void)state;
    const struct document_reader reader = usual();
    int files = 0;
    DIR *folder = opendir(TEST_DATA "/invoices");
    assert_non_null(folder);
    for (struct dirent *entry; (entry = readdir(folder));) {
        if (!text_ends(entry->d_name, ".pdf"))
            continue;
        struct arena *arena = arena_open();
        const char *path = arena_format(arena, TEST_DATA "/invoices/%s", entry->d_name);
        const char *golden = arena_format(arena, SOURCE_ROOT "/tests/golden/document/%.*s.json",
                                          (int)strlen(entry->d_name) - 4, entry->d_name);
        json_t *value = NULL;
        struct reading reading = read_with(arena, file_bytes(arena, path), &reader);
        assert_int_equal(json_parse(arena, file_bytes(arena, golden), &value), OK);
        assert_string_equal(shown(arena, &reading), json_write(arena, value));
        arena_close(arena);
        files++;
    }
    closedir(folder);
    assert_int_equal(files, FILES);
}

/* Its decoder is a file of the C library, which the child may not open any more. */
static void test_encodings_that_come_from_files(void **state)
{
    (void)state;
    struct arena *arena = arena_open();
    const struct document_reader reader = usual();
    struct reading reading = read_with(
        arena,
        text_bytes("<?xml version='1.0' encoding='windows-1252'?><Invoice xmlns='urn:oasis:names:"
                   "specification:ubl:schema:xsd:Invoice-2'><ID>10 \x80</ID></Invoice>"),
        &reader);
    assert_reason(&reading, READING_DONE);
    assert_string_equal(reading.invoice.number, "10 €");
    arena_close(arena);
}

static void test_small_and_empty_documents(void **state)
{
    (void)state;
    struct arena *arena = arena_open();
    const struct document_reader reader = usual();
    struct reading reading = read_with(arena, text_bytes(""), &reader);
    assert_reason(&reading, READING_UNKNOWN_TYPE);
    reading = read_with(arena, text_bytes("\xff\xd8\xff\xe0 a picture"), &reader);
    assert_reason(&reading, READING_NO_DATA);
    assert_string_equal(reading.media_type, "image/jpeg");
    arena_close(arena);
}

/* "a/b" becomes <a><b>text</b></a>. */
static void add_element(struct buf *into, const char *path, const char *text)
{
    size_t n = strcspn(path, "/");
    buf_format(into, "<%.*s>", (int)n, path);
    if (path[n] == '/')
        add_element(into, path + n + 1, text);
    else
        buf_add_text(into, text);
    buf_format(into, "</%.*s>", (int)n, path);
}

/* Every text as long as it may be, of characters that JSON writes as two. */
static void test_the_longest_answer_fits(void **state)
{
    (void)state;
    static const char *const elements[] = {
        "CustomizationID",
        "ID",
        "InvoiceTypeCode",
        "BuyerReference",
        "AccountingSupplierParty/Party/EndpointID",
        "AccountingSupplierParty/Party/PartyName/Name",
        "AccountingSupplierParty/Party/PostalAddress/StreetName",
        "AccountingSupplierParty/Party/PostalAddress/CityName",
        "AccountingSupplierParty/Party/PostalAddress/PostalZone",
        "AccountingSupplierParty/Party/PartyLegalEntity/CompanyID",
        "PayeeParty/PartyName/Name"};
    struct arena *arena = arena_open();
    const struct document_reader reader = usual();
    struct buf text = buf_new(arena, FILE_BYTES_MAX);
    char quotes[READING_ID_BYTES_MAX + 1];
    memset(quotes, '"', sizeof quotes - 1);
    quotes[sizeof quotes - 1] = '\0';
    buf_add_text(&text, "<Invoice xmlns='urn:oasis:names:specification:ubl:schema:xsd:Invoice-2'>");
    for (size_t i = 0; i < COUNT(elements); i++)
        add_element(&text, elements[i], quotes);
    for (int i = 0; i < READING_ACCOUNTS_MAX; i++)
        add_element(&text, "PaymentMeans/PayeeFinancialAccount/ID", quotes);
    for (int i = 0; i < READING_REFERENCES_MAX; i++)
        add_element(&text, "BillingReference/InvoiceDocumentReference/ID", quotes);
    for (int i = 0; i < READING_TAXES_MAX; i++)
        add_element(&text, "TaxTotal/TaxSubtotal/TaxCategory/Percent", quotes);
    buf_add_text(&text, "</Invoice>");
    struct reading reading = read_with(arena, buf_bytes(&text), &reader);
    assert_reason(&reading, READING_DONE);
    assert_string_equal(reading.invoice.number, quotes);
    assert_string_equal(reading.invoice.taxes[READING_TAXES_MAX - 1].rate, quotes);
    assert_string_equal(reading.invoice.accounts[READING_ACCOUNTS_MAX - 1].iban, quotes);
    arena_close(arena);
}

/* ---- limits ---- */

static void test_a_large_document(void **state)
{
    (void)state;
    struct arena *arena = arena_open();
    struct document_reader reader = usual();
    struct bytes document = {arena_alloc(arena, (size_t)reader.limits.bytes + 1),
                             (size_t)reader.limits.bytes};
    struct reading reading = read_with(arena, document, &reader);
    assert_reason(&reading, READING_UNKNOWN_TYPE); /* it was looked at */
    document.n++;
    reading = read_with(arena, document, &reader);
    assert_reason(&reading, READING_TOO_LARGE);
    arena_close(arena);
}

/* `count` files of 1 + 258 * `runs` zeros each. */
static struct bytes bombs(struct arena *arena, int count, size_t runs)
{
    struct bytes zeros = zeros_deflated(arena, runs);
    struct pdf_make *pdf = pdf_make_new(arena);
    struct buf list = buf_new(arena, MEGABYTE);
    for (int i = 0; i < count; i++)
        buf_format(&list, "%d 0 R ", 2 + 2 * i);
    pdf_make_object(pdf, arena_format(arena, "<< /Type /Catalog /AF [%s] >>", list.data));
    for (int i = 0; i < count; i++) {
        pdf_make_file(pdf, "factur-x.xml", 3 + 2 * i);
        pdf_make_stream(pdf, "/Filter /FlateDecode", zeros);
    }
    return pdf_make_end(pdf, 0);
}

static void test_a_file_that_swells(void **state)
{
    (void)state;
    struct arena *arena = arena_open();
    const struct document_reader reader = usual();
    struct reading reading =
        read_with(arena, bombs(arena, 1, 40 * MEGABYTE / 258), &reader); /* 260 KB in the PDF */
    assert_reason(&reading, READING_XML_TOO_LARGE);
    arena_close(arena);
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
static void test_a_file_that_swells_beyond_memory(void **state)
{
    (void)state;
    struct arena *arena = arena_open();
    const struct document_reader reader = usual();
    struct reading reading =
        read_with(arena, bombs(arena, 1, 700 * (MEGABYTE / 258)), &reader); /* 4.6 MB */
    assert_reason(&reading, READING_TOO_MUCH_MEMORY);
    struct rusage children;
    assert_int_equal(getrusage(RUSAGE_CHILDREN, &children), 0);
    assert_true(children.ru_maxrss <= reader.limits.memory_bytes / 1024);
    arena_close(arena);
}

static void test_a_child_without_room_to_begin(void **state)
{
    (void)state;
    struct arena *arena = arena_open();
    struct document_reader reader = usual();
    struct reading reading;
    reader.limits.memory_bytes = MEGABYTE;
    assert_int_equal(document_read(arena, text_bytes("<a/>"), &reader, &reading), ERR_INTERNAL);
    arena_close(arena);
}
#endif

/* Some five thousand million zeros, decoded and thrown away file by file. */
static struct bytes slow_document(struct arena *arena)
{
    return bombs(arena, 200, 25 * MEGABYTE / 258);
}

static struct document_reader slow_reader(void)
{
    struct document_reader reader = usual();
    reader.limits.bytes = PDF_MAKE_BYTES_MAX;
    reader.limits.attachments = 200;
    return reader;
}

static void test_too_much_computing(void **state)
{
    (void)state;
    struct arena *arena = arena_open();
    struct document_reader reader = slow_reader();
    reader.limits.cpu_s = 1;
    reader.limits.wall_ms = 100 * 1000;
    int64_t start_us = monotonic_us();
    struct reading reading = read_with(arena, slow_document(arena), &reader);
    assert_reason(&reading, READING_TOO_SLOW);
    assert_string_equal(reading_reason_sentence(reading.reason), "Unreadable: too slow.");
    assert_true(monotonic_us() - start_us < 60 * INT64_C(1000000));
    arena_close(arena);
}

/* No child of this process is left, living or dead. */
static void assert_no_child(void)
{
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

static void test_too_long_a_wait(void **state)
{
    (void)state;
    struct arena *arena = arena_open();
    struct document_reader reader = slow_reader();
    reader.limits.cpu_s = 100;
    reader.limits.wall_ms = 300;
    struct bytes document = slow_document(arena);
    int64_t start_us = monotonic_us();
    struct reading reading = read_with(arena, document, &reader);
    assert_reason(&reading, READING_TOO_SLOW);
    assert_true(monotonic_us() - start_us < 20 * INT64_C(1000000));
    assert_no_child();
    arena_close(arena);
}

/* ---- children that are not what they should be ---- */

static void test_programs_that_do_not_answer(void **state)
{
    (void)state;
    struct arena *arena = arena_open();
    struct document_reader reader = usual();
    struct reading reading;
    reader.program = "/bin/false"; /* ends at once */
    reading = read_with(arena, text_bytes("<a/>"), &reader);
    assert_reason(&reading, READING_CRASHED);
    reader.program = "/bin/true";
    reading = read_with(arena, file_bytes(arena, TEST_DATA "/pdf/password.pdf"), &reader);
    assert_reason(&reading, READING_CRASHED);
    reader.program = "/usr/bin/yes"; /* never ends */
    reading = read_with(arena, text_bytes("<a/>"), &reader);
    assert_reason(&reading, READING_CRASHED);
    reader.program = "/nonexistent";
    assert_int_equal(document_read(arena, text_bytes("<a/>"), &reader, &reading), ERR_BUSY);
    assert_no_child();
    arena_close(arena);
}

/* ---- what the child can no longer do ---- */

/* One bit for each thing that was possible all the same. */
static int tried(pid_t parent)
{
    int possible = 0;
    possible |= (open("/etc/passwd", O_RDONLY) >= 0) << 0;
    possible |= (socket(AF_INET, SOCK_STREAM, 0) >= 0) << 1;
    possible |= (fork() >= 0) << 2;
    possible |= (kill(parent, 0) == 0) << 3;
    possible |=
        (mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED)
        << 4;
    possible |= (dup(STDOUT_FILENO) >= 0) << 5;
    possible |= (unlink("/tmp/sluice-nothing") == 0 || errno != EPERM) << 6;
    const struct rlimit more = {RLIM_INFINITY, RLIM_INFINITY};
    possible |= (setrlimit(RLIMIT_CPU, &more) == 0) << 7;
    return possible;
}

static void test_what_a_confined_process_cannot_do(void **state)
{
    (void)state;
    const struct reading_limits limits = reading_limits_default();
    enum { NOT_CONFINED = 255 };
    pid_t parent = getpid();
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(confine(&limits) ? tried(parent) : NOT_CONFINED);
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

/* As deploy/systemd has it: @system-service of systemd 252 knows no seccomp(2), @resources is taken
 * away, and what is refused ends in EPERM. */
static bool filter_of_the_units(void)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    bool loaded = filter &&
                  seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(seccomp), 0) == 0 &&
                  seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(setrlimit), 0) == 0 &&
                  seccomp_load(filter) == 0;
    seccomp_release(filter);
    return loaded && syscall(SCMP_SYS(seccomp), 0, 1, NULL) < 0 && errno == EPERM;
}

static int read_within_the_units(void)
{
    enum { NO_FILTER = 100, NO_CHILD = 101 };
    struct arena *arena = arena_open();
    const struct document_reader reader = usual();
    struct reading reading;
    if (!filter_of_the_units())
        return NO_FILTER;
    if (document_read(arena, text_bytes("<a/>"), &reader, &reading) != OK)
        return NO_CHILD;
    arena_close(arena);
    return (int)reading.reason;
}

static void test_the_child_confines_itself_within_a_service(void **state)
{
    (void)state;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(read_within_the_units());
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), READING_XML_UNKNOWN);
}

int main(int argc, char **argv)
{
    if (argc > 1 && text_equal(argv[1], READING_CHILD_VERB))
        reading_child(argv + 2, argc - 2);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_child_answers_what_the_golden_files_hold),
        cmocka_unit_test(test_encodings_that_come_from_files),
        cmocka_unit_test(test_small_and_empty_documents),
        cmocka_unit_test(test_the_longest_answer_fits),
        cmocka_unit_test(test_a_large_document),
        cmocka_unit_test(test_a_file_that_swells),
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
        cmocka_unit_test(test_a_file_that_swells_beyond_memory),
        cmocka_unit_test(test_a_child_without_room_to_begin),
#endif
        cmocka_unit_test(test_too_much_computing),
        cmocka_unit_test(test_too_long_a_wait),
        cmocka_unit_test(test_programs_that_do_not_answer),
        cmocka_unit_test(test_what_a_confined_process_cannot_do),
        cmocka_unit_test(test_the_child_confines_itself_within_a_service),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
