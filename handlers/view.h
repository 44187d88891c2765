/* How the objects of the contract are written: the fields of each, into an object that the caller
 * opened, or (where a name is asked for) as a member of their own. */
#ifndef SLUICE_HANDLERS_VIEW_H
#define SLUICE_HANDLERS_VIEW_H

#include "http/json_out.h"
#include "store/decision_read.h"
#include "store/delivery_read.h"
#include "store/item_read.h"
#include "store/ledger_read.h"
#include "store/problem.h"
#include "store/record_read.h"
#include "store/window_read.h"

/* Who did it: "user" and "operator" are persons; whatever is neither that nor a key is the machine.
 */
void out_actor(struct json_out *out, const char *name, const struct actor_view *actor);
void out_counterparty(struct json_out *out, const char *name, struct uuid id, const char *is);
void out_probability(struct json_out *out, const char *name, int64_t micro); /* P_UNKNOWN: null */

void out_item(struct json_out *out, const struct item_view *item, struct instant now);
void out_record(struct json_out *out, const struct record_view *record);
void out_entry(struct json_out *out, const struct entry_view *entry);
void out_delivery(struct json_out *out, const struct delivery_view *delivery);
void out_problem(struct json_out *out, const struct problem *problem);
void out_window(struct json_out *out, const struct window_view *window); /* a whole element */
void out_action(struct json_out *out, const struct action_view *action);

/* The decision of this item as member `name`; null when there is none. */
enum err out_decision(struct json_out *out, const char *name,
                      const struct decisions_view *decisions, struct uuid item) MUST_USE;
void out_decision_summary(struct json_out *out, const struct decision_view *decision);

#endif
