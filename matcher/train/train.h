/* The offline programs behind `sluice-train`: tables, generated worlds, fitting, measuring. Plain
 * C, seeded, no clock, no network. Floating point is allowed here and only here: what leaves it are
 * whole micro-log-odds in a model file. */
#ifndef SLUICE_MATCHER_TRAIN_H
#define SLUICE_MATCHER_TRAIN_H

#include "matcher/matcher.h"

enum err file_write(struct arena *arena, const char *path, struct bytes bytes) MUST_USE;

/* The tables of normalisation: from the YAML lists in matcher/data to the .inc files there. */
enum err tables_write_legal(struct arena *arena, const char *from, const char *to) MUST_USE;
enum err tables_write_common(struct arena *arena, const char *directory, const char *to) MUST_USE;

/* Fits every profile and the gate on generated worlds and writes
 * DIRECTORY/<profile>-<version>.model with what they reach on held-out worlds. */
enum err models_fit(struct arena *arena, const char *directory, const char *version) MUST_USE;

/* Prints what features, scoring and Jaro-Winkler cost on this machine. */
enum err bench_run(struct arena *arena) MUST_USE;

/* Writes DIRECTORY/builtin.inc from all model files there. */
enum err models_embed(struct arena *arena, const char *directory) MUST_USE;

#endif
