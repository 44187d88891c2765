/* How good a model is on examples that it was not fitted on, and what 85 % is worth. */
#ifndef SLUICE_TRAIN_MEASURE_H
#define SLUICE_TRAIN_MEASURE_H

#include "matcher/train/fit.h"

struct measures {
    size_t count;
    double blocking_recall; /* true entries among the candidates */
    double top1;            /* of the records whose entry is a candidate: it is the best one */
    double accuracy;        /* of the best action: link to this entry, or none exists */
    double ece;             /* expected calibration error of the action, 15 bins of equal mass */
    double brier;
    double auto_share; /* p of the action from 0.85 */
    double auto_precision;
    double auto_wilson; /* lower bound of its 95 % interval */
    double link_share;  /* of all: links with p from 0.85 */
    double link_precision;
    double margin_share; /* p from 0.85 to 0.90 */
    double margin_right;
    double review_share; /* 0.55 to 0.85 */
    double review_right;
    double log_loss;    /* of the truth */
    double nulls_right; /* of the records without an entry: said so */
};

enum measured_alone { MEASURED_TOGETHER, MEASURED_ALONE, MEASURED_LEARNED };

/* Together: every batch decided as a whole. Alone: every record for itself. Learned: alone, and the
 * first part of every batch teaches the null intercept, the rest is measured with it. */
void measure(struct arena *arena, const struct match_model *model,
             const struct example_list *examples, enum measured_alone how, struct measures *into);

void measures_write(struct buf *into, const char *name, const struct measures *measures);

#endif
