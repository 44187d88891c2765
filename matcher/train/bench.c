/* `sluice-train bench`: what a decision costs. */
#include "base/base.h"

#include "base/time.h"
#include "matcher/similarity.h"
#include "matcher/train/company.h"
#include "matcher/train/train.h"

enum { CANDIDATES = 30, ROUNDS = 3000, NAMES = 2000 };

static void candidates_make(struct arena *arena, struct random *random, struct match_record *record,
                            struct match_entry *entries)
{
    static const struct name_noise noise = {.legal_respelled = 0.3, .typo = 0.2, .upper = 0.3};
    struct company company = company_new(arena, random, 0, 0);
    *record = (struct match_record){.amount = {12345, "EUR"},
                                    .date = {20000},
                                    .name = company_name(arena, random, &company, &noise),
                                    .reference = "INV-2026-00042",
                                    .description = "Monthly fee team plan"};
    for (int i = 0; i < CANDIDATES; i++) {
        struct company other =
            i % 3 ? company_new(arena, random, 0, i) : company_sibling(arena, random, 0, &company);
        entries[i] = (struct match_entry){
            .id = {{(uint8_t)(i + 1)}},
            .amount = {12345 + i % 4 * 1000, "EUR"},
            .date = {20000 - i},
            .due_date = {DATE_NONE},
            .name = company_name(arena, random, &other, &noise),
            .iban = other.iban,
            .reference = arena_format(arena, "INV-2026-%05d", i),
            .description = "Order of office supplies",
            .analysed = true,
        };
    }
}

static void bench_decisions(struct arena *arena, const struct model_set *models)
{
    struct random random = {1};
    struct match_record record;
    struct match_entry entries[CANDIDATES];
    struct feature_vector vectors[CANDIDATES];
    struct model_output output;
    candidates_make(arena, &random, &record, entries);
    struct feature_question question = {&record, entries, CANDIDATES, MATCH_DOCUMENT, NULL};
    struct arena *scratch = arena_open();
    int64_t features_us = 0, score_us = 0;
    for (int round = 0; round < ROUNDS; round++) {
        int64_t start = monotonic_us();
        if (features_of(scratch, &question, vectors) != OK)
            return;
        features_us += monotonic_us() - start;
        arena_reset(scratch);
    }
    struct model_input input = {.vectors = vectors, .count = CANDIDATES};
    int64_t start = monotonic_us();
    for (int round = 0; round < ROUNDS; round++)
        model_score(model_current(models, MATCH_DOCUMENT), &input, &output);
    score_us = monotonic_us() - start;
    arena_close(scratch);
    printf("%d candidates: features %.1f us, scoring %.2f us\n", CANDIDATES,
           (double)features_us / ROUNDS, (double)score_us / ROUNDS);
}

/* The textbook loop: what the bit-parallel one is measured against. */
static int plain_jaro(const char *a, size_t a_n, const char *b, size_t b_n)
{
    bool in_a[SIMILARITY_BYTES_MAX] = {false}, in_b[SIMILARITY_BYTES_MAX] = {false};
    size_t longer = a_n > b_n ? a_n : b_n, window = longer / 2 > 0 ? longer / 2 - 1 : 0;
    int common = 0, transposed = 0;
    for (size_t i = 0; i < a_n; i++) {
        size_t from = i > window ? i - window : 0;
        for (size_t j = from; j < b_n && j <= i + window; j++) {
            if (in_b[j] || a[i] != b[j])
                continue;
            in_a[i] = in_b[j] = true;
            common++;
            break;
        }
    }
    for (size_t i = 0, j = 0; i < a_n; i++) {
        if (!in_a[i])
            continue;
        while (!in_b[j])
            j++;
        transposed += a[i] != b[j++];
    }
    return common * 1000 - transposed;
}

static void bench_jaro(struct arena *arena)
{
    struct random random = {2};
    const char *names[NAMES];
    size_t bytes[NAMES];
    static const struct name_noise noise = {.legal_respelled = 0.3};
    for (int i = 0; i < NAMES; i++) {
        struct company company = company_new(arena, &random, i % 2, i);
        names[i] = name_core(arena, company_name(arena, &random, &company, &noise));
        bytes[i] = strlen(names[i]);
    }
    int64_t checksum = 0, start = monotonic_us();
    for (int i = 0; i < NAMES; i++) {
        for (int j = 0; j < NAMES; j++)
            checksum += jaro_winkler(names[i], bytes[i], names[j], bytes[j]);
    }
    int64_t own_us = monotonic_us() - start;
    start = monotonic_us();
    for (int i = 0; i < NAMES; i++) {
        for (int j = 0; j < NAMES; j++)
            checksum += plain_jaro(names[i], bytes[i], names[j], bytes[j]);
    }
    int64_t plain_us = monotonic_us() - start;
    printf("jaro-winkler: %.1f million pairs/s, %.1f times the plain loop (checksum %" PRId64 ")\n",
           (double)NAMES * NAMES / (double)own_us, (double)plain_us / (double)own_us, checksum);
}

enum err bench_run(struct arena *arena)
{
    struct model_set *models;
    TRY(model_set_new(arena, &models));
    bench_decisions(arena, models);
    bench_jaro(arena);
    return OK;
}
