/* The queue of items that wait for a person, and what a person can do with them. */
#include "store/review.h"

#include "base/text.h"
#include "handlers/handlers.h"
#include "handlers/listing.h"
#include "handlers/view.h"
#include "store/user.h"

enum { NOTE_CHARS_MAX = 2000 };

static const char *const queue_words[] = {"held", "stopped", NULL};
enum { QUEUE_HELD };

struct review_query {
    struct page page;
    struct range_query range;
    struct uuid integration;
    int state;
    int kind;
    struct uuid assignee;
    const char *policy;
    bool snoozed;
};
static const struct input_field list_fields[] = {
    PAGE_FIELDS(struct review_query, page),
    RANGE_FIELDS(struct review_query, range),
    FIELD_UUID("integration_id", struct review_query, integration, OPTIONAL),
    FIELD_WORD("state", struct review_query, state, queue_words, OPTIONAL),
    FIELD_WORD("kind", struct review_query, kind, record_kind_words, OPTIONAL),
    FIELD_UUID("assignee_id", struct review_query, assignee, OPTIONAL),
    FIELD_TEXT("policy", struct review_query, policy, 1, CODE_CHARS_MAX, OPTIONAL),
    FIELD_BOOL("snoozed", struct review_query, snoozed, OPTIONAL),
};

static enum err find_queue(struct request *req, const struct review_query *query, struct rows *rows)
{
    struct review_filter filter = {
        .integration = query->integration,
        .state = queue_words[query->state],
        .kind = word_or_null(record_kind_words, query->kind),
        .assignee = query->assignee,
        .policy = query->policy,
        .snoozed = query->snoozed,
    };
    TRY(range_read(req, &query->range, &filter.range));
    struct list_page page = list_page_of(&query->page);
    return review_list(req->scope, &filter, &page, rows);
}

static enum err explain(struct request *req, const struct item_view *items, size_t count,
                        struct decisions_view *into)
{
    struct uuid *ids = arena_array(req->arena, count, sizeof *ids);
    for (size_t i = 0; i < count; i++)
        ids[i] = items[i].id;
    struct uuid_list list = {ids, count};
    return decisions_of_items(req->scope, list, CANDIDATES_LISTED_MAX, into);
}

enum err api_review_list(struct request *req)
{
    struct review_query query = {
        .page = PAGE_DEFAULT, .range = RANGE_DEFAULT, .state = QUEUE_HELD, .kind = WORD_ABSENT};
    struct rows rows;
    struct decisions_view decisions;
    TRY(list_read(req, list_fields, COUNT(list_fields), &query, &query.page));
    TRY(find_queue(req, &query, &rows));
    const struct item_view *items = rows.at;
    size_t shown = page_shown(&query.page, rows.count);
    TRY(explain(req, items, shown, &decisions));
    struct json_out out = list_begin(req);
    for (size_t i = 0; i < shown; i++) {
        out_object(&out, NULL);
        out_object(&out, "item");
        out_item(&out, &items[i], req->now);
        out_end(&out);
        TRY(out_decision(&out, "decision", &decisions, items[i].id));
        out_end(&out);
    }
    struct cursor next = {0};
    if (shown > 0)
        next = (struct cursor){.number = items[shown - 1].p_micro, .id = items[shown - 1].id};
    return list_end(req, &out, shown < rows.count ? &next : NULL);
}

/* ---- what a person decides ---- */

static enum err read_of(struct request *req, struct review_of *into)
{
    *into = (struct review_of){.item = request_uuid(req, "item_id")};
    return if_match_read_optional(req, &into->versioned, &into->row_version);
}

static enum err reply_item(struct request *req, const struct item_view *item)
{
    struct json_out out = reply_begin(req);
    out_item(&out, item, req->now);
    reply_etag(req, item->row_version);
    return reply_end(req, 200, &out);
}

struct approve_input {
    struct uuid candidate;
    bool create, create_given;
    const char *note;
};
static const struct input_field approve_fields[] = {
    FIELD_UUID("candidate", struct approve_input, candidate, OPTIONAL),
    FIELD_BOOL("create", struct approve_input, create, GIVEN(struct approve_input, create_given)),
    FIELD_NOTE("note", struct approve_input, note, 1, NOTE_CHARS_MAX, OPTIONAL),
};

static enum err check_approval(struct request *req, const struct approve_input *in)
{
    if (in->create_given && !in->create)
        return arena_fail(req->arena, ERR_FIELD_INVALID, "create",
                          "Expected true, or leave it out.");
    if (in->create && !uuid_is_nil(in->candidate))
        return arena_fail(req->arena, ERR_FIELD_INVALID, "create",
                          "Say either candidate or create, not both.");
    return OK;
}

enum err api_review_approve(struct request *req)
{
    struct approve_input in = {0};
    struct review_approval approval = {0};
    struct item_view item;
    TRY(read_of(req, &approval.of));
    TRY(json_read(req, approve_fields, COUNT(approve_fields), &in));
    TRY(check_approval(req, &in));
    approval.candidate = in.candidate;
    approval.create = in.create;
    approval.note = in.note;
    TRY(review_approve(req->scope, &approval, &item));
    return reply_item(req, &item);
}

struct pin_input {
    struct uuid entry;
};
static const struct input_field pin_fields[] = {
    FIELD_UUID("ledger_entry_id", struct pin_input, entry, REQUIRED),
};

enum err api_review_pin(struct request *req)
{
    struct pin_input in = {0};
    struct review_of of;
    struct item_view item;
    TRY(read_of(req, &of));
    TRY(json_read(req, pin_fields, COUNT(pin_fields), &in));
    TRY(review_pin(req->scope, &of, in.entry, &item));
    return reply_item(req, &item);
}

struct reason_input {
    const char *reason;
};
static const struct input_field reason_fields[] = {
    FIELD_NOTE("reason", struct reason_input, reason, 1, NOTE_CHARS_MAX, REQUIRED),
};

enum err api_review_reject(struct request *req)
{
    struct reason_input in = {0};
    struct review_of of;
    struct item_view item;
    TRY(read_of(req, &of));
    TRY(json_read(req, reason_fields, COUNT(reason_fields), &in));
    TRY(review_reject(req->scope, &of, in.reason, &item));
    return reply_item(req, &item);
}

enum err api_review_undo(struct request *req)
{
    struct review_of of;
    struct item_view item;
    TRY(read_of(req, &of));
    TRY(json_read_nothing(req));
    TRY(review_undo(req->scope, &of, &item));
    return reply_item(req, &item);
}

/* ---- what a person notes ---- */

struct assign_input {
    struct uuid user;
};
static const struct input_field assign_fields[] = {
    FIELD_UUID("user_id", struct assign_input, user, REQUIRED, .nullable = true),
};

static enum err check_assignee(struct request *req, struct uuid user)
{
    struct member member;
    if (uuid_is_nil(user))
        return OK;
    enum err error = member_get(&req->directory, req->scope->workspace, user, &member);
    if (error == ERR_NOT_FOUND)
        return arena_fail(req->arena, ERR_FIELD_INVALID, "user_id",
                          "There is no such member of this workspace.");
    TRY(error);
    if (text_equal(member.role, "viewer"))
        return arena_fail(req->arena, ERR_FIELD_INVALID, "user_id",
                          "A viewer cannot review; give the item to a reviewer.");
    return OK;
}

enum err api_review_assign(struct request *req)
{
    struct assign_input in = {0};
    struct review_of of;
    struct item_view item;
    TRY(read_of(req, &of));
    TRY(json_read(req, assign_fields, COUNT(assign_fields), &in));
    TRY(check_assignee(req, in.user));
    TRY(review_assign(req->scope, &of, in.user, &item));
    return reply_item(req, &item);
}

struct snooze_input {
    struct instant until;
};
static const struct input_field snooze_fields[] = {
    FIELD_INSTANT("until", struct snooze_input, until, REQUIRED, .nullable = true),
};

enum err api_review_snooze(struct request *req)
{
    struct snooze_input in = {0};
    struct review_of of;
    struct item_view item;
    TRY(read_of(req, &of));
    TRY(json_read(req, snooze_fields, COUNT(snooze_fields), &in));
    if (in.until.us != 0 && in.until.us <= req->now.us)
        return arena_fail(req->arena, ERR_FIELD_INVALID, "until",
                          "Expected a time in the future, or null.");
    TRY(review_snooze(req->scope, &of, in.until, &item));
    return reply_item(req, &item);
}

struct comment_input {
    const char *text;
};
static const struct input_field comment_fields[] = {
    FIELD_NOTE("text", struct comment_input, text, 1, NOTE_CHARS_MAX, REQUIRED),
};

enum err api_review_comment(struct request *req)
{
    struct comment_input in = {0};
    struct review_of of;
    struct action_view action;
    int64_t row_version;
    TRY(read_of(req, &of));
    TRY(json_read(req, comment_fields, COUNT(comment_fields), &in));
    TRY(review_comment(req->scope, &of, in.text, &action, &row_version));
    struct json_out out = reply_begin(req);
    out_action(&out, &action);
    reply_etag(req, row_version);
    return reply_end(req, 201, &out);
}
