/* The small pages that a browser sees when an authorisation ends here rather than at a frontend.
 * Self-contained, without scripts; nothing of what a provider sent stands in them. */
#ifndef SLUICE_OAUTH_PAGE_H
#define SLUICE_OAUTH_PAGE_H

#include "handlers/request.h"

enum oauth_outcome { OUTCOME_CONNECTED, OUTCOME_CHOOSE_ACCOUNT, OUTCOME_DENIED, OUTCOME_FAILED };
const char *oauth_outcome_name(enum oauth_outcome outcome); /* as in the query: "connected" */

/* `language` is "en" or "fr"; `provider` its name for people. */
enum err oauth_page_finished(struct request *req, enum oauth_outcome outcome, const char *provider,
                             const char *language) MUST_USE;
/* 400: the attempt may not go on in this browser. In both languages, since nothing is known. */
enum err oauth_page_refused(struct request *req) MUST_USE;

#endif
