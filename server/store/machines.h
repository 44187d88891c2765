/* The state machines, as tables. The same tables make the CHECK constraints and the moves that the
 * database refuses to leave (migrations/region), and the diagrams of the documentation; a test
 * compares them. Names of states are what the database and the API show. */
#ifndef SLUICE_MACHINES_H
#define SLUICE_MACHINES_H

#include "base/buf.h"

enum item_state {
    ITEM_WAITING, /* in an open window, or not analysed yet */
    ITEM_SCORING,
    ITEM_QUEUED, /* decided or approved: its delivery is queued, sending or retrying */
    ITEM_DELIVERED,
    ITEM_LINKED,
    ITEM_HELD,
    ITEM_STOPPED,
    ITEM_IGNORED,
    ITEM_ENRICHED,
    ITEM_REJECTED,   /* by a person */
    ITEM_SUPERSEDED, /* a newer material version took its place before delivery */
    ITEM_PROBLEM,
    ITEM_DISMISSED, /* a problem put aside with a reason */
    ITEM_STATES
};

enum delivery_state {
    DELIVERY_QUEUED,
    DELIVERY_SENDING,
    DELIVERY_DONE,
    DELIVERY_RETRYING,
    DELIVERY_UNCERTAIN, /* the answer was lost */
    DELIVERY_REJECTED,
    DELIVERY_BLOCKED,  /* credentials, paused */
    DELIVERY_CANCELED, /* undone before it was sent */
    DELIVERY_ACCEPTED, /* mail: the server took it */
    DELIVERY_CONFIRMED,
    DELIVERY_BOUNCED,
    DELIVERY_UNCONFIRMED,
    DELIVERY_STATES
};

enum window_state {
    WINDOW_COLLECTING,
    WINDOW_SCORING,
    WINDOW_DELIVERING,
    WINDOW_DONE,
    WINDOW_FAILED,
    WINDOW_STATES
};

enum connection_state {
    CONNECTION_TO_CONFIGURE,
    CONNECTION_PROCESSING,
    CONNECTION_ENABLED,
    CONNECTION_DEGRADED,
    CONNECTION_NEED_RECONNECT,
    CONNECTION_SUSPENDED,
    CONNECTION_ERROR,
    CONNECTION_DISCONNECTED,
    CONNECTION_STATES
};

enum backfill_part_state { PART_PLANNED, PART_RUNNING, PART_DONE, PART_FAILED, PART_STATES };

enum problem_state {
    PROBLEM_OPEN,
    PROBLEM_RETRYING,
    PROBLEM_RESOLVED,
    PROBLEM_DISMISSED,
    PROBLEM_STATES
};

enum integration_state {
    INTEGRATION_ACTIVE,
    INTEGRATION_PAUSED,
    INTEGRATION_ARCHIVED,
    INTEGRATION_STATES
};

enum { MACHINE_STATES_MAX = 16 };

struct machine {
    const char *name; /* also of the table in the schema region */
    unsigned count;
    const char *names[MACHINE_STATES_MAX + 1]; /* by state, NULL-terminated: fits COLUMN_ENUM */
    uint32_t moves[MACHINE_STATES_MAX];        /* by state: a bit per state that it may move to */
    const char *terms[MACHINE_STATES_MAX];     /* items: term of the conservation equation */
};

extern const struct machine item_machine, delivery_machine, window_machine, connection_machine,
    backfill_part_machine, problem_machine, integration_machine;
extern const struct machine *const machines[]; /* NULL-terminated */

bool machine_may(const struct machine *machine, unsigned from, unsigned to);
const char *machine_name(const struct machine *machine, unsigned state);
bool machine_parse(const struct machine *machine, const char *name, unsigned *into);
/* The states from which `to` may be reached, for `UPDATE … WHERE state = ANY ($n)`. */
struct text_list;
void machine_sources(const struct machine *machine, unsigned to, struct arena *arena,
                     struct text_list *into);

/* "state IN ('a', 'b')": the text of the CHECK constraint. */
char *machine_check(struct arena *arena, const struct machine *machine);
char *machine_mermaid(struct arena *arena, const struct machine *machine);
/* The INSERT of every move into region.machine_move, as the migration has it. */
char *machine_moves_sql(struct arena *arena);

/* The terms of the conservation equation, in the order in which the API shows them. */
extern const char *const conservation_terms[]; /* NULL-terminated */

#endif
