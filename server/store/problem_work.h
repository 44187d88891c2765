/* What a person does about a problem. Each call is one transaction and ends with the problem as it
 * is afterwards. */
#ifndef SLUICE_STORE_PROBLEM_WORK_H
#define SLUICE_STORE_PROBLEM_WORK_H

#include "store/problem.h"

struct corrected_field {
    const char *name;
    const char *value;
};

/* Tries again what failed: an item is rendered and delivered anew, as a new generation, with the
 * corrected values; a stream is read again. ERR_CONFLICT: it is not open, or its action is another
 * one, which the sentence names. ERR_FIELD_INVALID: the problem does not name that field. */
enum err problem_work_retry(const struct scope *scope, struct uuid id,
                            const struct corrected_field *fields, size_t count,
                            struct problem *into) MUST_USE;

/* Puts an open problem aside; its item, if it has one, is dismissed with it, and a delivery of it
 * that was never sent is canceled. ERR_CONFLICT: it is not open, or nobody knows yet whether its
 * delivery arrived. */
enum err problem_work_dismiss(const struct scope *scope, struct uuid id, const char *reason,
                              struct problem *into) MUST_USE;
/* A dismissed problem is open again, and its item shows it. What waited for a reconnection when it
 * was put aside can now be retried. */
enum err problem_work_reopen(const struct scope *scope, struct uuid id,
                             struct problem *into) MUST_USE;

#endif
