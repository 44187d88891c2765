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

/* Fits every profile on generated worlds and the training part of the public sets in `data`, and
 * the gate; writes DIRECTORY/<profile>-<version>.model with what they reach on what is held out. */
enum err models_fit(struct arena *arena, const char *data, const char *directory,
                    const char *version) MUST_USE;

/* Fits one profile and prints the model and what it reaches; writes nothing. `left_out` names a set
 * (or "worlds") that training does without; NULL: none. */
enum err profile_try(struct arena *arena, const char *name, const char *data,
                     const char *left_out) MUST_USE;

/* Writes held-out worlds of a profile as files, each in a folder of its own below `directory`;
 * list.txt there names them. `null_share` is a number, below 0: as the worlds have it. */
enum err worlds_export(struct arena *arena, const char *profile, const char *null_share,
                       const char *directory) MUST_USE;

/* Prints what features, scoring and Jaro-Winkler cost on this machine. */
enum err bench_run(struct arena *arena) MUST_USE;

/* Writes DIRECTORY/builtin.inc from all model files there. */
enum err models_embed(struct arena *arena, const char *directory) MUST_USE;

#endif
