/* What tests of deliveries share: an item that is queued, its outbox row, and how an attempt ended.
 * Each names the database that it makes, TEST_DATABASE. */
#ifndef SLUICE_TEST_DB_DELIVERIES_H
#define SLUICE_TEST_DB_DELIVERIES_H

#include "pipeline.h"

#include "base/text.h"
#include "store/conservation.h"
#include "store/delivery.h"
#include "store/problem_work.h"
#include "store/review.h"

static struct fixture fixture;
static struct pipeline at;

static inline int open_all(void **state)
{
    (void)state;
    pipeline_open(&at, &fixture, TEST_DATABASE);
    return 0;
}

static inline int close_all(void **state)
{
    (void)state;
    pipeline_close(&at);
    return 0;
}

static inline int clean(void **state)
{
    (void)state;
    clock_set_offset(&fixture.clock, 0);
    arena_failure_clear(fixture.arena);
    run_sql(&at, "TRUNCATE region.item, region.record, region.ledger_entry, region.counterparty,"
                 " region.job, region.page, region.item_count, region.item_count_change,"
                 " region.document CASCADE");
    return 0;
}

static inline void assert_conserved(void)
{
    struct conservation_period all = {{{0}}, {DATE_NONE}, {DATE_NONE}};
    struct conservation proof;
    assert_ok(&fixture, conservation_get(&at.scope, &all, &proof));
    assert_int_equal(proof.unexplained, 0);
}

static inline struct made_item queued(void)
{
    struct made_item made = item_made(
        &at, (struct made_item){
                 .source_id = "ch_1", .state = "queued", .outcome = "flow", .p_micro = 900000});
    page_made(&at, 1);
    return made;
}

/* The document and the outbox row, as the job "approved" commits them. */
static inline struct delivery planned(const struct made_item *made)
{
    struct approved_item approved;
    assert_ok(&fixture, delivery_approved_get(&at.scope, made->item, &approved));
    static const uint8_t bytes[] = "%PDF-1.7 a document";
    struct stored_document document = {
        .bytes = {bytes, sizeof bytes - 1},
        .sha256 = "e1abba2a8f4c9e3a0e7d24ac5ba1bfdd9a5a1d3f6c1d9e3e2a6b5c4d3e2f1a0b",
        .content_type = "application/pdf",
        .file_name = "stripe-charge-ch_1-v1.pdf",
        .recipe = "rendered-1",
    };
    struct planned_delivery plan = {
        .id = id_new(&at),
        .idempotency_key = id_new(&at),
        .operation = approved.operation,
        .generation = approved.generation,
    };
    assert_ok(&fixture, delivery_plan(&at.scope, &approved, &plan, &document, INT64_C(172800)));
    struct delivery delivery;
    assert_ok(&fixture, delivery_get(&at.scope, plan.id, &delivery));
    return delivery;
}

static inline struct delivery ended(struct delivery delivery, struct delivery_outcome outcome)
{
    assert_ok(&fixture, delivery_attempt_start(&at.scope, &delivery, 60, &outcome.attempt));
    assert_ok(&fixture, delivery_settle(&at.scope, &delivery, &outcome));
    assert_ok(&fixture, delivery_get(&at.scope, delivery.id, &delivery));
    return delivery;
}

static inline struct delivery_outcome rejected(void)
{
    return (struct delivery_outcome){.end = END_REJECTED,
                                     .status = "provider_validation",
                                     .problem_code = "provider_validation",
                                     .problem_text = "Qonto refused the document.",
                                     .problem_field = "counterparty_name"};
}

static inline struct problem only_problem(const struct made_item *made, const char *state)
{
    struct problem_filter filter = {.item = made->item, .state = state, .limit = 10};
    struct rows rows;
    assert_ok(&fixture, problem_list(&at.scope, &filter, &rows));
    assert_int_equal(rows.count, 1);
    return *(const struct problem *)rows.at;
}

static inline void assert_item(const struct made_item *made, const char *expected)
{
    struct item_view item;
    assert_ok(&fixture, item_get(&at.scope, made->item, &item));
    assert_string_equal(item.state, expected);
}

static inline void assert_says(enum err expected, enum err actual, const char *says)
{
    assert_err(&fixture, expected, actual);
    const char *detail = arena_failure(fixture.arena)->detail;
    if (!detail || !strstr(detail, says))
        fail_msg("'%s' does not say '%s'", detail ? detail : "", says);
}

#endif
