/* Calls that may be repeated (IETF draft-ietf-httpapi-idempotency-key-header). The key is claimed
 * first, in a transaction of its own. In a workspace the handler and the storing of its answer are
 * then one transaction of the region's database: a crash leaves either nothing or an answer that is
 * replayed. Such a handler may run again when the database asks for it, and calls no provider.
 * Handlers that act in the directory (IDEMPOTENCY_SECRET, or no workspace in the path) bring their
 * own transactions; their answer is stored afterwards.
 *
 * Same key and body: the same answer. Other body: 422. Still running: 409. The answer carried a
 * secret: 409. A call that failed has done nothing: its key is free again. Keys are per principal
 * and route, kept 24 h. */
#ifndef SLUICE_IDEMPOTENCY_RUN_H
#define SLUICE_IDEMPOTENCY_RUN_H

#include "handlers/request.h"

enum { IDEMPOTENCY_KEY_BYTES_MAX = 255 };

enum err idempotency_run(struct request *req) MUST_USE;

#endif
