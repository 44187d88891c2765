/* The matcher: which entry a record is, how sure that is, and why. A pure library: no I/O, no
 * clock, no database; ICU for Unicode, the base for memory.
 *
 *   model_set_new                  once, at start
 *   name_core, reference_normalise what is stored and blocked on (normalise.h)
 *   match_resolve                  the counterparty of a record
 *   match_decide                   one item: link or create, p, band, policy codes, ranked
 * candidates match_batch_assign             one window: every entry is consumed once decision_text,
 * match_replay    what is stored, and the proof that it is what was decided
 *
 * README.md in this folder says how the models were fitted and how good they are. */
#ifndef SLUICE_MATCHER_H
#define SLUICE_MATCHER_H

#include "matcher/decide.h"
#include "matcher/explain.h"
#include "matcher/features.h"
#include "matcher/gate.h"
#include "matcher/model.h"
#include "matcher/normalise.h"
#include "matcher/policy.h"
#include "matcher/record.h"
#include "matcher/similarity.h"

#endif
