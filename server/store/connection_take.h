/* The account of a connection: taken when it is known, by whichever connection has it already. */
#ifndef SLUICE_STORE_CONNECTION_TAKE_H
#define SLUICE_STORE_CONNECTION_TAKE_H

#include "store/connection.h"

/* Gives the account to `newer`, which must be locked and processing. When another connection has
 * it, that one takes over the credentials, goes back to processing unless it is suspended, and is
 * the one to go on with: *into. */
enum err connection_take_account(const struct scope *scope, const struct secret *region_key,
                                 struct uuid newer, const struct connection_account *account,
                                 struct uuid *into) MUST_USE;

/* To be read with other credentials: nothing of the connection runs until they were tried. */
enum err connection_reprocess(const struct scope *scope, struct uuid id,
                              enum connection_state from) MUST_USE;

#endif
