/* The small pages that a browser sees: the one that asks before an authorisation, and those that
 * tell its end where that is not told at a frontend. Self-contained, without scripts; nothing of
 * what a provider sent stands in them. */
#ifndef SLUICE_OAUTH_PAGE_H
#define SLUICE_OAUTH_PAGE_H

#include "handlers/request.h"
#include "store/oauth.h"
#include "store/workspace.h"

enum oauth_outcome { OUTCOME_CONNECTED, OUTCOME_CHOOSE_ACCOUNT, OUTCOME_DENIED, OUTCOME_FAILED };
const char *oauth_outcome_name(enum oauth_outcome outcome); /* as in the query: "connected" */

/* Who asks for what, for whom, until when; and a button. */
struct oauth_question {
    const char *provider; /* "stripe" */
    const char *title;    /* "Stripe" */
    const char *scope;    /* asked of the provider; NULL: none */
    struct text_list roles;
    const struct tenant *tenant;
    const struct oauth_asker *asker;
    struct instant until;
    const char *attempt;
    const char *confirmation;
};
enum err oauth_page_ask(struct request *req, const struct oauth_question *question) MUST_USE;
/* `language` is "en" or "fr"; `provider` its name for people. */
enum err oauth_page_finished(struct request *req, enum oauth_outcome outcome, const char *provider,
                             const char *language) MUST_USE;
/* 400: the attempt may not go on in this browser. In both languages, since nothing is known. */
enum err oauth_page_refused(struct request *req) MUST_USE;

#endif
