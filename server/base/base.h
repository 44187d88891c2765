/* The first include of every file: the few things that every layer uses, and a ban on the calls
 * that this code base does not make. System headers that mention a banned call come first. */
#ifndef SLUICE_BASE_H
#define SLUICE_BASE_H

#include <assert.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/err.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Leaves the function with the error of `call`, if it made one. The only macro that may return:
 * memory and foreign objects belong to an arena, so there is nothing to clean up on the way. */
#define TRY(call)                                                                                  \
    do {                                                                                           \
        enum err try_err_ = (call);                                                                \
        if (try_err_ != OK)                                                                        \
            return try_err_;                                                                       \
    } while (0)

#define FORMAT_LIKE(format_at, args_at) __attribute__((format(printf, format_at, args_at)))
#define MUST_USE                        __attribute__((warn_unused_result))

/* Bytes of known length that somebody else owns. Not terminated; may hold zeros. */
struct bytes {
    const uint8_t *at;
    size_t n;
};

#pragma GCC poison strcpy strcat sprintf vsprintf strncpy strncat gets strtok atoi atol atof srand \
    gmtime localtime ctime asctime tmpnam mktemp

#endif
