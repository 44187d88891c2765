#include "base/base.h"

#include "ledger.h"

#include "base/text.h"
#include "matcher/train/world.h"
#include "store/collect.h"
#include "store/connection.h"
#include "store/ledger.h"
#include "store/scope_make.h"
#include "store/workspace.h"

enum {
    PAGE_ROWS = 500,
    COMPANIES_PER_RECORD_PERCENT = 50,
    ENTRIES_PER_COMPANY = 9 /* with the extra ones, as measured */
};

struct filling {
    struct scope scope;
    struct uuid connection;
    struct uuid stream;
    int64_t pages;
    int64_t spent_us;
};

static enum err workspace_make(const struct scope *base, struct filling *into)
{
    static const char *const roles[] = {"target"};
    const struct workspace workspace = {
        .name = "Bench", .time_zone = "Europe/Paris", .language = "en"};
    const struct connection_new wanted = {
        .provider = "qonto", .roles = {roles, 1}, .method = "oauth", .label = "qonto"};
    struct connection connection;
    *into = (struct filling){.scope = *base};
    into->scope.workspace = db_new_id(base);
    TRY(tenant_put(&into->scope, &workspace));
    TRY(connection_add(&into->scope, &wanted, &connection));
    into->connection = connection.id;
    const struct stream stream = {.connection = connection.id,
                                  .provider = "qonto",
                                  .account = "bench",
                                  .livemode = true,
                                  .name = "qonto.bench",
                                  .period_s = 60,
                                  .reach = db_now(&into->scope)};
    return stream_ensure(&into->scope, &stream, "mirror", &into->stream);
}

static struct ledger_row row_of(struct arena *arena, const struct match_entry *entry,
                                const char *role)
{
    return (struct ledger_row){
        .role = role,
        .external_id = uuid_format(arena, entry->id),
        .amount = entry->amount,
        .date = entry->date,
        .due_date = entry->due_date,
        .counterparty_name = entry->name,
        .core_name = name_core(arena, entry->name),
        .norm_version = NORM_VERSION,
        .counterparty_iban = entry->iban,
        .counterparty_vat_id = entry->vat_id,
        .reference = entry->reference,
        .reference_norm = reference_normalise(arena, entry->reference),
        .description = entry->description,
        .file_name = entry->file_name,
        .analysed = true,
    };
}

static enum err page_mirror(struct filling *filling, const struct play *play, size_t from)
{
    struct scope scope = filling->scope;
    size_t count = play->entry_count - from < PAGE_ROWS ? play->entry_count - from : PAGE_ROWS;
    const char *role = play->world->role == MATCH_DOCUMENT ? "document" : "settlement";
    scope.arena = arena_open();
    struct ledger_row *rows = arena_array(scope.arena, count, sizeof *rows);
    for (size_t i = 0; i < count; i++)
        rows[i] = row_of(scope.arena, &play->entries[from + i].entry, role);
    const struct mirrored_page page = {.stream = filling->stream,
                                       .connection = filling->connection,
                                       .pages = filling->pages++,
                                       .rows = rows,
                                       .count = count,
                                       .next_marker = "{}"};
    int64_t start = monotonic_us();
    enum err err = ledger_mirror_page(&scope, &page);
    filling->spent_us += monotonic_us() - start;
    if (err != OK)
        err = arena_failure_move(filling->scope.arena, scope.arena, err);
    arena_close(scope.arena);
    return err;
}

static struct world world_of(uint64_t seed, enum match_role role, size_t entries)
{
    struct world world = world_draw(seed, role, role == MATCH_SETTLEMENT);
    world.view = VIEW_FRESH;
    world.companies = (int)(entries / ENTRIES_PER_COMPANY);
    world.records = world.companies * 100 / COMPANIES_PER_RECORD_PERCENT;
    world.null_share = 0.3;
    world.extra_entries = 5;
    return world;
}

/* ---- records that are asked for ---- */

struct found_id {
    struct uuid id;
};
static const struct column id_columns[] = {COLUMN(struct found_id, id)};
static const struct shape id_shape = SHAPE(struct found_id, id_columns);
STATEMENT(bench_entry_sql, "SELECT id FROM region.ledger_entry WHERE workspace_id = $1"
                           " AND connection_id = $2 AND role = $3 AND external_id = $4");

static const struct made_entry *entry_of(const struct play *play, int record)
{
    for (size_t i = 0; i < play->entry_count; i++) {
        if (play->entries[i].record == record)
            return &play->entries[i];
    }
    return NULL;
}

static enum err ask(const struct filling *filling, const struct play *play, int record,
                    struct asked *into)
{
    const struct match_record *made = &play->records[record].record;
    struct arena *arena = filling->scope.arena;
    const struct made_entry *truth = entry_of(play, record);
    struct found_id found;
    assert(truth);
    *into = (struct asked){.scope = filling->scope,
                           .connection = filling->connection,
                           .query = {
                               .record = made->id,
                               .core_name = name_core(arena, made->name),
                               .reference = reference_normalise(arena, made->reference),
                               .amount = made->amount,
                               .net = made->amount,
                               .date = made->date,
                           }};
    into->query.net.minor -= made->fee.minor;
    TRY(db_one(&filling->scope, &bench_entry_sql,
               PARAMS(P(filling->scope.workspace), P(filling->connection),
                      P(play->world->role == MATCH_DOCUMENT ? "document" : "settlement"),
                      P(uuid_format(arena, truth->entry.id))),
               &id_shape, &found));
    into->truth = found.id;
    return OK;
}

static enum err ask_some(const struct filling *filling, const struct play *play, size_t wanted,
                         struct ledgers *into)
{
    struct random random = {play->world->seed + 1};
    for (size_t n = 0; n < wanted;) {
        int record = (int)random_below(&random, (size_t)play->world->records);
        if (!play->records[record].exists || play->records[record].hidden)
            continue;
        TRY(ask(filling, play, record, &into->asked[into->asked_count++]));
        n++;
    }
    return OK;
}

static enum err world_mirror(struct filling *filling, const struct world *world, size_t asked,
                             struct ledgers *into)
{
    struct arena *arena = arena_open();
    struct play play = world_make(arena, world);
    enum err err = OK;
    for (size_t from = 0; from < play.entry_count && err == OK; from += PAGE_ROWS)
        err = page_mirror(filling, &play, from);
    if (err == OK)
        err = ask_some(filling, &play, asked, into);
    into->entries += play.entry_count;
    arena_close(arena);
    return err;
}

STATEMENT(bench_names_sql, "SELECT count(DISTINCT near_name) FROM region.ledger_entry"
                           " WHERE workspace_id = $1");

enum err ledgers_make(const struct scope *scope, size_t workspaces, size_t entries, size_t asked,
                      struct ledgers *into)
{
    int64_t spent_us = 0, names;
    *into = (struct ledgers){
        .asked = arena_array(scope->arena, asked + 2 * workspaces, sizeof(struct asked))};
    size_t each = asked / workspaces / 2 ? asked / workspaces / 2 : 1;
    for (size_t i = 0; i < workspaces; i++) {
        struct filling filling;
        TRY(workspace_make(scope, &filling));
        struct world documents = world_of(2 * i + 1, MATCH_DOCUMENT, entries / 2);
        struct world settlements = world_of(2 * i + 2, MATCH_SETTLEMENT, entries / 2);
        TRY(world_mirror(&filling, &documents, each, into));
        TRY(world_mirror(&filling, &settlements, each, into));
        TRY(db_int(&filling.scope, &bench_names_sql, PARAMS(P(filling.scope.workspace)), &names));
        into->names += (size_t)names;
        spent_us += filling.spent_us;
    }
    into->mirror_us = (double)spent_us / (double)into->entries;
    return OK;
}
