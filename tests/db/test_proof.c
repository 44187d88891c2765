/* What is proven to others: the audit chain and conservation. */
#include "tenants.h"
#include "base/text.h"
#include "store/audit.h"
#include "store/conservation.h"

static struct fixture fixture;
static struct scope scope;

static int open_all(void **state)
{
    (void)state;
    fixture_open(&fixture, "test_proof");
    tenants_made(&fixture);
    scope = scope_make_for(fixture_scope(&fixture), ACTOR_USER,
                           db_new_id(&(struct scope){.db = fixture.app, .arena = fixture.arena}),
                           "01900000-0000-7000-8000-000000000001");
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    fixture_close(&fixture);
    return 0;
}

static void note(const struct scope *at, const char *action)
{
    struct audit_entry entry = {
        .action = action, .subject_kind = "connection", .detail = "{\"state\": \"enabled\"}"};
    assert_ok(&fixture, audit_append(at, &entry));
}

static void seal_all(const struct scope *at)
{
    int64_t sealed;
    bool more = true;
    while (more)
        assert_ok(&fixture, audit_seal(at, &sealed, &more));
}

static struct audit_verification verified(int64_t from_seq)
{
    struct audit_verification verification;
    assert_ok(&fixture, audit_verify(&scope, from_seq, &verification));
    return verification;
}

static int clean(void **state)
{
    (void)state;
    fixture_superuser(&fixture, "TRUNCATE region.audit, region.audit_seal,"
                                " region.dirty_workspace");
    for (int i = 0; i < 5; i++)
        note(&scope, "connection.enabled");
    seal_all(&scope);
    return 0;
}

static void the_chain_holds_and_goes_on(void **state)
{
    (void)state;
    struct audit_verification first = verified(1);
    assert_true(first.intact && first.complete && first.checked == 5 && first.sealed_seq == 5);
    assert_int_equal(first.unsealed, 0);
    note(&scope, "connection.disconnected");
    assert_int_equal(verified(1).unsealed, 1);
    seal_all(&scope);
    seal_all(&scope); /* a second sealer finds nothing left */
    struct audit_verification later = verified(4);
    assert_true(later.intact && later.checked == 3 && later.sealed_seq == 6);
    assert_memory_not_equal(first.sealed_hash.at, later.sealed_hash.at, 32);
    /* each workspace has a chain of its own */
    struct scope theirs = fixture_other_scope(&fixture);
    note(&theirs, "connection.enabled");
    seal_all(&theirs);
    assert_int_equal(verified(1).sealed_seq, 6);
}

static enum err append_then_fail(const struct scope *at, void *arg)
{
    (void)arg;
    TRY(audit_append(at, &(struct audit_entry){.action = "x.y", .subject_kind = "x"}));
    return ERR_CONFLICT;
}

/* The formula in another hand: who keeps the last hash elsewhere needs no program of ours, and a
 * row that is written anew takes all seals behind it with it. */
static void each_seal_covers_all_before_it(void **state)
{
    (void)state;
    fixture_superuser(&fixture,
                      "DO $$ BEGIN IF (SELECT count(*) FROM region.audit_seal) <> 5 OR EXISTS"
                      " (SELECT FROM (SELECT chain_hash, sha256(convert_to(seq || ',', 'UTF8')"
                      " || coalesce(lag(chain_hash) OVER (ORDER BY seq), '') || row_hash) AS own"
                      " FROM region.audit_seal) AS s WHERE own <> chain_hash)"
                      " THEN RAISE 'a seal does not follow the formula'; END IF; END $$");
}

static void what_was_rolled_back_is_not_in_the_log(void **state)
{
    (void)state;
    assert_err(&fixture, ERR_CONFLICT, db_transaction(&scope, append_then_fail, NULL));
    seal_all(&scope);
    assert_int_equal(verified(1).sealed_seq, 5);
}

static void broken_at(const char *tampering, int64_t seq)
{
    struct audit_verification verification;
    fixture_superuser(&fixture, tampering);
    verification = verified(1);
    assert_false(verification.intact);
    assert_int_equal(verification.broken_seq, seq);
}

/* By somebody who may do anything in the database. */
static void tampering_is_found_where_it_was_done(void **state)
{
    (void)state;
#define AT_SEQ(n) "(SELECT audit_id FROM region.audit_seal WHERE seq = " #n " LIMIT 1)"
    broken_at("UPDATE region.audit SET action = 'nothing.happened' WHERE id = " AT_SEQ(3), 3);
    assert_int_equal(clean(NULL), 0);
    broken_at("UPDATE region.audit SET actor = NULL WHERE id = " AT_SEQ(2), 2);
    assert_int_equal(clean(NULL), 0);
    broken_at("UPDATE region.audit SET at = at + interval '1 s' WHERE id = " AT_SEQ(1), 1);
    assert_int_equal(clean(NULL), 0);
    broken_at("DELETE FROM region.audit WHERE id = " AT_SEQ(4), 4);
    assert_int_equal(clean(NULL), 0);
    broken_at("DELETE FROM region.audit_seal WHERE seq = 2", 2);
    assert_int_equal(clean(NULL), 0);
    broken_at("UPDATE region.audit_seal SET chain_hash = row_hash WHERE seq = 5", 5);
    assert_int_equal(clean(NULL), 0);
    /* two rows exchanged */
    broken_at("UPDATE region.audit_seal SET seq = 103 WHERE seq = 3;"
              "UPDATE region.audit_seal SET seq = 3 WHERE seq = 5;"
              "UPDATE region.audit_seal SET seq = 5 WHERE seq = 103",
              3);
}

static void a_seal_covers_every_field(void **state)
{
    (void)state;
    static const char *const changes[] = {
        "at = at + interval '1 us'",
        "actor_kind = 'system'",
        "actor = NULL",
        "request_id = NULL",
        "action = 'nothing.happened'",
        "subject_kind = 'item'",
        "subject_id = workspace_id",
        "detail = '{\"state\": \"suspended\"}'",
    };
    for (size_t i = 0; i < COUNT(changes); i++) {
        assert_int_equal(clean(NULL), 0);
        broken_at(arena_format(fixture.arena, "UPDATE region.audit SET %s WHERE id = " AT_SEQ(3),
                               changes[i]),
                  3);
    }
}

static void a_row_that_was_slipped_in_has_no_seal(void **state)
{
    (void)state;
    fixture_superuser(&fixture,
                      "INSERT INTO region.audit SELECT workspace_id,"
                      " overlay(id::text placing 'ffff' from 33)::uuid, at, actor_kind, actor,"
                      " request_id, action, subject_kind, subject_id, detail FROM region.audit"
                      " LIMIT 1; DELETE FROM region.dirty_workspace");
    seal_all(&scope);
    assert_int_equal(verified(1).unsealed, 1);
}

static void the_log_is_read_with_its_seals(void **state)
{
    (void)state;
    struct rows rows;
    struct audit_filter filter = {.limit = 3, .action = "connection.enabled"};
    assert_ok(&fixture, audit_list(&scope, &filter, &rows));
    const struct audit_row *row = rows.at;
    assert_int_equal(rows.count, 3);
    assert_true(row[0].seal_seq > 0 && row[0].chain_hash.n == 32);
    assert_string_equal(row[0].actor_kind, "user");
    filter.before = row[2].id;
    assert_ok(&fixture, audit_list(&scope, &filter, &rows));
    assert_int_equal(rows.count, 2);
}

/* ---- conservation ---- */

STATEMENT(stream_sql,
          "INSERT INTO region.stream (workspace_id, id, provider, account, livemode, purpose, name,"
          " connection_id, reach, period_s, created_at)"
          " VALUES ($1, $2, 'stripe', 'acct', true, 'collect', 'stripe.charges', $3, $4, 60, $4)");
STATEMENT(page_sql,
          "INSERT INTO region.page (workspace_id, id, stream_id, rows_received, more, committed_at)"
          " VALUES ($1, $2, $3, $4, false, $5)");
STATEMENT(page_count_sql,
          "INSERT INTO region.page_count (workspace_id, page_id, integration_id, items, unchanged,"
          " quarantined) VALUES ($1, $2, $3, $4, $5, 0)");
STATEMENT(record_sql,
          "WITH r AS (INSERT INTO region.record (workspace_id, id, stream_id, source_id, kind,"
          "  version, posting, first_seen_at, updated_at)"
          "  VALUES ($1, $2, $3, $4, 'charge', 1, 'post', $5, $5))"
          " INSERT INTO region.record_version (workspace_id, record_id, version, material_hash,"
          "  raw, created_at) VALUES ($1, $2, 1, 'h', '{}', $5)");
STATEMENT(item_sql,
          "INSERT INTO region.item (workspace_id, id, integration_id, record_id, version,"
          " state_changed_at, kind, collected_at) VALUES ($1, $2, $3, $4, 1, $5, 'charge', $5)");
STATEMENT(item_move_sql, "UPDATE region.item SET state = $3, state_changed_at = $4"
                         " WHERE workspace_id = $1 AND id = ANY ($2)");

enum { WORLD_ITEMS = 6 };

struct world {
    struct uuid integration;
    struct uuid items[WORLD_ITEMS];
};

/* A page of ten rows: six became items, four were unchanged. */
static struct world world_made(void)
{
    struct world world;
    struct integration integration = integration_made(&fixture, &scope);
    struct uuid stream = db_new_id(&scope), page = db_new_id(&scope);
    struct instant at = db_now(&scope);
    fixture_superuser(&fixture, "TRUNCATE region.stream, region.item_count,"
                                " region.item_count_change CASCADE");
    world.integration = integration.id;
    assert_ok(&fixture, db_exec(&scope, &stream_sql,
                                PARAMS(P(scope.workspace), P(stream),
                                       P(integration.source_connection_id), P(at)),
                                NULL));
    assert_ok(&fixture,
              db_exec(&scope, &page_sql,
                      PARAMS(P(scope.workspace), P(page), P(stream), P(10), P(at)), NULL));
    assert_ok(&fixture, db_exec(&scope, &page_count_sql,
                                PARAMS(P(scope.workspace), P(page), P(integration.id),
                                       P((int)WORLD_ITEMS), P(10 - WORLD_ITEMS)),
                                NULL));
    for (int i = 0; i < WORLD_ITEMS; i++) {
        struct uuid record = db_new_id(&scope);
        const char *source_id = arena_format(fixture.arena, "ch_%d", i);
        world.items[i] = db_new_id(&scope);
        assert_ok(&fixture,
                  db_exec(&scope, &record_sql,
                          PARAMS(P(scope.workspace), P(record), P(stream), P(source_id), P(at)),
                          NULL));
        assert_ok(&fixture, db_exec(&scope, &item_sql,
                                    PARAMS(P(scope.workspace), P(world.items[i]), P(integration.id),
                                           P(record), P(at)),
                                    NULL));
    }
    return world;
}

static void move(const struct world *world, int first, int n, const char *to)
{
    struct uuid_list ids = {world->items + first, (size_t)n};
    assert_ok(&fixture,
              db_exec(&scope, &item_move_sql,
                      PARAMS(P(scope.workspace), P(ids), P(to), P(db_now(&scope))), NULL));
}

static struct conservation proof(struct uuid integration)
{
    struct conservation_period period = {integration, {DATE_NONE}, {DATE_NONE}};
    struct conservation conservation;
    assert_ok(&fixture, conservation_get(&scope, &period, &conservation));
    return conservation;
}

static const struct conservation_check *check_named(const struct conservation *proof,
                                                    const char *code)
{
    for (size_t i = 0; i < CONSERVATION_CHECKS; i++) {
        if (text_equal(proof->checks[i].code, code))
            return &proof->checks[i];
    }
    fail_msg("no check %s", code);
    return NULL;
}

static void every_item_is_in_exactly_one_term(void **state)
{
    (void)state;
    struct world world = world_made();
    int64_t folded = 0, wrong = -1;
    struct conservation before = proof(world.integration);
    assert_int_equal(before.unexplained, 0);
    assert_true(before.seen == WORLD_ITEMS && before.rows_received == 10 && before.pages == 1);
    assert_int_equal(before.states[ITEM_WAITING], WORLD_ITEMS);
    move(&world, 0, 2, "ignored");
    move(&world, 2, 4, "scoring");
    move(&world, 2, 1, "stopped");
    struct conservation open = proof(world.integration);
    assert_true(open.states[ITEM_IGNORED] == 2 && open.states[ITEM_SCORING] == 3 &&
                open.states[ITEM_STOPPED] == 1 && open.states[ITEM_WAITING] == 0);
    assert_int_equal(open.unexplained, 0);
    /* the same after the changes were folded, and when counted anew */
    assert_ok(&fixture, item_count_fold(&scope, &folded));
    assert_true(folded > 0);
    struct conservation after = proof(world.integration);
    assert_memory_equal(open.states, after.states, sizeof(open.states));
    assert_ok(&fixture, item_count_recount(&scope, &wrong));
    assert_int_equal(wrong, 0);
}

static void what_is_lost_or_claimed_is_unexplained(void **state)
{
    (void)state;
    struct world world = world_made();
    int64_t wrong = 0;
    move(&world, 0, 3, "scoring");
    move(&world, 0, 1, "linked"); /* but there is no link */
    struct conservation claimed = proof(world.integration);
    const struct conservation_check *links = check_named(&claimed, "linked_links");
    assert_true(links->left == 1 && links->right == 0);
    assert_int_equal(claimed.unexplained, 1);
    /* an item that vanishes without a trace in the counts */
    fixture_superuser(&fixture, arena_format(fixture.arena,
                                             "ALTER TABLE region.item DISABLE TRIGGER USER;"
                                             "DELETE FROM region.item WHERE id = '%s';"
                                             "ALTER TABLE region.item ENABLE TRIGGER USER;",
                                             uuid_format(fixture.arena, world.items[5])));
    assert_ok(&fixture, item_count_recount(&scope, &wrong));
    assert_int_equal(wrong, 1);
    struct conservation lost = proof(world.integration);
    const struct conservation_check *seen = check_named(&lost, "seen_terms");
    assert_true(seen->left == WORLD_ITEMS && seen->right == WORLD_ITEMS - 1);
    assert_int_equal(lost.unexplained, 2);
}

struct claim {
    const char *check;
    const char *states[2]; /* that an item passes after scoring; NULL: none */
    const char *tampering; /* or what is done to the database */
};

/* Nothing but the claim itself stands behind it: no delivery, no decision, no row. */
static void each_claim_is_held_to_a_second_count(void **state)
{
    (void)state;
    static const struct claim claims[] = {
        {"rows_counts", {NULL}, "UPDATE region.page SET rows_received = rows_received + 1"},
        {"delivered_deliveries", {"queued", "delivered"}, NULL},
        {"linked_links", {"linked"}, NULL},
        {"held_reviews", {"held"}, NULL},
    };
    for (size_t i = 0; i < COUNT(claims); i++) {
        struct world world = world_made();
        move(&world, 0, 1, "scoring");
        for (size_t step = 0; step < 2 && claims[i].states[step]; step++)
            move(&world, 0, 1, claims[i].states[step]);
        assert_int_equal(proof(world.integration).unexplained, claims[i].tampering ? 0 : 1);
        if (claims[i].tampering)
            fixture_superuser(&fixture, claims[i].tampering);
        struct conservation claimed = proof(world.integration);
        const struct conservation_check *check = check_named(&claimed, claims[i].check);
        assert_int_equal(check->left, check->right + 1);
        assert_int_equal(claimed.unexplained, 1);
    }
}

static void a_period_counts_by_the_day_of_collection(void **state)
{
    (void)state;
    struct world world = world_made();
    struct date today = date_of(db_now(&scope));
    struct conservation_period period = {world.integration, today, today};
    struct conservation conservation;
    struct rows ids;
    assert_ok(&fixture, conservation_get(&scope, &period, &conservation));
    assert_true(conservation.seen == WORLD_ITEMS && conservation.unexplained == 0);
    assert_ok(&fixture, conservation_ids(&scope, &period, ITEM_WAITING, (struct uuid){0}, 4, &ids));
    assert_int_equal(ids.count, 4);
    struct uuid last = ((const struct conservation_id *)ids.at)[3].id;
    assert_ok(&fixture, conservation_ids(&scope, &period, ITEM_WAITING, last, 4, &ids));
    assert_int_equal(ids.count, 2);
    period.from.days--;
    period.to.days--;
    assert_ok(&fixture, conservation_get(&scope, &period, &conservation));
    assert_true(conservation.seen == 0 && conservation.pages == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_chain_holds_and_goes_on, clean),
        cmocka_unit_test_setup(each_seal_covers_all_before_it, clean),
        cmocka_unit_test_setup(what_was_rolled_back_is_not_in_the_log, clean),
        cmocka_unit_test_setup(tampering_is_found_where_it_was_done, clean),
        cmocka_unit_test_setup(a_seal_covers_every_field, clean),
        cmocka_unit_test_setup(a_row_that_was_slipped_in_has_no_seal, clean),
        cmocka_unit_test_setup(the_log_is_read_with_its_seals, clean),
        cmocka_unit_test(every_item_is_in_exactly_one_term),
        cmocka_unit_test(what_is_lost_or_claimed_is_unexplained),
        cmocka_unit_test(each_claim_is_held_to_a_second_count),
        cmocka_unit_test(a_period_counts_by_the_day_of_collection),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
