/* The Qonto target against the simulated Qonto over TLS: authorisation, mirror, and a delivery
 * under every fault, which must end in one document or in a truthful "not there". */
#include "unit.h"

#include "base/text.h"
#include "connectors/qonto/qonto.h"
#include "crypto/crypto.h"
#include "net/egress.h"
#include "simulated.h"

enum { HOPS_MAX = 10, PAGES_MAX = 100, COOKIES_BYTES_MAX = 4096 };

static const char redirect_uri[] = "https://127.0.0.1:1/callback";
static const char state_text[] = "0123456789abcdef0123456789abcdef";

struct world {
    struct simulated simulated;
    struct arena *arena;
    struct http_client *http;
    struct clock clock;
    struct log log;
    struct provider_settings settings;
    struct credential credential;
    struct authorisation attempt;
    struct provider_call call;
    int leases;
    int leases_max; /* 0: no end */
    int refreshes;
};

static enum err lease_request(void *context)
{
    struct world *world = context;
    world->leases++;
    if (world->leases_max > 0 && world->leases > world->leases_max)
        return arena_fail_retry(world->arena, ERR_TRANSIENT, 3, "The rate is spent.");
    return OK;
}

static void take_tokens(struct world *world, const struct token_set *tokens)
{
    world->credential.access_token = tokens->access_token;
    if (tokens->refresh_token)
        world->credential.refresh_token = tokens->refresh_token;
    world->credential.access_expires_at =
        instant_add_s(clock_now(&world->clock), tokens->expires_in_s);
}

static enum err refresh(void *context, struct credential *credential)
{
    struct world *world = context;
    struct token_set tokens;
    assert_ptr_equal(credential, &world->credential);
    world->refreshes++;
    TRY(qonto_authoriser.refresh(&world->call, &world->attempt, &tokens));
    take_tokens(world, &tokens);
    return OK;
}

/* What a browser does: follows redirects and keeps cookies, until it is sent back to us. */
static const char *browse(struct world *world, const char *url)
{
    struct buf cookies = buf_new(world->arena, COOKIES_BYTES_MAX);
    for (int hop = 0; hop < HOPS_MAX && !text_starts(url, redirect_uri); hop++) {
        struct http_header cookie = {.name = "Cookie", .value = cookies.data};
        struct http_call call = {.method = "GET",
                                 .url = url,
                                 .headers = &cookie,
                                 .header_count = cookies.n > 0,
                                 .bytes_max = QONTO_ANSWER_BYTES_MAX};
        struct http_answer answer;
        assert_int_equal(http_client_run(world->http, world->arena, &call, &answer), OK);
        const char *set;
        for (size_t n = 0; (set = http_answer_header(&answer, "set-cookie", n)); n++)
            buf_format(&cookies, "%s%.*s", cookies.n ? "; " : "", (int)strcspn(set, ";"), set);
        const char *location = http_answer_header(&answer, "location", 0);
        assert_non_null(location);
        url = location[0] == '/'
                  ? arena_format(world->arena, "%s%s", world->settings.oauth_url, location)
                  : location;
    }
    return url;
}

static void authorise(struct world *world)
{
    assert_int_equal(
        qonto_authoriser.start(&world->call, NULL, redirect_uri, state_text, &world->attempt), OK);
    const char *back = browse(world, world->attempt.authorize_url);
    assert_non_null(strstr(back, state_text));
    const char *code = strstr(back, "code=");
    assert_non_null(code);
    code = arena_text_n(world->arena, code + 5, strcspn(code + 5, "&"));
    struct token_set tokens;
    assert_int_equal(qonto_authoriser.exchange(&world->call, &world->attempt, redirect_uri,
                                               secret_from_text(world->arena, code), &tokens),
                     OK);
    assert_non_null(tokens.refresh_token);
    take_tokens(world, &tokens);
}

static const struct secret *secret_at(struct world *world, const char *path)
{
    return secret_from_text(world->arena, json_text(world->simulated.addresses, path));
}

static void connect_world(struct world *world)
{
    const json_t *addresses = world->simulated.addresses;
    const struct egress *egress;
    world->settings = (struct provider_settings){
        .api_url = json_text(addresses, "qonto.api_url"),
        .oauth_url = json_text(addresses, "qonto.oauth_url"),
        .client_id = json_text(addresses, "qonto.client_id"),
        .client_secret = secret_at(world, "qonto.client_secret"),
        .staging_token = secret_at(world, "qonto.staging_token"),
    };
    const char *const allow[] = {world->settings.api_url + strlen("https://"),
                                 world->settings.oauth_url + strlen("https://")};
    assert_int_equal(egress_new(world->arena, allow, COUNT(allow), &egress), OK);
    struct http_settings http = {.egress = egress,
                                 .user_agent = "sluice-test",
                                 .ca_file = json_text(addresses, "ca_file"),
                                 .tls13 = true};
    world->http = http_client_open(&http);
    world->log = (struct log){.fd = 2, .least = LOG_ERROR, .clock = &world->clock};
    world->call = (struct provider_call){.arena = world->arena,
                                         .log = &world->log,
                                         .clock = &world->clock,
                                         .http = world->http,
                                         .settings = &world->settings,
                                         .credential = &world->credential,
                                         .lease_request = lease_request,
                                         .refresh = refresh,
                                         .context = world};
    authorise(world);
}

static int open_world(void **state)
{
    struct arena *arena = arena_open();
    struct world *world = arena_alloc(arena, sizeof *world);
    world->arena = arena;
    *state = world;
    if (simulated_open(arena, &world->simulated))
        connect_world(world);
    return 0;
}

static int close_world(void **state)
{
    struct world *world = *state;
    if (world->http)
        http_client_close(world->http);
    simulated_close(&world->simulated);
    arena_close(world->arena);
    return 0;
}

static struct world *world_of(void **state)
{
    struct world *world = *state;
    if (!world->http)
        skip();
    arena_failure_clear(world->arena);
    return world;
}

static void test_probe_names_the_organisation(void **state)
{
    struct world *world = world_of(state);
    struct probe_result result;
    assert_int_equal(qonto_target.probe(&world->call, &result), OK);
    assert_int_equal(result.count, 1);
    assert_non_null(result.accounts[0].account);
    assert_non_null(result.accounts[0].name);
    assert_false(result.accounts[0].livemode);
    assert_non_null(strstr(result.capabilities, "\"read_supplier_invoices\":\"ok\""));
    assert_non_null(strstr(result.capabilities, "\"read_transactions\":\"ok\""));
}

/* Reads a stream to its end and answers how many entries came. */
static size_t mirror(struct world *world, const char *stream, int rows_max, const char **marker)
{
    size_t count = 0;
    struct mirror_page page = {.more = true};
    for (int pages = 0; page.more; pages++) {
        struct mirror_request request = {.stream = stream, .marker = *marker, .rows_max = rows_max};
        assert_true(pages < PAGES_MAX);
        assert_int_equal(qonto_target.mirror(&world->call, &request, &page), OK);
        for (size_t i = 0; i < page.count; i++)
            assert_non_null(page.entries[i].external_id);
        count += page.count;
        *marker = page.next_marker;
    }
    return count;
}

static void assert_mirrored(struct world *world, const char *stream, const char *counter)
{
    const char *whole = NULL, *narrow = NULL;
    const json_t *counts = simulated_control(&world->simulated, "/qonto/counts", NULL);
    int64_t expected = json_int(counts, counter, -1);
    assert_true(expected > 5);
    assert_int_equal(mirror(world, stream, 0, &whole), expected);
    assert_int_equal(mirror(world, stream, 3, &narrow), expected);
    assert_int_equal(mirror(world, stream, 0, &whole), 0);
}

static void test_mirror_reads_all_and_then_nothing(void **state)
{
    struct world *world = world_of(state);
    assert_mirrored(world, "qonto.supplier_invoices", "invoices");
    assert_mirrored(world, "qonto.transactions", "transactions");
}

static const char document[] = "%PDF-1.5\n%%EOF\n";

static struct delivery_order order_of(struct world *world, const char *name)
{
    struct delivery_order order = {
        .operation = "create",
        .document = {(const uint8_t *)document, strlen(document)},
        .content_type = "application/pdf",
        .file_name = arena_format(world->arena, "2026-11-20_acme_%s.pdf", name),
    };
    const struct bytes part = {(const uint8_t *)order.file_name, strlen(order.file_name)};
    order.idempotency_key = uuid_from_parts(world->arena, &part, 1);
    return order;
}

/* How many invoices of that file name the simulated Qonto really holds. */
static int stored(struct world *world, const char *file_name)
{
    const json_t *list = json_list(
        simulated_control(&world->simulated, "/qonto/invoices?origin=api", NULL), "invoices");
    int count = 0;
    for (size_t i = 0; i < json_array_size(list); i++)
        count += text_equal(json_text(json_array_get(list, i), "file_name"), file_name);
    return count;
}

static void test_delivery_is_read_back_and_repeatable(void **state)
{
    struct world *world = world_of(state);
    struct delivery_order order = order_of(world, "ch_plain");
    struct delivery_result one, two;
    enum look_answer answer;
    assert_int_equal(qonto_target.look(&world->call, &order, &answer, &one), OK);
    assert_int_equal(answer, LOOK_ABSENT);
    assert_int_equal(qonto_target.deliver(&world->call, &order, &one), OK);
    assert_true(one.verified);
    assert_int_equal(one.status, 200);
    assert_non_null(strstr(one.excerpt, one.external_id));
    assert_int_equal(qonto_target.deliver(&world->call, &order, &two), OK);
    assert_string_equal(one.external_id, two.external_id);
    assert_int_equal(qonto_target.look(&world->call, &order, &answer, &two), OK);
    assert_int_equal(answer, LOOK_ARRIVED);
    assert_string_equal(one.external_id, two.external_id);
    assert_int_equal(stored(world, order.file_name), 1);
}

static const struct fault_row {
    const char *name;
    const char *path;
    const char *rest; /* of the fault, as the control API takes it */
    enum err expected;
    enum look_answer look;
    const char *field;
} faults[] = {
    {"429", "/v2/supplier_invoices/bulk", "\"kind\":\"429\",\"params\":{\"retry_after\":7}",
     ERR_TRANSIENT, LOOK_ABSENT, NULL},
    {"503", "/v2/supplier_invoices/bulk", "\"kind\":\"5xx\"", ERR_TRANSIENT, LOOK_ABSENT, NULL},
    {"503-executed", "/v2/supplier_invoices/bulk", "\"kind\":\"5xx\",\"params\":{\"execute\":true}",
     OK, LOOK_ARRIVED, NULL},
    {"lost", "/v2/supplier_invoices/bulk", "\"kind\":\"lost_answer\"", ERR_UNCERTAIN, LOOK_ARRIVED,
     NULL},
    {"cut-before", "/v2/supplier_invoices/bulk", "\"kind\":\"cut\",\"params\":{\"at\":\"before\"}",
     ERR_UNCERTAIN, LOOK_ABSENT, NULL},
    {"cut-middle", "/v2/supplier_invoices/bulk", "\"kind\":\"cut\",\"params\":{\"at\":\"middle\"}",
     ERR_UNCERTAIN, LOOK_ARRIVED, NULL},
    {"html", "/v2/supplier_invoices/bulk", "\"kind\":\"html\"", ERR_PROTOCOL, LOOK_ABSENT,
     "staging_token"},
    {"redirect", "/v2/supplier_invoices/bulk", "\"kind\":\"redirect\"", ERR_PROTOCOL, LOOK_ABSENT,
     "staging_token"},
    {"huge", "/v2/supplier_invoices/bulk", "\"kind\":\"huge\"", ERR_PROTOCOL, LOOK_ABSENT, NULL},
    {"wrong-type", "/v2/supplier_invoices/bulk", "\"kind\":\"wrong_type\"", OK, LOOK_ARRIVED, NULL},
    {"expired", "/v2/supplier_invoices/bulk", "\"kind\":\"expired_token\"", OK, LOOK_ARRIVED, NULL},
    {"item-failed", "/v2/supplier_invoices/bulk", "\"kind\":\"errors_200\"", ERR_TRANSIENT,
     LOOK_ABSENT, NULL},
    {"item-failed-executed", "/v2/supplier_invoices/bulk",
     "\"kind\":\"errors_200\",\"params\":{\"executed\":true}", OK, LOOK_ARRIVED, NULL},
    {"item-refused", "/v2/supplier_invoices/bulk",
     "\"kind\":\"errors_200\",\"params\":{\"code\":\"invalid\"}", ERR_VALIDATION, LOOK_ABSENT,
     "file"},
    {"read-back-failed", "/v2/supplier_invoices/*", "\"kind\":\"5xx\",\"after\":1", ERR_UNCERTAIN,
     LOOK_ARRIVED, NULL},
};

/* The delivery, what a look says then, and, as a job would do, once more when it is not there. */
static void assert_one_document(struct world *world, const struct fault_row *fault)
{
    struct delivery_order order = order_of(world, arena_format(world->arena, "ch_%s", fault->name));
    struct delivery_result result;
    enum look_answer answer;
    simulated_control(&world->simulated, "/faults", "DELETE");
    simulated_control(&world->simulated, "/faults",
                      arena_format(world->arena,
                                   "{\"provider\":\"qonto\",\"match\":{\"path\":\"%s\"},%s}",
                                   fault->path, fault->rest));
    enum err err = qonto_target.deliver(&world->call, &order, &result);
    const char *field = arena_failure(world->arena)->field;
    if (err != fault->expected || (err != OK && !text_equal(field, fault->field)))
        fail_msg("%s: %s, field %s", fault->name, err_slug(err), field ? field : "none");
    assert_true(result.verified == (err == OK));
    arena_failure_clear(world->arena);
    assert_int_equal(qonto_target.look(&world->call, &order, &answer, &result), OK);
    if (answer != fault->look)
        fail_msg("%s: the look says %d", fault->name, (int)answer);
    if (answer == LOOK_ABSENT)
        assert_int_equal(qonto_target.deliver(&world->call, &order, &result), OK);
    assert_int_equal(stored(world, order.file_name), 1);
    arena_failure_clear(world->arena);
}

static void test_every_fault_ends_in_one_document(void **state)
{
    struct world *world = world_of(state);
    for (size_t i = 0; i < COUNT(faults); i++)
        assert_one_document(world, &faults[i]);
    simulated_control(&world->simulated, "/faults", "DELETE");
}

static void test_an_expired_token_is_refreshed_once(void **state)
{
    struct world *world = world_of(state);
    struct probe_result result;
    simulated_control(&world->simulated, "/qonto/expire_access_tokens", "{}");
    int before = world->refreshes;
    assert_int_equal(qonto_target.probe(&world->call, &result), OK);
    assert_int_equal(world->refreshes, before + 1);
}

static void test_every_request_leases_from_the_rate(void **state)
{
    struct world *world = world_of(state);
    struct delivery_order order = order_of(world, "ch_leases");
    struct delivery_result result;
    int before = world->leases;
    assert_int_equal(qonto_target.deliver(&world->call, &order, &result), OK);
    assert_int_equal(world->leases, before + 2); /* the upload and the read-back */
}

/* What could not be read back is not posted. */
static void test_a_spent_rate_posts_nothing(void **state)
{
    struct world *world = world_of(state);
    struct delivery_order order = order_of(world, "ch_spent");
    struct delivery_result result;
    world->leases_max = world->leases + 1;
    enum err err = qonto_target.deliver(&world->call, &order, &result);
    world->leases_max = 0;
    assert_int_equal(err, ERR_TRANSIENT);
    assert_int_equal(arena_failure(world->arena)->retry_after_s, 3);
    assert_int_equal(stored(world, order.file_name), 0);
}

static void test_missing_staging_token_is_named(void **state)
{
    struct world *world = world_of(state);
    const struct secret *token = world->settings.staging_token;
    struct delivery_order order = order_of(world, "ch_gate");
    struct delivery_result result;
    world->settings.staging_token = NULL;
    enum err err = qonto_target.deliver(&world->call, &order, &result);
    world->settings.staging_token = token;
    assert_int_equal(err, ERR_PROTOCOL);
    assert_string_equal(arena_failure(world->arena)->field, "staging_token");
}

/* The smallest plan may create supplier invoices and not read them: the mirror says why it stays
 * empty, and a delivery says that it could not be seen, with the id that Qonto gave. */
static void test_price_plan_is_named(void **state)
{
    struct world *world = world_of(state);
    struct delivery_order order = order_of(world, "ch_plan");
    struct mirror_request request = {.stream = "qonto.supplier_invoices"};
    struct probe_result probe;
    struct mirror_page page;
    struct delivery_result result;
    simulated_control(&world->simulated, "/qonto/switches", "{\"plan\":\"solo_basic\"}");
    assert_int_equal(qonto_target.mirror(&world->call, &request, &page), ERR_SCOPE);
    assert_string_equal(arena_failure(world->arena)->field, "plan");
    assert_int_equal(qonto_target.probe(&world->call, &probe), OK);
    assert_non_null(strstr(probe.capabilities, "price plan"));
    assert_int_equal(qonto_target.deliver(&world->call, &order, &result), ERR_UNCERTAIN);
    assert_non_null(result.external_id);
    assert_false(result.verified);
    simulated_control(&world->simulated, "/qonto/switches", "{\"plan\":\"business\"}");
}

/* Last: the connection is gone after it. */
static void test_revocation_is_complete(void **state)
{
    struct world *world = world_of(state);
    struct revocation revocation;
    struct probe_result result;
    assert_int_equal(qonto_authoriser.revoke(&world->call, &world->attempt, &revocation), OK);
    assert_true(revocation.complete);
    assert_int_equal(revocation.count, 4);
    for (size_t i = 0; i < revocation.count; i++)
        assert_true(revocation.steps[i].confirmed);
    assert_int_equal(qonto_target.probe(&world->call, &result), ERR_AUTH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_probe_names_the_organisation),
        cmocka_unit_test(test_mirror_reads_all_and_then_nothing),
        cmocka_unit_test(test_delivery_is_read_back_and_repeatable),
        cmocka_unit_test(test_every_fault_ends_in_one_document),
        cmocka_unit_test(test_an_expired_token_is_refreshed_once),
        cmocka_unit_test(test_every_request_leases_from_the_rate),
        cmocka_unit_test(test_a_spent_rate_posts_nothing),
        cmocka_unit_test(test_missing_staging_token_is_named),
        cmocka_unit_test(test_price_plan_is_named),
        cmocka_unit_test(test_revocation_is_complete),
    };
    return cmocka_run_group_tests(tests, open_world, close_world);
}
