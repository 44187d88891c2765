/* Calls of Stripe's generic MCP tools, and what their errors mean. Internal to connectors/stripe.
 *
 * Stripe's own error types do not survive the way through MCP: only sentences do, so the sentences
 * are classified (stripe_classify). ERR_ABSENT: no such object. ERR_SCOPE: the consent does not
 * cover the account or the operation. ERR_VALIDATION with field "operation" (not served here),
 * "expand" (a property cannot be expanded) or "parameters". ERR_APPROVAL: a person must confirm.
 * ERR_TRANSIENT with field "rate": too many calls; with field "stripe": an error whose words nobody
 * knows, worth another try. */
#ifndef SLUICE_STRIPE_CALL_H
#define SLUICE_STRIPE_CALL_H

#include "connectors/mcp/mcp.h"

struct mcp_session *stripe_session(struct provider_call *call);

/* stripe_api_read for the account and mode of the credential: the bare JSON of an object or a
 * list. Takes over the reference to `parameters`. */
enum err stripe_read(struct provider_call *call, const char *operation, json_t *parameters,
                     const char **into) MUST_USE;

/* Any other tool that only reads. Takes over the reference to `arguments`. */
enum err stripe_tool(struct provider_call *call, const char *tool, json_t *arguments,
                     const char **into) MUST_USE;

/* What a reply that is no result means. Pure. */
enum err stripe_classify(struct arena *arena, const struct mcp_reply *reply) MUST_USE;

#endif
