/* The parameters of a world, drawn from the ranges of training or of measuring. */
#include "base/base.h"

#include "matcher/train/world.h"

static double in_range(struct random *random, double min, double max)
{
    return min + (max - min) * random_unit(random);
}

static struct name_noise noise_draw(struct random *random, bool held_out, double scale)
{
    double level = held_out ? in_range(random, 0.8, 1.3) : in_range(random, 0.5, 1.8);
    level *= scale;
    return (struct name_noise){
        .upper = in_range(random, 0, 0.5),
        .legal_dropped = 0.25 * level,
        .legal_respelled = 0.4 * level,
        .accents_lost = 0.4 * level,
        .truncated = 0.15 * level,
        .abbreviated = 0.1 * level,
        .typo = 0.12 * level,
        .reordered = 0.06 * level,
        .descriptor = 0.1 * level,
        .city_added = 0.1 * level,
        .other_name = 0.03 * level,
    };
}

/* How many of the records have an entry already. Most bills that come from a source are new to the
 * books; most money that moved is on the bank statement; most counterparties come again. */
static double null_share_draw(struct random *random, enum match_role role, bool held_out)
{
    if (role == MATCH_SETTLEMENT)
        return held_out ? in_range(random, 0.2, 0.45) : in_range(random, 0.1, 0.6);
    if (role == MATCH_COUNTERPARTY)
        return held_out ? in_range(random, 0.15, 0.35) : in_range(random, 0.1, 0.5);
    return held_out ? in_range(random, 0.7, 0.9) : in_range(random, 0.45, 0.97);
}

/* Bank statements differ as a whole: some carry one short memo, in some amounts drift (fees,
 * rates), in some money moves at once. */
static void statement_draw(struct random *random, struct world *world)
{
    if (random_chance(random, 0.25)) {
        world->memos = true;
        world->unit_unknown = random_chance(random, 0.6);
        world->identifiers = world->resolved = 0;
        world->reference_missing = world->record_reference_missing = 1;
        world->number_stated = 0;
    }
    if (random_chance(random, 0.2)) {
        world->drift = in_range(random, 0.5, 0.9);
        world->drift_spread = in_range(random, 0.005, 0.04);
        world->net_of_fee = world->partial = 0;
    }
    if (random_chance(random, 0.3))
        world->lag_days_max = (int)random_between(random, 1, 4);
}

struct world world_draw(uint64_t seed, enum match_role role, bool held_out)
{
    struct random random = {seed};
    double hard = held_out ? 1.15 : 1.1;
    struct world world = {
        .seed = random_next(&random),
        .role = role,
        .view = VIEW_FRESH,
        .vocabulary = held_out,
        .companies = (int)random_between(&random, held_out ? 90 : 60, held_out ? 220 : 260),
        .records = 500,
        .null_share = null_share_draw(&random, role, held_out),
        .sibling_share = held_out ? in_range(&random, 0.1, 0.35) : in_range(&random, 0.05, 0.45),
        .extra_entries = in_range(&random, 1, 5),
        .name_missing = hard * in_range(&random, 0, 0.15),
        .record_name_missing = hard * in_range(&random, 0, 0.12),
        .record_reference_missing = in_range(&random, 0, 0.5),
        .reference_missing = in_range(&random, 0.05, 0.7),
        .reference_equal = in_range(&random, 0.2, 0.8),
        .reference_in_text = in_range(&random, 0, 0.2),
        .reference_damaged = hard * in_range(&random, 0, 0.2),
        .net_of_fee = role == MATCH_SETTLEMENT ? in_range(&random, 0, 0.3) : 0.01,
        .other_currency = hard * in_range(&random, 0, 0.06),
        .partial = hard * in_range(&random, 0, 0.04),
        .drift = hard * in_range(&random, 0, 0.04),
        .number_stated = in_range(&random, 0, 0.7),
        .in_file_name = in_range(&random, 0, 0.4),
        .paid_when_due = role == MATCH_DOCUMENT ? in_range(&random, 0, 0.1) : 0,
        .recurring = held_out ? in_range(&random, 0.05, 0.4) : in_range(&random, 0, 0.5),
        .round_amounts = in_range(&random, 0.05, 0.5),
        .identifiers = in_range(&random, 0, 0.4),
        .resolved = in_range(&random, 0, 0.4),
        .lag_days_max = (int)random_between(&random, 2, held_out ? 14 : 20),
    };
    if (role == MATCH_SETTLEMENT)
        statement_draw(&random, &world);
    if (role != MATCH_COUNTERPARTY && random_chance(&random, 0.4))
        world.view = (enum ledger_view)random_between(&random, VIEW_AGEING, VIEW_NONE);
    /* Assumed: where the target's books cannot be read, one bill in eleven came by another door. */
    if (role == MATCH_DOCUMENT && world.view == VIEW_NONE)
        world.null_share = in_range(&random, 0.86, 0.96);
    if (role == MATCH_COUNTERPARTY) {
        world.name_missing *= 0.1; /* who is known mostly has a name */
        world.record_name_missing *= 0.3;
        world.contacts = random_chance(&random, 0.4) ? 0 : in_range(&random, 0.4, 1);
        world.registered = random_chance(&random, 0.4);
    }
    world.record_noise = noise_draw(&random, held_out, 0.5);
    world.entry_noise = noise_draw(&random, held_out, role == MATCH_SETTLEMENT ? 1.3 : 1.0);
    return world;
}
