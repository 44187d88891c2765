/* A document into Qonto: checked, posted with its idempotency key, read back. */
#ifndef SLUICE_QONTO_DELIVER_H
#define SLUICE_QONTO_DELIVER_H

#include "connectors/target.h"

enum err qonto_preflight(struct arena *arena, const struct delivery_order *order) MUST_USE;

/* One invoice per request. OK: created (now, or before under the same key) and found by a read.
 * ERR_UNCERTAIN: it may be there; look, not earlier than QONTO_ATTEMPT_S_MAX after the attempt
 * began. ERR_TRANSIENT: it is not there; the same order may be sent again. A retry later than the
 * half hour for which Qonto is known to remember keys should look first. */
enum err qonto_deliver(struct provider_call *call, const struct delivery_order *order,
                       struct delivery_result *into) MUST_USE;

/* Searches by the file name, which is unique among what we deliver. */
enum err qonto_look(struct provider_call *call, const struct delivery_order *order,
                    enum look_answer *answer, struct delivery_result *into) MUST_USE;

#endif
