/* How often the right entry is among the candidates of `sluice match`: per arm, and of the union.
 *
 *   blocking_recall RECORDS.csv LEDGER.csv TRUTH.csv
 *
 * TRUTH has the columns id and entry; a record may have several right entries, on a line each. Of
 * a record with several, any one counts. */
#include "base/base.h"

#include "base/text.h"
#include "matcher/batch/block.h"

static const char *const arm_names[BLOCK_ARM_COUNT] = {
    "reference", "party", "amount within 3 %", "amount wide", "name", "name contained", "contact"};

struct truth {
    const char *record, *entry;
};

struct bench {
    struct arena *arena;
    struct table records, ledger;
    struct truth *truths; /* by record */
    size_t count;
};

static char *read_file(struct arena *arena, const char *path, size_t *n)
{
    FILE *file = fopen(path, "r");
    char *text = arena_alloc(arena, CSV_FILE_BYTES_MAX + 1);
    if (!file) {
        fprintf(stderr, "%s cannot be read\n", path);
        exit(1);
    }
    *n = fread(text, 1, CSV_FILE_BYTES_MAX, file);
    fclose(file);
    return text;
}

static void require(const struct bench *bench, enum err error)
{
    if (error == OK)
        return;
    fprintf(stderr, "%s\n", arena_failure(bench->arena)->detail);
    exit(1);
}

static int truth_order(const void *left, const void *right)
{
    const struct truth *a = left, *b = right;
    int order = strcmp(a->record, b->record);
    return order ? order : strcmp(a->entry, b->entry);
}

static void read_truth(struct bench *bench, const char *path)
{
    size_t n;
    char *text = read_file(bench->arena, path, &n);
    struct csv csv;
    struct csv_row *row = arena_alloc(bench->arena, sizeof *row);
    require(bench, csv_open(bench->arena, path, text, n, &csv));
    require(bench, csv_next(&csv, row));
    bench->truths = arena_array(bench->arena, TABLE_ROWS_MAX, sizeof *bench->truths);
    for (;;) {
        require(bench, csv_next(&csv, row));
        if (row->count == 0)
            break;
        if (row->count == 2 && bench->count < TABLE_ROWS_MAX && *row->field[1])
            bench->truths[bench->count++] = (struct truth){row->field[0], row->field[1]};
    }
    if (bench->count > 1)
        qsort(bench->truths, bench->count, sizeof *bench->truths, truth_order);
}

/* The first truth of the record; NULL when it has none. */
static const struct truth *truth_of(const struct bench *bench, const char *record)
{
    size_t low = 0, high = bench->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(bench->truths[middle].record, record) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    bool found = low < bench->count && strcmp(bench->truths[low].record, record) == 0;
    return found ? &bench->truths[low] : NULL;
}

static bool any_right(const struct bench *bench, const struct truth *first,
                      const struct block_found *found)
{
    const struct truth *end = bench->truths + bench->count;
    for (const struct truth *at = first; at < end && text_equal(at->record, first->record); at++) {
        for (size_t i = 0; i < found->count; i++) {
            if (text_equal(bench->ledger.rows[found->row[i]].text[TABLE_ID], at->entry))
                return true;
        }
    }
    return false;
}

static void measure(const struct bench *bench)
{
    struct arena *scratch = arena_open();
    struct block_index *index = block_index_new(bench->arena, &bench->ledger);
    struct block_search *search = block_search_new(bench->arena, index);
    size_t with_entry = 0, right = 0, right_by[BLOCK_ARM_COUNT] = {0}, offered = 0;
    for (size_t i = 0; i < bench->records.count; i++, arena_reset(scratch)) {
        const struct table_row *record = &bench->records.rows[i];
        const struct truth *truth = truth_of(bench, record->text[TABLE_ID]);
        struct block_found found;
        if (!truth)
            continue;
        with_entry++;
        block_find(search, scratch, record, &found);
        offered += found.count;
        bool all_right = any_right(bench, truth, &found);
        right += all_right;
        if (!all_right && getenv("SHOW_MISSES"))
            printf("missed %s (%s)\n", record->text[TABLE_ID], truth->entry);
        for (int arm = 0; arm < BLOCK_ARM_COUNT; arm++) {
            block_find_by(search, scratch, (enum block_arm)arm, record, &found);
            right_by[arm] += any_right(bench, truth, &found);
        }
    }
    double all = with_entry ? (double)with_entry : 1;
    printf("records with an entry: %zu\n", with_entry);
    for (int arm = 0; arm < BLOCK_ARM_COUNT; arm++)
        printf("%-18s %.4f\n", arm_names[arm], (double)right_by[arm] / all);
    printf("%-18s %.4f, %.1f candidates\n", "all", (double)right / all, (double)offered / all);
    arena_close(scratch);
}

int main(int argc, char **argv)
{
    struct bench bench = {.arena = arena_open()};
    size_t n;
    if (argc != 4) {
        fprintf(stderr, "usage: blocking_recall RECORDS.csv LEDGER.csv TRUTH.csv\n");
        return 2;
    }
    char *records = read_file(bench.arena, argv[1], &n);
    require(&bench, table_read(bench.arena, argv[1], records, n, &bench.records));
    char *ledger = read_file(bench.arena, argv[2], &n);
    require(&bench, table_read(bench.arena, argv[2], ledger, n, &bench.ledger));
    read_truth(&bench, argv[3]);
    measure(&bench);
    arena_close(bench.arena);
    return 0;
}
