/* A small pipeline by hand: an integration with records, items that the machine decided about, and
 * entries of the target's ledger. Rows are put in as the superuser; what is tested runs as the
 * application. */
#ifndef SLUICE_TEST_DB_PIPELINE_H
#define SLUICE_TEST_DB_PIPELINE_H

#include "tenants.h"

struct pipeline {
    struct fixture *fixture;
    struct scope scope; /* of a person */
    struct uuid person;
    struct integration integration;
    struct uuid stream;
    struct db *superuser;
};

struct made_item {
    const char *source_id;
    const char *state;
    const char *outcome; /* of the machine: flow, hold, stop */
    const char *action;  /* create, link */
    struct uuid entry;   /* that it proposes to link to */
    int64_t p_micro;
    int64_t amount_minor;
    const char *date;
    const char *party;
    struct uuid counterparty;
    const char *posting;                /* NULL: post */
    struct uuid item, record, decision; /* filled */
};

static inline const char *id_sql(struct pipeline *at, struct uuid id)
{
    if (uuid_is_nil(id))
        return "NULL";
    return arena_format(at->fixture->arena, "'%s'", uuid_format(at->fixture->arena, id));
}

static inline struct uuid id_new(struct pipeline *at)
{
    return db_new_id(&at->scope);
}

static inline void run_sql(struct pipeline *at, const char *sql)
{
    assert_ok(at->fixture, db_script(at->superuser, at->fixture->arena, sql));
}

static inline int64_t count_sql(struct pipeline *at, const struct statement *statement,
                                struct uuid id)
{
    int64_t n = 0;
    assert_ok(at->fixture,
              db_int(&at->scope, statement, PARAMS(P(at->scope.workspace), P(id)), &n));
    return n;
}

static inline void pipeline_open(struct pipeline *at, struct fixture *fixture, const char *name)
{
    fixture_open(fixture, name);
    tenants_made(fixture);
    *at = (struct pipeline){.fixture = fixture, .scope = fixture_scope(fixture)};
    at->person = id_new(at);
    at->integration = integration_made(fixture, &at->scope);
    at->scope = scope_make_for(at->scope, ACTOR_USER, at->person, NULL);
    at->superuser = fixture_superuser_connect(fixture);
    at->stream = id_new(at);
    run_sql(at, "UPDATE region.connection SET state = 'processing';"
                "UPDATE region.connection SET state = 'enabled'");
    run_sql(at, arena_format(fixture->arena,
                             "INSERT INTO region.stream (workspace_id, id, provider, account,"
                             " livemode, purpose, name, connection_id, reach, period_s, created_at)"
                             " VALUES (%s, %s, 'stripe', 'acct_1', true, 'collect',"
                             " 'stripe.charges', %s, now(), 60, now())",
                             id_sql(at, at->scope.workspace), id_sql(at, at->stream),
                             id_sql(at, at->integration.source_connection_id)));
}

static inline void pipeline_close(struct pipeline *at)
{
    db_close(at->superuser);
    fixture_close(at->fixture);
}

/* The page that brought so many items. */
static inline void page_made(struct pipeline *at, int items)
{
    const char *page = id_sql(at, id_new(at)), *workspace = id_sql(at, at->scope.workspace);
    run_sql(at, arena_format(at->fixture->arena,
                             "INSERT INTO region.page (workspace_id, id, stream_id, rows_received,"
                             " more, committed_at) VALUES (%s, %s, %s, %d, false, now());"
                             "INSERT INTO region.page_count (workspace_id, page_id,"
                             " integration_id, items, unchanged, quarantined)"
                             " VALUES (%s, %s, %s, %d, 0, 0)",
                             workspace, page, id_sql(at, at->stream), items, workspace, page,
                             id_sql(at, at->integration.id), items));
}

static inline struct uuid counterparty_made(struct pipeline *at, const char *name, const char *core)
{
    struct uuid id = id_new(at);
    const char *workspace = id_sql(at, at->scope.workspace);
    run_sql(at, arena_format(at->fixture->arena,
                             "INSERT INTO region.counterparty (workspace_id, id, name, core_name,"
                             " norm_version, company, created_at)"
                             " VALUES (%s, %s, '%s', '%s', '1', true, now());"
                             "INSERT INTO region.counterparty_alias (workspace_id, name_norm,"
                             " counterparty_id, name, core_name, norm_version, created_at)"
                             " VALUES (%s, '%s', %s, '%s', '%s', '1', now())",
                             workspace, id_sql(at, id), name, core, workspace, core, id_sql(at, id),
                             name, core));
    return id;
}

static inline void record_made(struct pipeline *at, struct made_item *made)
{
    const char *workspace = id_sql(at, at->scope.workspace);
    made->record = id_new(at);
    const char *record = id_sql(at, made->record);
    run_sql(at,
            arena_format(at->fixture->arena,
                         "INSERT INTO region.record (workspace_id, id, stream_id, source_id, kind,"
                         " version, posting, counterparty_id, search_text, first_seen_at,"
                         " updated_at) VALUES (%s, %s, %s, '%s', 'charge', 1, '%s', %s, '%s %s',"
                         " now(), now());"
                         "INSERT INTO region.record_version (workspace_id, record_id, version,"
                         " material_hash, raw, amount_minor, currency, date, party_name,"
                         " core_name, norm_version, party, created_at)"
                         " VALUES (%s, %s, 1, repeat('a', 64), '{}', %" PRId64 ", 'EUR', '%s',"
                         " '%s', lower('%s'), '1', '{\"name\": \"%s\"}', now())",
                         workspace, record, id_sql(at, at->stream), made->source_id,
                         made->posting ? made->posting : "post", id_sql(at, made->counterparty),
                         made->party, made->source_id, workspace, record, made->amount_minor,
                         made->date, made->party, made->party, made->party));
}

/* Defaults for what the test does not say; one record, its item and the machine's decision. */
static inline struct made_item item_made(struct pipeline *at, struct made_item made)
{
    const char *workspace = id_sql(at, at->scope.workspace);
    made.amount_minor = made.amount_minor ? made.amount_minor : 12500;
    made.date = made.date ? made.date : "2026-11-18";
    made.party = made.party ? made.party : "Acme Supplies";
    made.action = made.action ? made.action : "create";
    record_made(at, &made);
    made.item = id_new(at);
    made.decision = id_new(at);
    const char *item = id_sql(at, made.item), *decision = id_sql(at, made.decision);
    run_sql(at,
            arena_format(
                at->fixture->arena,
                "INSERT INTO region.item (workspace_id, id, integration_id, record_id, version,"
                " state, state_changed_at, kind, amount_minor, currency, date, counterparty_name,"
                " p_micro, collected_at) VALUES (%s, %s, %s, %s, 1, '%s', now(), 'charge',"
                " %" PRId64 ", 'EUR', '%s', '%s', %" PRId64 ", now());"
                "INSERT INTO region.decision (workspace_id, id, item_id, seq, outcome, action,"
                " entry_id, p_micro, match_p_micro, gate_p_micro, axes, contributions, features,"
                " model_version, norm_version, policy_version, settings_version, taken_by,"
                " created_at) VALUES (%s, %s, %s, 1, '%s', '%s', %s, %" PRId64 ", 900000, 800000,"
                " '{\"field_completeness\": 9000}', '[]', 'x', 'match-1', '1', '1', 1, 'machine',"
                " now());"
                "UPDATE region.item SET decision_id = %s WHERE workspace_id = %s AND id = %s",
                workspace, item, id_sql(at, at->integration.id), id_sql(at, made.record),
                made.state, made.amount_minor, made.date, made.party, made.p_micro, workspace,
                decision, item, made.outcome, made.action, id_sql(at, made.entry), made.p_micro,
                decision, workspace, item));
    return made;
}

struct made_entry_of {
    const char *external_id;
    const char *name;
    const char *reference;
    int64_t amount_minor;
    const char *date;       /* NULL: none */
    struct uuid connection; /* nil: the integration's target */
};

static inline struct uuid entry_made(struct pipeline *at, struct made_entry_of made)
{
    struct uuid id = id_new(at);
    struct uuid target = at->integration.target_connection_id;
    run_sql(at,
            arena_format(
                at->fixture->arena,
                "INSERT INTO region.ledger_entry (workspace_id, id, connection_id, role,"
                " external_id, origin, amount_minor, currency, date, counterparty_name, core_name,"
                " norm_version, reference, mirrored_at, created_at)"
                " VALUES (%s, %s, %s, 'document', '%s', 'mirrored', %" PRId64 ", 'EUR', %s, '%s',"
                " lower('%s'), '1', '%s', now(), now())",
                id_sql(at, at->scope.workspace), id_sql(at, id),
                id_sql(at, uuid_is_nil(made.connection) ? target : made.connection),
                made.external_id, made.amount_minor ? made.amount_minor : 12500,
                made.date ? arena_format(at->fixture->arena, "'%s'", made.date) : "NULL",
                made.name ? made.name : "ACME SUPPLIES", made.name ? made.name : "ACME SUPPLIES",
                made.reference ? made.reference : ""));
    return id;
}

static inline void candidate_made(struct pipeline *at, struct uuid decision, int rank,
                                  struct uuid entry)
{
    run_sql(at, arena_format(at->fixture->arena,
                             "INSERT INTO region.candidate (workspace_id, decision_id, role, rank,"
                             " entry_id, p_micro, score_micro, features, contributions)"
                             " VALUES (%s, %s, 'document', %d, %s, 700000, 2500000, 'x',"
                             " '[{\"feature\": \"amount\", \"reason\": \"amount_exact\","
                             " \"log_odds_micro\": 2500000}]')",
                             id_sql(at, at->scope.workspace), id_sql(at, decision), rank,
                             id_sql(at, entry)));
}

#endif
