#include "base/base.h"

#include "base/text.h"
#include "matcher/train/random.h"
#include "matcher/train/sets.h"

enum { ROWS_MAX = 60000, FIELDS_MAX = 12, FILE_BYTES_MAX = 16 * 1024 * 1024, BLOCK_KEYS = 200 };

struct table {
    char *(*row)[FIELDS_MAX];
    size_t count;
};

/* Empty when it could not be read; then the failure is recorded. */
static char *file_text(struct arena *arena, const char *path)
{
    char *text = arena_alloc(arena, FILE_BYTES_MAX);
    FILE *file = fopen(path, "r");
    if (!file) {
        arena_fail(arena, ERR_IO, NULL, "%s cannot be read.", path);
        return text;
    }
    text[fread(text, 1, FILE_BYTES_MAX - 1, file)] = '\0';
    fclose(file);
    return text;
}

/* One field in place; returns what follows its separator, `*ends` when the row is over. */
static char *field_cut(char *at, char **field, bool *ends)
{
    char *to = at;
    *field = at;
    bool quoted = *at == '"';
    at += quoted;
    for (; *at; at++) {
        if (quoted && at[0] == '"' && at[1] == '"')
            at++;
        else if (quoted && *at == '"') {
            quoted = false;
            continue;
        } else if (!quoted && (*at == ',' || *at == '\n'))
            break;
        if (*at != '\r')
            *to++ = *at;
    }
    *ends = *at != ',';
    char *next = *at ? at + 1 : at;
    *to = '\0';
    return next;
}

static enum err table_read(struct arena *arena, const char *path, struct table *into)
{
    char *at = file_text(arena, path);
    into->row = arena_array(arena, ROWS_MAX, sizeof *into->row);
    into->count = 0;
    if (arena_failure(arena)->code != OK)
        return arena_failure(arena)->code;
    bool heading = true;
    while (*at && into->count < ROWS_MAX) {
        char **row = into->row[into->count];
        bool ends = false;
        for (int i = 0; i < FIELDS_MAX; i++)
            row[i] = (char *)"";
        for (int i = 0; !ends; i++) {
            char *field;
            at = field_cut(at, &field, &ends);
            if (i < FIELDS_MAX)
                row[i] = field;
        }
        into->count += !heading;
        heading = false;
    }
    return OK;
}

/* The same for every run: a cluster goes where its number sends it. */
static double share_of_key(uint64_t key, uint64_t seed)
{
    struct random random = {key * UINT64_C(0x9E3779B97F4A7C15) ^ seed};
    return random_unit(&random);
}

static bool in_part(uint64_t cluster, enum set_part part)
{
    bool training = share_of_key(cluster, 20261120) < 0.5;
    return part == PART_ALL || (part == PART_TRAINING) == training;
}

/* Room for what a set becomes. */
struct making {
    struct match_record *records;
    struct match_entry *entries;
    int64_t *record_keys, *entry_keys;
    bool *exists;
    struct pool *pool;
};

static struct making making_new(struct arena *arena, size_t rows, struct pool *pool)
{
    struct making making = {
        arena_array(arena, rows, sizeof *making.records),
        arena_array(arena, rows, sizeof *making.entries),
        arena_array(arena, rows, sizeof *making.record_keys),
        arena_array(arena, rows, sizeof *making.entry_keys),
        arena_array(arena, rows, sizeof *making.exists),
        pool,
    };
    *pool = (struct pool){
        .view = VIEW_FRESH,
        .is_public = true,
        .counted = true,
        .records = making.records,
        .record_keys = making.record_keys,
        .exists = making.exists,
        .entries = making.entries,
        .entry_keys = making.entry_keys,
    };
    return making;
}

static struct match_record *record_new(struct making *making, int64_t key, bool exists)
{
    size_t at = making->pool->record_count++;
    making->record_keys[at] = key;
    making->exists[at] = exists;
    making->records[at].date.days = DATE_NONE;
    return &making->records[at];
}

static struct match_entry *entry_new(struct making *making, int64_t key)
{
    size_t at = making->pool->entry_count++;
    struct match_entry *entry = &making->entries[at];
    making->entry_keys[at] = key;
    entry->date.days = entry->due_date.days = DATE_NONE;
    entry->id.b[12] = (uint8_t)(at >> 24);
    entry->id.b[13] = (uint8_t)(at >> 16);
    entry->id.b[14] = (uint8_t)(at >> 8);
    entry->id.b[15] = (uint8_t)at;
    entry->analysed = true;
    return entry;
}

static bool loses_entry(int64_t key, const struct set_cut *cut)
{
    return share_of_key((uint64_t)key, cut->seed + 1) < cut->null_share;
}

static bool is_asked(int64_t key, const struct set_cut *cut)
{
    return share_of_key((uint64_t)key, cut->seed + 2) < cut->record_share;
}

static const char *filled(const char *text)
{
    return text_blank(text) ? NULL : text;
}

static int64_t key_of(const char *text)
{
    int64_t key = -1;
    return int64_parse(text, 0, INT64_MAX, &key) ? key : -1;
}

/* ground_truth,memo,transaction_date,amount,unique_id. Transactions of one person stand together.
 */
static enum err transactions_read(struct arena *arena, const char *directory,
                                  const struct set_cut *cut, struct pool *into)
{
    struct table from, to;
    TRY(table_read(arena, arena_format(arena, "%s/transactions/origin.csv", directory), &from));
    TRY(table_read(arena, arena_format(arena, "%s/transactions/destination.csv", directory), &to));
    struct making making = making_new(arena, from.count + to.count, into);
    into->role = MATCH_SETTLEMENT;
    into->exclusive = true;
    for (size_t i = 0; i < to.count; i++) {
        int64_t key = key_of(to.row[i][0]);
        if (!in_part((uint64_t)(key / BLOCK_KEYS), cut->part) || loses_entry(key, cut))
            continue;
        struct match_entry *entry = entry_new(&making, key);
        *(cut->as_name ? &entry->name : &entry->description) = filled(to.row[i][1]);
        if (!date_parse(to.row[i][2], &entry->date))
            entry->date.days = DATE_NONE;
        if (money_parse(to.row[i][3], "EUR", &entry->amount))
            memcpy(entry->amount.currency, "XXX", 4);
    }
    for (size_t i = 0; i < from.count; i++) {
        int64_t key = key_of(from.row[i][0]);
        if (!in_part((uint64_t)(key / BLOCK_KEYS), cut->part) || !is_asked(key, cut))
            continue;
        struct match_record *record = record_new(&making, key, !loses_entry(key, cut));
        *(cut->as_name ? &record->name : &record->description) = filled(from.row[i][1]);
        if (!date_parse(from.row[i][2], &record->date))
            record->date.days = DATE_NONE;
        if (money_parse(from.row[i][3], "EUR", &record->amount))
            memcpy(record->amount.currency, "XXX", 4);
    }
    return OK;
}

/* The first row of a cluster, in a fixed random order, is what the ledger knows of it. */
static bool is_known(const struct table *table, size_t row, int field, uint64_t seed)
{
    double mine = share_of_key(row, seed + 3);
    for (size_t i = 0; i < table->count; i++) {
        if (i != row && strcmp(table->row[i][field], table->row[row][field]) == 0) {
            double other = share_of_key(i, seed + 3);
            if (other < mine || (other == mine && i < row))
                return false;
        }
    }
    return true;
}

/* person_id,leuven_id,person_name */
static enum err patstat_read(struct arena *arena, const char *directory, const struct set_cut *cut,
                             struct pool *into)
{
    struct table table;
    TRY(table_read(arena, arena_format(arena, "%s/patstat-nl/patstat_reference.csv", directory),
                   &table));
    struct making making = making_new(arena, table.count, into);
    into->role = MATCH_COUNTERPARTY;
    for (size_t i = 0; i < table.count; i++) {
        int64_t key = key_of(table.row[i][1]);
        if (!in_part((uint64_t)key, cut->part))
            continue;
        if (!is_known(&table, i, 1, cut->seed))
            record_new(&making, key, !loses_entry(key, cut))->name = filled(table.row[i][2]);
        else if (!loses_entry(key, cut))
            entry_new(&making, key)->name = filled(table.row[i][2]);
    }
    return OK;
}

static const char *full_name(struct arena *arena, char *const *row)
{
    return filled(arena_format(arena, "%s %s", row[1], row[2]));
}

/* unique_id,first_name,surname,dob,city,email,cluster */
static enum err persons_read(struct arena *arena, const char *directory, const struct set_cut *cut,
                             struct pool *into)
{
    struct table table;
    TRY(table_read(arena, arena_format(arena, "%s/fake1000/fake_1000.csv", directory), &table));
    struct making making = making_new(arena, table.count, into);
    into->role = MATCH_COUNTERPARTY;
    for (size_t i = 0; i < table.count; i++) {
        char *const *row = table.row[i];
        int64_t key = key_of(row[6]);
        struct date date;
        if (!in_part((uint64_t)key, cut->part))
            continue;
        if (!cut->as_name || !date_parse(row[3], &date))
            date.days = DATE_NONE;
        if (!is_known(&table, i, 6, cut->seed)) {
            struct match_record *record = record_new(&making, key, !loses_entry(key, cut));
            record->name = full_name(arena, row);
            record->address = filled(row[4]);
            record->email = filled(row[5]);
            record->date = date;
        } else if (!loses_entry(key, cut)) {
            struct match_entry *entry = entry_new(&making, key);
            entry->name = full_name(arena, row);
            entry->address = filled(row[4]);
            entry->email = filled(row[5]);
            entry->date = date;
        }
    }
    return OK;
}

/* case_group,schema,name1,name2,is_match,…: one name is looked up among one. */
static enum err pair_read(struct arena *arena, const char *directory, const struct set_cut *cut,
                          struct pool *into)
{
    struct table table;
    TRY(table_read(arena, arena_format(arena, "%s/name-pairs/cases.csv", directory), &table));
    struct making making = making_new(arena, 1, into);
    into->role = MATCH_COUNTERPARTY;
    if (cut->pair >= table.count || !in_part(cut->pair, cut->part))
        return OK;
    char *const *row = table.row[cut->pair];
    bool same = strcmp(row[4], "true") == 0;
    record_new(&making, 1, same)->name = filled(row[2]);
    entry_new(&making, same ? 1 : 2)->name = filled(row[3]);
    return OK;
}

enum err set_read(struct arena *arena, const char *directory, const char *name,
                  const struct set_cut *cut, struct pool *into)
{
    static const struct {
        const char *name;
        enum err (*read)(struct arena *arena, const char *directory, const struct set_cut *cut,
                         struct pool *into);
    } sets[] = {{"transactions", transactions_read},
                {"patstat-nl", patstat_read},
                {"fake1000", persons_read},
                {"name-pairs", pair_read}};
    for (size_t i = 0; i < COUNT(sets); i++) {
        if (strcmp(sets[i].name, name) == 0)
            return sets[i].read(arena, directory, cut, into);
    }
    return arena_fail(arena, ERR_CONFIG, NULL, "There is no set named %s.", name);
}
