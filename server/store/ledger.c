#include "store/ledger.h"

#include "base/text.h"
#include "store/audit.h"
#include "store/collect.h"
#include "store/entry_free.h"
#include "store/json_rows.h"

/* The last of several rows about one entry counts: one statement writes each row once. */
static bool repeated_later(const struct mirrored_page *page, size_t at)
{
    for (size_t i = at + 1; i < page->count; i++) {
        if (text_equal(page->rows[i].external_id, page->rows[at].external_id) &&
            text_equal(page->rows[i].role, page->rows[at].role))
            return true;
    }
    return false;
}

static const char *rows_json(const struct scope *scope, const struct mirrored_page *page)
{
    struct arena *arena = scope->arena;
    json_t *rows = rows_new(arena);
    for (size_t i = 0; i < page->count; i++) {
        const struct ledger_row *entry = &page->rows[i];
        if (repeated_later(page, i))
            continue;
        json_t *row = rows_add(rows);
        row_uuid(arena, row, "id", db_new_id(scope));
        row_text(row, "role", entry->role);
        row_text(row, "external_id", entry->external_id);
        row_money(row, "amount_minor", "currency", entry->amount);
        row_date(arena, row, "date", entry->date);
        row_date(arena, row, "due_date", entry->due_date);
        row_text(row, "counterparty_name", entry->counterparty_name);
        row_text(row, "core_name", entry->core_name);
        row_text(row, "norm_version", entry->norm_version);
        row_text(row, "iban", entry->counterparty_iban);
        row_text(row, "vat_id", entry->counterparty_vat_id);
        row_text(row, "reference", entry->reference);
        row_text(row, "reference_norm", entry->reference_norm);
        row_text(row, "description", entry->description);
        row_text(row, "file_name", entry->file_name);
        row_text(row, "target_state", entry->state);
        row_bool(row, "removed", entry->removed);
        row_bool(row, "analysed", entry->analysed);
        row_text(row, "raw", entry->raw);
        row_time(arena, row, "source_updated_at", entry->target_updated_at);
    }
    return rows_text(arena, rows);
}

/* What we delivered keeps its origin, and keeps what we know of it where the target has not read
 * the document yet. */
STATEMENT(ledger_upsert_sql,
          "INSERT INTO region.ledger_entry AS e (workspace_id, id, connection_id, role,"
          " external_id, origin, amount_minor, currency, date, due_date, counterparty_name,"
          " core_name, norm_version, iban, vat_id, reference, reference_norm, description,"
          " file_name, target_state, removed, analysed, raw, source_updated_at, mirrored_at,"
          " created_at)"
          " SELECT $1, id, $4, role, external_id, 'mirrored', amount_minor, currency, date,"
          " due_date, counterparty_name, core_name, norm_version, iban, vat_id, reference,"
          " reference_norm, description, file_name, target_state, removed, analysed, raw,"
          " source_updated_at, $3, $3"
          " FROM jsonb_to_recordset($2) AS x(id uuid, role text, external_id text,"
          " amount_minor bigint, currency text, date date, due_date date,"
          " counterparty_name text, core_name text, norm_version text, iban text, vat_id text,"
          " reference text, reference_norm text, description text, file_name text,"
          " target_state text, removed boolean, analysed boolean, raw text,"
          " source_updated_at timestamptz)"
          " ON CONFLICT (workspace_id, connection_id, role, external_id) DO UPDATE SET"
          " amount_minor = CASE WHEN excluded.amount_minor IS NULL THEN e.amount_minor"
          " ELSE excluded.amount_minor END,"
          " currency = CASE WHEN excluded.amount_minor IS NULL THEN e.currency"
          " ELSE excluded.currency END,"
          " date = coalesce(excluded.date, e.date),"
          " due_date = coalesce(excluded.due_date, e.due_date),"
          " counterparty_name = coalesce(excluded.counterparty_name, e.counterparty_name),"
          " core_name = coalesce(excluded.core_name, e.core_name),"
          " norm_version = excluded.norm_version,"
          " iban = coalesce(excluded.iban, e.iban), vat_id = coalesce(excluded.vat_id, e.vat_id),"
          " reference = coalesce(excluded.reference, e.reference),"
          " reference_norm = coalesce(excluded.reference_norm, e.reference_norm),"
          " description = coalesce(excluded.description, e.description),"
          " file_name = coalesce(excluded.file_name, e.file_name),"
          " target_state = excluded.target_state, removed = excluded.removed,"
          " analysed = excluded.analysed, raw = excluded.raw,"
          " source_updated_at = excluded.source_updated_at, mirrored_at = excluded.mirrored_at");

static struct text_list removed_ids(struct arena *arena, const struct mirrored_page *page)
{
    const char **ids = arena_array(arena, page->count, sizeof *ids);
    size_t n = 0;
    for (size_t i = 0; i < page->count; i++) {
        if (page->rows[i].removed && !repeated_later(page, i))
            ids[n++] = page->rows[i].external_id;
    }
    return (struct text_list){ids, n};
}

static enum err mirror(const struct scope *scope, void *arg)
{
    const struct mirrored_page *page = arg;
    struct stream_step step = {page->stream, page->pages, page->next_marker, page->complete,
                               (int64_t)page->count};
    const char *rows = rows_json(scope, page);
    if (rows)
        TRY(db_exec(
            scope, &ledger_upsert_sql,
            PARAMS(P(scope->workspace), P_JSON(rows), P(db_now(scope)), P(page->connection)),
            NULL));
    TRY(entries_removed(scope, page->connection, removed_ids(scope->arena, page)));
    return stream_advance(scope, &step);
}

enum err ledger_mirror_page(const struct scope *scope, const struct mirrored_page *page)
{
    struct mirrored_page copy = *page;
    return db_transaction(scope, mirror, &copy);
}
