/* The part of a decision that follows from stored levels: shared by deciding and by replay, so that
 * they cannot differ. */
#ifndef SLUICE_MATCHER_JUDGE_H
#define SLUICE_MATCHER_JUDGE_H

#include "matcher/decide.h"

/* Needs of `decision`: item, amount, date, settings, facts, reviews, gate_model, gate_features,
 * gate_shift_micro, the contested flags, and of each role model, view, fields_missing,
 * null_shift_micro and the candidates with entry, role, consumed, analysed and features, in any
 * order. Fills the rest. */
void decision_judge(struct arena *arena, struct decision *decision);

/* After a contested flag was set: policy and band again. */
void decision_judge_again(struct decision *decision);

#endif
