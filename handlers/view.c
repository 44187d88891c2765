#include "handlers/view.h"

#include "base/text.h"

void out_actor(struct json_out *out, const char *name, const struct actor_view *actor)
{
    const char *kind = "machine";
    if (text_equal(actor->kind, "user") || text_equal(actor->kind, "operator"))
        kind = "person";
    else if (text_equal(actor->kind, "api_key"))
        kind = "api_key";
    const struct uuid nobody = {{0}};
    bool machine = text_equal(kind, "machine");
    out_object(out, name);
    out_text(out, "kind", kind);
    out_uuid_or_null(out, "id", machine ? nobody : actor->id);
    out_end(out);
}

void out_counterparty(struct json_out *out, const char *name, struct uuid id, const char *is)
{
    if (uuid_is_nil(id)) {
        out_null(out, name);
        return;
    }
    out_object(out, name);
    out_uuid(out, "id", id);
    out_text(out, "name", is ? is : "");
    out_end(out);
}

void out_probability(struct json_out *out, const char *name, int64_t micro)
{
    if (micro == P_UNKNOWN)
        out_null(out, name);
    else
        out_millionths(out, name, micro);
}

void out_item(struct json_out *out, const struct item_view *item, struct instant now)
{
    struct instant until;
    bool undoable = item_undoable(item, now, &until);
    out_uuid(out, "id", item->id);
    out_uuid(out, "integration_id", item->integration);
    out_uuid(out, "record_id", item->record);
    out_int(out, "record_version", item->version);
    out_uuid_or_null(out, "window_id", item->window);
    out_text(out, "kind", item->kind);
    out_text(out, "source_id", item->source_id);
    out_text(out, "state", item->state);
    out_text(out, "band", item->band);
    out_text(out, "action", item->action);
    out_probability(out, "p", item->p_micro);
    out_money(out, "amount", item->amount);
    out_date(out, "date", item->date);
    out_counterparty(out, "counterparty", item->counterparty, item->counterparty_is);
    out_text(out, "counterparty_name", item->counterparty_name);
    out_text(out, "reference", item->reference);
    out_text(out, "description", item->description);
    out_uuid_or_null(out, "entry_id", item->entry);
    out_uuid_or_null(out, "assignee_id", item->assignee);
    out_instant(out, "due_at", item->due_at);
    out_instant(out, "snoozed_until", item->snoozed_until);
    out_bool(out, "undoable", undoable);
    out_instant(out, "undo_until", undoable ? until : (struct instant){0});
    out_int(out, "row_version", item->row_version);
    out_instant(out, "created_at", item->created_at);
    out_instant(out, "updated_at", item->updated_at);
}

void out_record(struct json_out *out, const struct record_view *record)
{
    out_uuid(out, "id", record->id);
    out_text(out, "provider", record->provider);
    out_text(out, "account", record->account);
    out_bool(out, "livemode", record->livemode);
    out_text(out, "stream", record->stream);
    out_text(out, "kind", record->kind);
    out_text(out, "source_id", record->source_id);
    out_int(out, "version", record->version);
    out_money(out, "amount", record->amount);
    out_date(out, "date", record->date);
    out_counterparty(out, "counterparty", record->counterparty, record->counterparty_is);
    out_text(out, "counterparty_name", record->counterparty_name);
    out_text(out, "reference", record->reference);
    out_text(out, "description", record->description);
    out_instant(out, "created_at", record->created_at);
    out_instant(out, "updated_at", record->updated_at);
}

void out_entry(struct json_out *out, const struct entry_view *entry)
{
    out_uuid(out, "id", entry->id);
    out_uuid(out, "connection_id", entry->connection);
    out_text(out, "role", entry->role);
    out_text(out, "origin", entry->origin);
    out_text(out, "external_id", entry->external_id);
    out_money(out, "amount", entry->amount);
    out_date(out, "date", entry->date);
    out_date(out, "due_date", entry->due_date);
    out_text(out, "counterparty_name", entry->counterparty_name);
    out_text(out, "reference", entry->reference);
    out_text(out, "description", entry->description);
    out_text(out, "state", entry->state);
    out_uuid_or_null(out, "item_id", entry->item);
    out_uuid_or_null(out, "delivery_id", entry->delivery);
    out_instant(out, "created_at", entry->created_at);
    out_instant(out, "updated_at", entry->updated_at);
}

void out_delivery(struct json_out *out, const struct delivery_view *delivery)
{
    out_uuid(out, "id", delivery->id);
    out_uuid(out, "item_id", delivery->item);
    out_uuid(out, "integration_id", delivery->integration);
    out_uuid(out, "connection_id", delivery->connection);
    out_text(out, "operation", delivery->operation);
    out_int(out, "generation", delivery->generation);
    out_text(out, "state", delivery->state);
    out_uuid(out, "idempotency_key", delivery->idempotency_key);
    out_text(out, "content_sha256", delivery->content_sha256);
    out_text(out, "content_type", delivery->content_type);
    out_int(out, "content_bytes", delivery->content_bytes);
    out_text(out, "file_name", delivery->file_name);
    out_text(out, "external_id", delivery->external_id);
    out_int(out, "attempt_count", delivery->attempt_count);
    out_instant(out, "next_attempt_at", delivery->next_attempt_at);
    out_instant(out, "created_at", delivery->created_at);
    out_instant(out, "updated_at", delivery->updated_at);
    out_instant(out, "done_at", delivery->done_at);
}

void out_problem(struct json_out *out, const struct problem *problem)
{
    out_uuid(out, "id", problem->id);
    out_text(out, "code", problem->code);
    out_text(out, "state", machine_name(&problem_machine, problem->state));
    out_text(out, "title", problem->text);
    out_text(out, "detail", problem->detail);
    out_text(out, "action", problem->action);
    out_json(out, "fields", problem->fields ? problem->fields : "[]");
    out_uuid_or_null(out, "integration_id", problem->integration_id);
    out_uuid_or_null(out, "connection_id", problem->connection_id);
    out_uuid_or_null(out, "item_id", problem->item_id);
    out_uuid_or_null(out, "record_id", problem->record_id);
    out_uuid_or_null(out, "delivery_id", problem->delivery_id);
    out_text(out, "source_id", problem->source_id);
    out_text(out, "dismissed_reason", problem->dismissed_reason);
    out_instant(out, "created_at", problem->created_at);
    out_instant(out, "updated_at", problem->updated_at);
}

void out_action(struct json_out *out, const struct action_view *action)
{
    out_uuid(out, "id", action->id);
    out_uuid(out, "item_id", action->item);
    out_text(out, "action", action->action);
    out_actor(out, "actor", &action->actor);
    out_instant(out, "at", action->at);
    out_text(out, "text", action->text);
    out_uuid_or_null(out, "entry_id", action->entry);
    out_uuid_or_null(out, "undone_by", action->undone_by);
}
