/* Pausing an integration holds back what it was about to send; resuming lets it go, and takes in
 * what was stored in the meantime; archiving ends what nobody will decide or send any more. Each in
 * the transaction that changes the state. */
#ifndef SLUICE_STORE_INTEGRATION_PAUSE_H
#define SLUICE_STORE_INTEGRATION_PAUSE_H

#include "store/integration.h"

/* Deliveries that were not sent yet are blocked. */
enum err integration_hold_back(const struct scope *scope, struct uuid integration) MUST_USE;
/* They are queued again, and windows are decided at their deadlines, past or to come. */
enum err integration_let_go(const struct scope *scope, struct uuid integration) MUST_USE;
/* It is archived: what waits to be decided is ignored, what waits to be sent is canceled and its
 * item dismissed, and its windows are done. What is being sent, or awaits a look, is finished; held
 * and stopped items can still be linked or rejected. */
enum err integration_end(const struct scope *scope, struct uuid integration) MUST_USE;

#endif
