/* From scores to what is written: states, candidates and contributions as they are stored, the
 * rendered documents, the planned deliveries. Pure but for rendering; touches no database. */
#ifndef SLUICE_JOBS_OUTCOME_H
#define SLUICE_JOBS_OUTCOME_H

#include "connectors/document/document.h"
#include "jobs/score.h"

enum err outcome_of(const struct environment *env, const struct scope *scope,
                    const struct scoring_window *window, const struct score_result *scores,
                    struct scoring_outcome *into) MUST_USE;

/* The document of one item, rendered; `reverses` only for a correction. */
struct document_order {
    const struct scoring_item *item;
    const char *language;
    const char *company;
    const struct document_reversal *reverses;
    struct document_fonts *fonts; /* NULL: read for this one */
};
enum err document_of(const struct scope *scope, const struct document_order *order,
                     struct stored_document *into) MUST_USE;

/* The deterministic key of one intended write (ARCHITECTURE.md, deliveries). */
/* What an error of rendering says about the item alone; false: it is about something else. */
bool document_refused(const struct scope *scope, enum err error,
                      struct item_refusal *into) MUST_USE;

struct delivery_identity {
    struct uuid integration;
    const char *target_account;
    struct uuid record;
    int version;
    const char *operation;
    int generation;
};
struct uuid delivery_key(const struct scope *scope, const struct delivery_identity *identity);

#endif
