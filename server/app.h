/* The program's parts, built once from its configuration and passed down: nothing is global. */
#ifndef SLUICE_PROGRAM_H
#define SLUICE_PROGRAM_H

#include "config/config.h"
#include "handlers/app.h"

enum program_role { ROLE_SERVE = 1, ROLE_WORK = 2 };

struct program;

/* Opens what the roles need: databases (which must not be behind), keys, matcher, workers, HTTP.
 * ERR_CONFIG, ERR_DB_DOWN with a sentence. `arena` takes the failure. */
enum err program_open(struct arena *arena, const struct config *config, unsigned roles,
                      struct program **into) MUST_USE;
/* Where it listens: "http://127.0.0.1:8080"; NULL without ROLE_SERVE. */
const char *program_url(const struct program *program);
/* Returns after SIGTERM or SIGINT. */
void program_wait(struct program *program);
/* Graceful: requests and jobs under way end first. */
void program_close(struct program *program);

#endif
