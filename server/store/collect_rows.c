#include "store/collect_rows.h"

#include "base/text.h"
#include "crypto/crypto.h"
#include "store/json_rows.h"

/* An entry of the search index holds every trigram of its text, and must fit into a page. */
enum { SEARCH_PARTS = 4, SEARCH_PART_BYTES_MAX = 400 };

/* ---- rows as JSON: the one parameter of each statement ---- */

/* What a version says, but for the raw payload: also what the history compares. */
static json_t *facts_of(struct arena *arena, const struct collected_record *record)
{
    json_t *facts = json_keep(arena, json_object());
    row_text(facts, "posting", record->posting);
    row_text(facts, "posting_reason", record->posting_reason);
    row_text(facts, "source_event_id", record->source_event_id);
    row_text(facts, "source_txn_id", record->source_txn_id);
    row_text(facts, "parent_source_id", record->parent_source_id);
    row_money(facts, "amount_minor", "currency", record->amount);
    row_money(facts, "fee_minor", "fee_currency", record->fee);
    row_money(facts, "net_minor", "net_currency", record->net);
    row_date(arena, facts, "date", record->date);
    row_date(arena, facts, "due_date", record->due_date);
    row_text(facts, "description", record->description);
    row_text(facts, "reference", record->reference);
    row_text(facts, "party_name", record->party_name);
    row_json(arena, facts, "party", record->party ? record->party : "{}");
    row_text(facts, "quarantine", record->quarantine);
    return facts;
}

/* The beginning of a text, in whole characters. */
static void add_beginning(struct buf *into, const char *text)
{
    size_t n = 0, length;
    while ((length = utf8_sequence(text + n)) > 0 && text[n] != '\0' &&
           n + length <= SEARCH_PART_BYTES_MAX)
        n += length;
    buf_add(into, text, n);
}

/* What people type to find a record again. */
static const char *search_text(struct arena *arena, const struct collected_record *record)
{
    const char *const parts[SEARCH_PARTS] = {record->party_name, record->reference,
                                             record->description, record->source_id};
    struct buf text = buf_new(arena, (size_t)SEARCH_PARTS * (SEARCH_PART_BYTES_MAX + 1));
    for (size_t i = 0; i < COUNT(parts); i++) {
        if (!parts[i])
            continue;
        buf_add_text(&text, text.n > 0 ? " " : "");
        add_beginning(&text, parts[i]);
    }
    return text.data;
}

static json_t *version_of(struct arena *arena, const struct row_plan *plan)
{
    const struct collected_record *record = plan->record;
    json_t *row = facts_of(arena, record);
    row_uuid(arena, row, "record_id", plan->id);
    row_int(row, "version", plan->version);
    row_uuid(arena, row, "stream_id", plan->stream);
    row_text(row, "source_id", record->source_id);
    row_text(row, "kind", record->kind);
    row_text(row, "material_hash", record->material_hash);
    row_text(row, "raw", record->raw);
    row_time(arena, row, "occurred_at", record->occurred_at);
    row_time(arena, row, "source_updated_at", record->source_updated_at);
    row_text(row, "reference_norm", record->reference_norm);
    row_text(row, "core_name", record->party_core);
    row_text(row, "norm_version", record->norm_version);
    row_text(row, "search_text", search_text(arena, record));
    return row;
}

/* The rows whose change is one of `wanted` (a bit each), or NULL when there are none. */
static const char *rows_json(struct arena *arena, const struct row_plan *plans, size_t count,
                             unsigned wanted)
{
    json_t *rows = rows_new(arena);
    for (size_t i = 0; i < count; i++) {
        if (wanted & 1u << plans[i].change && !plans[i].repeated)
            json_array_append(rows, version_of(arena, &plans[i]));
    }
    return rows_text(arena, rows);
}

/* ---- what is known already ---- */

struct known_row {
    int n;
    struct uuid record;
    int version;
    const char *material_hash;
    const char *raw_hash;
    const char *facts;
};
static const struct column known_columns[] = {
    COLUMN(struct known_row, n),        COLUMN(struct known_row, record),
    COLUMN(struct known_row, version),  COLUMN(struct known_row, material_hash),
    COLUMN(struct known_row, raw_hash), COLUMN(struct known_row, facts),
};
static const struct shape known_shape = SHAPE(struct known_row, known_columns);

STATEMENT(rows_known_sql,
          "SELECT x.n, r.id AS record, r.version, v.material_hash,"
          " encode(sha256(convert_to(v.raw, 'UTF8')), 'hex') AS raw_hash,"
          " jsonb_build_object('posting', r.posting, 'posting_reason', r.posting_reason,"
          " 'source_event_id', v.source_event_id, 'source_txn_id', v.source_txn_id,"
          " 'parent_source_id', r.parent_source_id, 'amount_minor', v.amount_minor,"
          " 'currency', v.currency, 'fee_minor', v.fee_minor, 'fee_currency', v.fee_currency,"
          " 'net_minor', v.net_minor, 'net_currency', v.net_currency, 'date', v.date,"
          " 'due_date', v.due_date, 'description', v.description, 'reference', v.reference,"
          " 'party_name', v.party_name, 'party', v.party, 'quarantine', r.quarantine) AS facts"
          " FROM jsonb_to_recordset($2) AS x(n int, stream_id uuid, source_id text)"
          " JOIN region.record r ON r.workspace_id = $1 AND r.stream_id = x.stream_id"
          " AND r.source_id = x.source_id"
          " JOIN region.record_version v ON v.workspace_id = $1 AND v.record_id = r.id"
          " AND v.version = r.version");

static const char *keys_json(struct arena *arena, const struct row_plan *plans, size_t count)
{
    json_t *keys = rows_new(arena);
    for (size_t i = 0; i < count; i++) {
        json_t *key = rows_add(keys);
        row_int(key, "n", (int64_t)i);
        row_uuid(arena, key, "stream_id", plans[i].stream);
        row_text(key, "source_id", plans[i].record->source_id);
    }
    return json_write(arena, keys);
}

/* [{"field","from","to"}] of what differs; a field that is not in `before` was absent. */
static const char *changes_json(struct arena *arena, const json_t *before, json_t *after)
{
    json_t *changes = json_keep(arena, json_array());
    const char *field;
    json_t *to;
    json_object_foreach(after, field, to)
    {
        json_t *from = json_object_get(before, field);
        if (from ? json_equal(from, to) : json_is_null(to))
            continue;
        json_t *change = json_object();
        json_object_set_new(change, "field", json_string(field));
        json_object_set_new(change, "from", from ? json_incref(from) : json_null());
        json_object_set(change, "to", to);
        json_array_append_new(changes, change);
    }
    return json_write(arena, changes);
}

static void plan_new(const struct scope *scope, struct row_plan *plan)
{
    plan->id = db_new_id(scope);
    plan->version = 1;
    plan->change = plan->record->quarantine ? ROW_QUARANTINED : ROW_NEW;
    plan->changes = changes_json(scope->arena, NULL, facts_of(scope->arena, plan->record));
}

static enum err plan_known(const struct scope *scope, struct row_plan *plan,
                           const struct known_row *known)
{
    struct arena *arena = scope->arena;
    const struct collected_record *record = plan->record;
    json_t *before;
    TRY(json_parse(arena, (struct bytes){(const uint8_t *)known->facts, strlen(known->facts)},
                   &before));
    /* What was to be ignored has its items closed: should it post after all, that is a version. */
    bool revived = text_equal(json_text(before, "posting"), "ignore") &&
                   !text_equal(record->posting, "ignore");
    bool material = revived || !text_equal(known->material_hash, record->material_hash);
    bool touched = !text_equal(known->raw_hash, sha256_text_hex(arena, record->raw)) ||
                   !text_equal(json_text(before, "posting"), record->posting);
    plan->id = known->record;
    plan->version = known->version + material;
    plan->posting_before = arena_text(arena, json_text(before, "posting"));
    plan->change = material ? ROW_CHANGED : touched ? ROW_TOUCHED : ROW_SAME;
    plan->changes = changes_json(arena, before, facts_of(arena, record));
    return OK;
}

enum err rows_compare(const struct scope *scope, struct row_plan *plans, size_t count)
{
    struct rows found;
    TRY(db_all(scope, &rows_known_sql,
               PARAMS(P(scope->workspace), P_JSON(keys_json(scope->arena, plans, count))),
               &known_shape, &found));
    const struct known_row *known = found.at;
    const struct known_row **known_of =
        arena_array(scope->arena, count, sizeof(const struct known_row *));
    for (size_t i = 0; i < found.count; i++)
        known_of[known[i].n] = &known[i];
    for (size_t i = 0; i < count; i++) {
        if (plans[i].repeated)
            plans[i].change = ROW_SAME;
        else if (known_of[i])
            TRY(plan_known(scope, &plans[i], known_of[i]));
        else
            plan_new(scope, &plans[i]);
    }
    return OK;
}

/* ---- writes ---- */

enum {
    NEW_RECORDS = 1u << ROW_NEW | 1u << ROW_QUARANTINED,
    NEW_VERSIONS = 1u << ROW_NEW | 1u << ROW_CHANGED | 1u << ROW_QUARANTINED,
    TOUCHED = 1u << ROW_TOUCHED,
    DIFFERENT = 1u << ROW_NEW | 1u << ROW_CHANGED | 1u << ROW_QUARANTINED | 1u << ROW_TOUCHED
};

static enum err write_rows(const struct scope *scope, const struct statement *statement,
                           const char *rows)
{
    if (!rows)
        return OK;
    return db_exec(scope, statement, PARAMS(P(scope->workspace), P_JSON(rows), P(db_now(scope))),
                   NULL);
}

STATEMENT(records_insert_sql,
          "INSERT INTO region.record (workspace_id, id, stream_id, source_id, kind, version,"
          " posting, posting_reason, parent_source_id, quarantine, search_text, first_seen_at,"
          " updated_at)"
          " SELECT $1, record_id, stream_id, source_id, kind, 1, posting, posting_reason,"
          " parent_source_id, quarantine, search_text, $3, $3 FROM jsonb_to_recordset($2)"
          " AS x(record_id uuid, stream_id uuid, source_id text, kind text, posting text,"
          " posting_reason text, parent_source_id text, quarantine text, search_text text)");

enum err rows_insert_records(const struct scope *scope, const struct row_plan *plans, size_t count)
{
    return write_rows(scope, &records_insert_sql,
                      rows_json(scope->arena, plans, count, NEW_RECORDS));
}

STATEMENT(versions_insert_sql,
          "WITH x AS (SELECT * FROM jsonb_to_recordset($2) AS x(record_id uuid, version int,"
          " kind text, material_hash text, raw text, posting text, posting_reason text,"
          " source_event_id text, source_txn_id text, parent_source_id text,"
          " amount_minor bigint, currency text, fee_minor bigint, fee_currency text,"
          " net_minor bigint, net_currency text, date date, due_date date,"
          " occurred_at timestamptz, source_updated_at timestamptz, description text,"
          " reference text, reference_norm text, party jsonb, party_name text, core_name text,"
          " norm_version text, search_text text)),"
          " moved AS (UPDATE region.record r SET version = x.version, kind = x.kind,"
          " posting = x.posting, posting_reason = x.posting_reason,"
          " parent_source_id = x.parent_source_id, search_text = x.search_text,"
          " updated_at = $3 FROM x WHERE r.workspace_id = $1 AND r.id = x.record_id"
          " AND r.version < x.version)"
          " INSERT INTO region.record_version (workspace_id, record_id, version, material_hash,"
          " raw, source_event_id, source_txn_id, amount_minor, currency, fee_minor,"
          " fee_currency, net_minor, net_currency, date, due_date, occurred_at,"
          " source_updated_at, description, reference, reference_norm, party, party_name,"
          " core_name, norm_version, created_at)"
          " SELECT $1, record_id, version, material_hash, raw, source_event_id, source_txn_id,"
          " amount_minor, currency, fee_minor, fee_currency, net_minor, net_currency, date,"
          " due_date, occurred_at, source_updated_at, description, reference, reference_norm,"
          " party, party_name, core_name, norm_version, $3 FROM x");

enum err rows_insert_versions(const struct scope *scope, const struct row_plan *plans, size_t count)
{
    return write_rows(scope, &versions_insert_sql,
                      rows_json(scope->arena, plans, count, NEW_VERSIONS));
}

STATEMENT(versions_touch_sql,
          "WITH x AS (SELECT * FROM jsonb_to_recordset($2) AS x(record_id uuid, version int,"
          " raw text, posting text, posting_reason text, source_event_id text,"
          " source_txn_id text, fee_minor bigint, fee_currency text, net_minor bigint,"
          " net_currency text, due_date date, source_updated_at timestamptz, description text,"
          " reference text, reference_norm text, party jsonb, party_name text, core_name text,"
          " norm_version text, search_text text)),"
          " moved AS (UPDATE region.record r SET posting = x.posting,"
          " posting_reason = x.posting_reason, search_text = x.search_text, updated_at = $3"
          " FROM x WHERE r.workspace_id = $1 AND r.id = x.record_id)"
          " UPDATE region.record_version v SET raw = x.raw,"
          " source_event_id = coalesce(x.source_event_id, v.source_event_id),"
          " source_txn_id = coalesce(x.source_txn_id, v.source_txn_id), fee_minor = x.fee_minor,"
          " fee_currency = x.fee_currency, net_minor = x.net_minor,"
          " net_currency = x.net_currency, due_date = x.due_date,"
          " source_updated_at = x.source_updated_at, description = x.description,"
          " reference = x.reference, reference_norm = x.reference_norm, party = x.party,"
          " party_name = x.party_name, core_name = x.core_name, norm_version = x.norm_version"
          " FROM x WHERE v.workspace_id = $1 AND v.record_id = x.record_id"
          " AND v.version = x.version");

enum err rows_touch_versions(const struct scope *scope, const struct row_plan *plans, size_t count)
{
    return write_rows(scope, &versions_touch_sql, rows_json(scope->arena, plans, count, TOUCHED));
}

STATEMENT(history_insert_sql,
          "INSERT INTO region.record_history (workspace_id, id, record_id, version, material,"
          " changes, at)"
          " SELECT $1, id, record_id, version, material, changes, $3"
          " FROM jsonb_to_recordset($2)"
          " AS x(id uuid, record_id uuid, version int, material boolean, changes jsonb)");

enum err rows_insert_history(const struct scope *scope, const struct row_plan *plans, size_t count)
{
    struct arena *arena = scope->arena;
    json_t *rows = rows_new(arena);
    for (size_t i = 0; i < count; i++) {
        if (!(DIFFERENT & 1u << plans[i].change) || plans[i].repeated)
            continue;
        json_t *row = rows_add(rows);
        row_uuid(arena, row, "id", db_new_id(scope));
        row_uuid(arena, row, "record_id", plans[i].id);
        row_int(row, "version", plans[i].version);
        row_bool(row, "material", plans[i].change != ROW_TOUCHED);
        row_json(arena, row, "changes", plans[i].changes);
    }
    return write_rows(scope, &history_insert_sql, rows_text(arena, rows));
}
