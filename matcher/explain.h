/* A decision as text: canonical, complete, and enough to take it again. What is stored is this
 * text; replay reads the stored levels, facts and settings from it, decides again with the models
 * that it names, and writes it again: byte for byte the same. */
#ifndef SLUICE_MATCHER_EXPLAIN_H
#define SLUICE_MATCHER_EXPLAIN_H

#include "matcher/decide.h"

enum { DECISION_BYTES_MAX = 256 * 1024 };

/* Lines of ASCII, ended by a newline each. ERR_LIMIT above DECISION_BYTES_MAX. */
enum err decision_text(struct arena *arena, const struct decision *decision,
                       const char **into) MUST_USE;

/* Decides again from a stored text. ERR_FIELD_INVALID with the line where the text is not one of
 * ours; ERR_ABSENT when it names a model that this program does not have. */
enum err match_replay(struct arena *arena, const struct model_set *models, const char *text,
                      const char **into) MUST_USE;

#endif
