/* The files of `sluice match`. Private to verb_match.c. */
#ifndef SLUICE_MATCH_FILES_H
#define SLUICE_MATCH_FILES_H

#include "matcher/batch/table.h"

/* Reads a file (or a pipe) whole and as a table. */
enum err match_file_read(struct arena *arena, const char *path, struct table *into) MUST_USE;

/* What is written appears under its name when it is finished, or not at all. Where the name belongs
 * to something that is no file (a pipe, a terminal), it is written directly. */
struct match_output {
    FILE *to;
    const char *path;  /* NULL: standard output */
    const char *draft; /* removed unless it is finished; NULL: none */
};
enum err match_output_open(struct arena *arena, const char *path,
                           struct match_output *into) MUST_USE;
enum err match_output_finish(struct arena *arena, struct match_output *output) MUST_USE;
void match_output_drop(struct match_output *output);

#endif
