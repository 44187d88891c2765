/* What sanitizers say of the libraries that draw documents. Include once in a program that draws.
 *
 * Leaks: fontconfig parses the machine's configuration once per process, from a thread of pango's,
 * and keeps a few hundred bytes of it for good. What we own of it is freed with each page, which
 * test_document counts.
 *
 * Races: the libraries are not built for ThreadSanitizer, which does not see their atomic
 * operations and locks. Races in our own code are still reported. */
#ifndef SLUICE_TEST_FONT_LIBRARIES_H
#define SLUICE_TEST_FONT_LIBRARIES_H

const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libfontconfig.so\n";
}

const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void)
{
    return "race:libfontconfig.so\n"
           "race:libpango\n"
           "race:libcairo.so\n"
           "race:libharfbuzz.so\n"
           "race:libfreetype.so\n"
           "race:libglib-2.0.so\n"
           "race:libgobject-2.0.so\n"
           "race:tzset_internal\n";
}

#endif
