/* Streams that begin to be read, or go on: when an integration is made or resumed, when a
 * connection works again, and when somebody asks for a sync. */
#ifndef SLUICE_STORE_STREAM_START_H
#define SLUICE_STORE_STREAM_START_H

#include "store/collect.h"

/* "collect" reads a source, "mirror" a target's books. */
#define PURPOSE_COLLECT "collect"
#define PURPOSE_MIRROR  "mirror"

/* Makes the stream if there is none, lets it go on if it was paused, and has it read now. */
enum err stream_start(const struct scope *scope, const struct stream *wanted,
                      const char *purpose) MUST_USE;
/* Has every stream of the account read now. *count: how many there are. */
enum err streams_read_now(const struct scope *scope, const struct stream *account,
                          const char *purpose, int64_t *count) MUST_USE;

#endif
