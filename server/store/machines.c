#include "base/base.h"
#include "base/text.h"
#include "db/db.h"
#include "store/machines.h"

#define TO(state) (UINT32_C(1) << (state))

/* What a move's code does with the item while its delivery is on the way: done,
 * accepted, confirmed and unconfirmed show as delivered; rejected, uncertain and bounced as
 * problem; so a bounce takes an item from delivered to problem. */
const struct machine item_machine = {
    .name = "item",
    .count = ITEM_STATES,
    .names = {[ITEM_WAITING] = "waiting",
              [ITEM_SCORING] = "scoring",
              [ITEM_QUEUED] = "queued",
              [ITEM_DELIVERED] = "delivered",
              [ITEM_LINKED] = "linked",
              [ITEM_HELD] = "held",
              [ITEM_STOPPED] = "stopped",
              [ITEM_IGNORED] = "ignored",
              [ITEM_ENRICHED] = "enriched",
              [ITEM_REJECTED] = "rejected",
              [ITEM_SUPERSEDED] = "superseded",
              [ITEM_PROBLEM] = "problem",
              [ITEM_DISMISSED] = "dismissed"},
    .moves = {[ITEM_WAITING] =
                  TO(ITEM_SCORING) | TO(ITEM_IGNORED) | TO(ITEM_SUPERSEDED) | TO(ITEM_PROBLEM),
              [ITEM_SCORING] = TO(ITEM_QUEUED) | TO(ITEM_LINKED) | TO(ITEM_HELD) |
                               TO(ITEM_STOPPED) | TO(ITEM_IGNORED) | TO(ITEM_ENRICHED) |
                               TO(ITEM_WAITING) | TO(ITEM_PROBLEM),
              [ITEM_QUEUED] = TO(ITEM_HELD) | TO(ITEM_DELIVERED) | TO(ITEM_PROBLEM),
              [ITEM_DELIVERED] = TO(ITEM_PROBLEM),
              [ITEM_LINKED] = TO(ITEM_HELD),
              [ITEM_HELD] =
                  TO(ITEM_QUEUED) | TO(ITEM_LINKED) | TO(ITEM_REJECTED) | TO(ITEM_SUPERSEDED),
              [ITEM_STOPPED] =
                  TO(ITEM_QUEUED) | TO(ITEM_LINKED) | TO(ITEM_REJECTED) | TO(ITEM_SUPERSEDED),
              [ITEM_REJECTED] = TO(ITEM_HELD),
              [ITEM_PROBLEM] = TO(ITEM_QUEUED) | TO(ITEM_HELD) | TO(ITEM_DISMISSED),
              [ITEM_DISMISSED] = TO(ITEM_PROBLEM)},
    .terms = {[ITEM_WAITING] = "in_progress",
              [ITEM_SCORING] = "in_progress",
              [ITEM_QUEUED] = "in_progress",
              [ITEM_DELIVERED] = "delivered",
              [ITEM_LINKED] = "linked",
              [ITEM_HELD] = "held",
              [ITEM_STOPPED] = "stopped",
              [ITEM_IGNORED] = "ignored",
              [ITEM_ENRICHED] = "enriched",
              [ITEM_REJECTED] = "rejected",
              [ITEM_SUPERSEDED] = "superseded",
              [ITEM_PROBLEM] = "problem",
              [ITEM_DISMISSED] = "dismissed"},
};

const char *const conservation_terms[] = {"delivered", "linked",      "held",     "stopped",
                                          "ignored",   "enriched",    "rejected", "superseded",
                                          "dismissed", "in_progress", "problem",  NULL};

const struct machine delivery_machine = {
    .name = "delivery",
    .count = DELIVERY_STATES,
    .names = {[DELIVERY_QUEUED] = "queued",
              [DELIVERY_SENDING] = "sending",
              [DELIVERY_DONE] = "done",
              [DELIVERY_RETRYING] = "retrying",
              [DELIVERY_UNCERTAIN] = "uncertain",
              [DELIVERY_REJECTED] = "rejected",
              [DELIVERY_BLOCKED] = "blocked",
              [DELIVERY_CANCELED] = "canceled",
              [DELIVERY_ACCEPTED] = "accepted",
              [DELIVERY_CONFIRMED] = "confirmed",
              [DELIVERY_BOUNCED] = "bounced",
              [DELIVERY_UNCONFIRMED] = "unconfirmed"},
    .moves =
        {[DELIVERY_QUEUED] = TO(DELIVERY_SENDING) | TO(DELIVERY_BLOCKED) | TO(DELIVERY_CANCELED),
         [DELIVERY_SENDING] = TO(DELIVERY_DONE) | TO(DELIVERY_RETRYING) | TO(DELIVERY_UNCERTAIN) |
                              TO(DELIVERY_REJECTED) | TO(DELIVERY_BLOCKED) | TO(DELIVERY_ACCEPTED),
         [DELIVERY_RETRYING] = TO(DELIVERY_SENDING) | TO(DELIVERY_REJECTED) | TO(DELIVERY_BLOCKED),
         [DELIVERY_UNCERTAIN] = TO(DELIVERY_DONE) | TO(DELIVERY_SENDING),
         [DELIVERY_BLOCKED] = TO(DELIVERY_QUEUED) | TO(DELIVERY_CANCELED),
         [DELIVERY_ACCEPTED] =
             TO(DELIVERY_CONFIRMED) | TO(DELIVERY_BOUNCED) | TO(DELIVERY_UNCONFIRMED),
         [DELIVERY_UNCONFIRMED] = TO(DELIVERY_CONFIRMED) | TO(DELIVERY_BOUNCED)},
};

const struct machine window_machine = {
    .name = "window",
    .count = WINDOW_STATES,
    .names = {[WINDOW_COLLECTING] = "collecting",
              [WINDOW_SCORING] = "scoring",
              [WINDOW_DELIVERING] = "delivering",
              [WINDOW_DONE] = "done",
              [WINDOW_FAILED] = "failed"},
    .moves = {[WINDOW_COLLECTING] = TO(WINDOW_SCORING) | TO(WINDOW_FAILED),
              [WINDOW_SCORING] = TO(WINDOW_DELIVERING) | TO(WINDOW_FAILED),
              [WINDOW_DELIVERING] = TO(WINDOW_DONE) | TO(WINDOW_FAILED),
              [WINDOW_FAILED] = TO(WINDOW_COLLECTING)},
};

#define TO_ASIDE TO(CONNECTION_SUSPENDED) | TO(CONNECTION_ERROR) | TO(CONNECTION_DISCONNECTED)

const struct machine connection_machine = {
    .name = "connection",
    .count = CONNECTION_STATES,
    .names = {[CONNECTION_TO_CONFIGURE] = "to_configure",
              [CONNECTION_PROCESSING] = "processing",
              [CONNECTION_ENABLED] = "enabled",
              [CONNECTION_DEGRADED] = "degraded",
              [CONNECTION_NEED_RECONNECT] = "need_reconnect",
              [CONNECTION_SUSPENDED] = "suspended",
              [CONNECTION_ERROR] = "error",
              [CONNECTION_DISCONNECTED] = "disconnected"},
    /* An attempt that was refused or ran out goes back to where the connection came from. */
    .moves = {[CONNECTION_TO_CONFIGURE] = TO(CONNECTION_PROCESSING) | TO_ASIDE,
              [CONNECTION_PROCESSING] = TO(CONNECTION_ENABLED) | TO(CONNECTION_TO_CONFIGURE) |
                                        TO(CONNECTION_NEED_RECONNECT) | TO_ASIDE,
              [CONNECTION_ENABLED] =
                  TO(CONNECTION_DEGRADED) | TO(CONNECTION_NEED_RECONNECT) | TO_ASIDE,
              [CONNECTION_DEGRADED] =
                  TO(CONNECTION_ENABLED) | TO(CONNECTION_NEED_RECONNECT) | TO_ASIDE,
              [CONNECTION_NEED_RECONNECT] = TO(CONNECTION_PROCESSING) | TO_ASIDE,
              [CONNECTION_SUSPENDED] =
                  TO(CONNECTION_ENABLED) | TO(CONNECTION_ERROR) | TO(CONNECTION_DISCONNECTED),
              [CONNECTION_ERROR] = TO(CONNECTION_PROCESSING) | TO(CONNECTION_SUSPENDED) |
                                   TO(CONNECTION_DISCONNECTED),
              [CONNECTION_DISCONNECTED] = TO(CONNECTION_PROCESSING)},
};

const struct machine backfill_part_machine = {
    .name = "backfill_part",
    .count = PART_STATES,
    .names = {[PART_PLANNED] = "planned",
              [PART_RUNNING] = "running",
              [PART_DONE] = "done",
              [PART_FAILED] = "failed"},
    .moves = {[PART_PLANNED] = TO(PART_RUNNING),
              [PART_RUNNING] = TO(PART_DONE) | TO(PART_FAILED),
              [PART_FAILED] = TO(PART_RUNNING)},
};

const struct machine problem_machine = {
    .name = "problem",
    .count = PROBLEM_STATES,
    .names = {[PROBLEM_OPEN] = "open",
              [PROBLEM_RETRYING] = "retrying",
              [PROBLEM_RESOLVED] = "resolved",
              [PROBLEM_DISMISSED] = "dismissed"},
    .moves = {[PROBLEM_OPEN] = TO(PROBLEM_RETRYING) | TO(PROBLEM_DISMISSED),
              [PROBLEM_RETRYING] = TO(PROBLEM_RESOLVED) | TO(PROBLEM_OPEN),
              [PROBLEM_DISMISSED] = TO(PROBLEM_OPEN)},
};

const struct machine integration_machine = {
    .name = "integration",
    .count = INTEGRATION_STATES,
    .names = {[INTEGRATION_ACTIVE] = "active",
              [INTEGRATION_PAUSED] = "paused",
              [INTEGRATION_ARCHIVED] = "archived"},
    .moves = {[INTEGRATION_ACTIVE] = TO(INTEGRATION_PAUSED) | TO(INTEGRATION_ARCHIVED),
              [INTEGRATION_PAUSED] = TO(INTEGRATION_ACTIVE) | TO(INTEGRATION_ARCHIVED)},
};

const struct machine *const machines[] = {
    &item_machine,          &delivery_machine, &window_machine,      &connection_machine,
    &backfill_part_machine, &problem_machine,  &integration_machine, NULL};

bool machine_may(const struct machine *machine, unsigned from, unsigned to)
{
    assert(from < machine->count && to < machine->count);
    return (machine->moves[from] & TO(to)) != 0;
}

const char *machine_name(const struct machine *machine, unsigned state)
{
    assert(state < machine->count);
    return machine->names[state];
}

bool machine_parse(const struct machine *machine, const char *name, unsigned *into)
{
    for (unsigned i = 0; i < machine->count; i++) {
        if (text_equal(machine->names[i], name)) {
            *into = i;
            return true;
        }
    }
    return false;
}

void machine_sources(const struct machine *machine, unsigned to, struct arena *arena,
                     struct text_list *into)
{
    const char **names = arena_array(arena, machine->count, sizeof(*names));
    size_t n = 0;
    for (unsigned from = 0; from < machine->count; from++) {
        if (machine_may(machine, from, to))
            names[n++] = machine->names[from];
    }
    *into = (struct text_list){.at = names, .n = n};
}

enum { MACHINE_TEXT_BYTES_MAX = 64 * 1024 };

char *machine_check(struct arena *arena, const struct machine *machine)
{
    struct buf buf = buf_new(arena, MACHINE_TEXT_BYTES_MAX);
    buf_add_text(&buf, "state IN (");
    for (unsigned i = 0; i < machine->count; i++)
        buf_format(&buf, "%s'%s'", i ? ", " : "", machine->names[i]);
    buf_add_char(&buf, ')');
    return buf.data;
}

char *machine_mermaid(struct arena *arena, const struct machine *machine)
{
    struct buf buf = buf_new(arena, MACHINE_TEXT_BYTES_MAX);
    buf_format(&buf, "stateDiagram-v2\n    [*] --> %s\n", machine->names[0]);
    for (unsigned from = 0; from < machine->count; from++) {
        for (unsigned to = 0; to < machine->count; to++) {
            if (machine_may(machine, from, to))
                buf_format(&buf, "    %s --> %s\n", machine->names[from], machine->names[to]);
        }
        if (machine->moves[from] == 0)
            buf_format(&buf, "    %s --> [*]\n", machine->names[from]);
    }
    return buf.data;
}

char *machine_moves_sql(struct arena *arena)
{
    struct buf buf = buf_new(arena, MACHINE_TEXT_BYTES_MAX);
    const char *separator = "";
    buf_add_text(&buf, "INSERT INTO region.machine_move (machine, from_state, to_state) VALUES\n");
    for (size_t m = 0; machines[m]; m++) {
        const struct machine *machine = machines[m];
        for (unsigned from = 0; from < machine->count; from++) {
            for (unsigned to = 0; to < machine->count; to++) {
                if (!machine_may(machine, from, to))
                    continue;
                buf_format(&buf, "%s    ('%s', '%s', '%s')", separator, machine->name,
                           machine->names[from], machine->names[to]);
                separator = ",\n";
            }
        }
    }
    buf_add_text(&buf, ";\n");
    return buf.data;
}
