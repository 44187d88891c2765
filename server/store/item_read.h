/* Items as people look at them, and what people did with them. */
#ifndef SLUICE_STORE_ITEM_READ_H
#define SLUICE_STORE_ITEM_READ_H

#include "store/listing.h"

enum {
    ITEM_PARTS_MAX = 100, /* of one item or record: items, actions, decisions */
    P_UNKNOWN = -1,       /* a probability that nothing was scored for */
};

struct item_view {
    struct uuid id;
    struct uuid integration;
    struct uuid record;
    int version;
    struct uuid window;
    const char *kind;
    const char *source_id;
    const char *state;
    const char *band;
    const char *action; /* create, link, reverse; NULL: nothing is posted */
    int64_t p_micro;    /* P_UNKNOWN */
    struct money amount;
    struct date date;
    struct uuid counterparty;
    const char *counterparty_is;
    const char *counterparty_name;
    const char *reference;
    const char *description;
    struct uuid entry;
    struct uuid assignee;
    struct instant due_at;
    struct instant snoozed_until;
    struct instant send_after;
    struct date closed_before; /* items dated before it can no longer be undone */
    int64_t row_version;
    struct instant created_at;
    struct instant updated_at;
};

/* Whether it can be brought back to the queue now, and until when; 0: until the period closes. */
bool item_undoable(const struct item_view *item, struct instant now, struct instant *until);

struct item_filter {
    struct uuid integration; /* nil: all */
    const char *state;       /* NULL: all */
    const char *band;
    const char *kind;
    struct list_range range;
    const char *text; /* NULL: no search */
};

/* Newest first; rows of struct item_view. */
enum err items_list(const struct scope *scope, const struct item_filter *filter,
                    const struct list_page *page, struct rows *into) MUST_USE;
/* Nearest to the text first: one page. */
enum err items_search(const struct scope *scope, const struct item_filter *filter, int64_t rows,
                      struct rows *into) MUST_USE;
enum err item_get(const struct scope *scope, struct uuid id, struct item_view *into) MUST_USE;
enum err items_of_record(const struct scope *scope, struct uuid record, struct rows *into) MUST_USE;

struct review_filter {
    struct uuid integration;
    const char *state; /* "held" or "stopped" */
    const char *kind;
    struct list_range range;
    struct uuid assignee;
    const char *policy;
    bool snoozed; /* the snoozed ones instead of the others */
};

/* Most confident first, unscored last; rows of struct item_view. The page goes on after
 * (after_order: p_micro, after). */
enum err review_list(const struct scope *scope, const struct review_filter *filter,
                     const struct list_page *page, struct rows *into) MUST_USE;

struct action_view {
    struct uuid id;
    struct uuid item;
    const char *action;
    struct actor_view actor;
    struct instant at;
    const char *text;
    struct uuid entry;
    struct uuid undone_by;
};

/* What people did with an item, newest first; rows of struct action_view. */
enum err actions_of_item(const struct scope *scope, struct uuid item, struct rows *into) MUST_USE;
enum err action_get(const struct scope *scope, struct uuid id, struct action_view *into) MUST_USE;

#endif
