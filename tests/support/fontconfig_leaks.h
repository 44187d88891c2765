/* fontconfig parses the machine's configuration once per process, from a thread of pango's, and
 * keeps a few hundred bytes of it for good. What we own of it is freed with each page, which
 * test_document counts. Include once in a program that draws documents. */
#ifndef SLUICE_TESTS_FONTCONFIG_LEAKS_H
#define SLUICE_TESTS_FONTCONFIG_LEAKS_H

const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libfontconfig.so\n";
}

#endif
