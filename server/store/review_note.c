/* What people note on an item without deciding it: whose it is, when it is due again, remarks. */
#include "store/review_parts.h"

struct noting {
    struct review_of of;
    struct reviewed reviewed;
    const char *action;
    const char *text;
    struct uuid assignee;
    struct instant until;
    struct uuid id; /* of the action */
    struct item_view *item;
    struct action_view *noted;
    int64_t *row_version;
};

static enum err note(const struct scope *scope, struct noting *noting)
{
    noting->id = db_new_id(scope);
    struct review_move move = {
        .reviewed = &noting->reviewed,
        .action = noting->action,
        .to = noting->reviewed.state,
        .id = noting->id,
        .reason = noting->text,
    };
    return review_moved(scope, &move);
}

STATEMENT(review_assign_sql,
          "UPDATE region.item SET assignee = $3 WHERE workspace_id = $1 AND id = $2");

static enum err assign(const struct scope *scope, void *arg)
{
    struct noting *noting = arg;
    TRY(reviewed_lock(scope, &noting->of, &noting->reviewed));
    TRY(reviewed_waits(scope, &noting->reviewed));
    TRY(db_exec(scope, &review_assign_sql,
                PARAMS(P(scope->workspace), P(noting->of.item), P(noting->assignee)), NULL));
    TRY(note(scope, noting));
    return item_get(scope, noting->of.item, noting->item);
}

enum err review_assign(const struct scope *scope, const struct review_of *of, struct uuid assignee,
                       struct item_view *into)
{
    struct noting noting = {.of = *of, .action = "assign", .assignee = assignee, .item = into};
    if (!uuid_is_nil(assignee))
        noting.text = uuid_format(scope->arena, assignee);
    return db_transaction(scope, assign, &noting);
}

STATEMENT(review_snooze_sql,
          "UPDATE region.item SET snoozed_until = $3 WHERE workspace_id = $1 AND id = $2");

static enum err snooze(const struct scope *scope, void *arg)
{
    struct noting *noting = arg;
    TRY(reviewed_lock(scope, &noting->of, &noting->reviewed));
    TRY(reviewed_waits(scope, &noting->reviewed));
    TRY(db_exec(scope, &review_snooze_sql,
                PARAMS(P(scope->workspace), P(noting->of.item), P(noting->until)), NULL));
    TRY(note(scope, noting));
    return item_get(scope, noting->of.item, noting->item);
}

enum err review_snooze(const struct scope *scope, const struct review_of *of, struct instant until,
                       struct item_view *into)
{
    struct noting noting = {.of = *of, .action = "snooze", .until = until, .item = into};
    if (until.us)
        noting.text = instant_format(scope->arena, until);
    return db_transaction(scope, snooze, &noting);
}

static enum err comment(const struct scope *scope, void *arg)
{
    struct noting *noting = arg;
    TRY(reviewed_lock(scope, &noting->of, &noting->reviewed));
    TRY(note(scope, noting));
    *noting->row_version = noting->reviewed.row_version + 1;
    return action_get(scope, noting->id, noting->noted);
}

enum err review_comment(const struct scope *scope, const struct review_of *of, const char *text,
                        struct action_view *into, int64_t *row_version)
{
    struct noting noting = {
        .of = *of, .action = "comment", .text = text, .noted = into, .row_version = row_version};
    return db_transaction(scope, comment, &noting);
}
