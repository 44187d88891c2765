#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"
#include "base/buf.h"
#include "base/fault.h"
#include "base/text.h"
#include "db/migrate.h"

struct migration {
    int number;
    const char *name; /* the file's, without ".sql" */
    const char *sql;
    const char *checksum; /* hex SHA-256 of the file */
};

struct migrations {
    struct migration *at;
    size_t n;
};

static const char *schema_name(enum schema schema)
{
    return schema == SCHEMA_DIRECTORY ? "directory" : "region";
}

/* "0001_tables.sql", lower case: the name is put into SQL. */
static bool file_name_valid(const char *name)
{
    size_t n = strlen(name);
    if (n < 10 || n > 80 || !text_ends(name, ".sql") || name[4] != '_')
        return false;
    if (strspn(name, "0123456789") != 4)
        return false;
    return strspn(name + 5, "abcdefghijklmnopqrstuvwxyz0123456789_") == n - 5 - strlen(".sql");
}

static int wanted(const struct dirent *entry)
{
    return text_ends(entry->d_name, ".sql");
}

static void close_file(void *file)
{
    (void)fclose(file);
}

static enum err file_read(struct arena *arena, const char *path, const char **into)
{
    FILE *file = fault_point(FAULT_FILE_READ) ? NULL : fopen(path, "rbe");
    if (!file)
        return arena_fail(arena, ERR_IO, NULL, "The file %s cannot be read.", path);
    arena_defer(arena, close_file, file);
    struct buf buf = buf_new(arena, MIGRATION_BYTES_MAX);
    char block[8192];
    size_t n;
    while ((n = fread(block, 1, sizeof(block), file)) > 0)
        buf_add(&buf, block, n);
    if (ferror(file) || buf.overflowed || memchr(buf.data, '\0', buf.n))
        return arena_fail(arena, ERR_IO, NULL, "The file %s cannot be read, or is too large.",
                          path);
    *into = buf.data;
    return OK;
}

struct checksum {
    const char *hex;
};
static const struct column checksum_columns[] = {COLUMN(struct checksum, hex)};
static const struct shape checksum_shape = SHAPE(struct checksum, checksum_columns);
STATEMENT(migration_checksum_sql, "SELECT encode(sha256($1), 'hex') AS hex");

static enum err migration_read(const struct scope *scope, const char *directory, const char *name,
                               struct migration *into)
{
    struct arena *arena = scope->arena;
    if (!file_name_valid(name))
        return arena_fail(arena, ERR_CONFIG, NULL,
                          "%s is no name of a migration (0001_what_it_does.sql).", name);
    int64_t number = 0;
    (void)int64_parse(arena_text_n(arena, name, 4), 1, 9999, &number);
    into->number = (int)number;
    into->name = arena_text_n(arena, name, strlen(name) - strlen(".sql"));
    TRY(file_read(arena, arena_format(arena, "%s/%s", directory, name), &into->sql));
    struct bytes bytes = {.at = (const uint8_t *)into->sql, .n = strlen(into->sql)};
    struct checksum checksum;
    TRY(db_one(scope, &migration_checksum_sql, PARAMS(P(bytes)), &checksum_shape, &checksum));
    into->checksum = checksum.hex;
    return OK;
}

struct listing {
    struct dirent **entries;
    int n;
};

static void free_listing(void *object)
{
    struct listing *listing = object;
    for (int i = 0; i < listing->n; i++)
        free(listing->entries[i]);
    free(listing->entries);
}

static enum err migrations_read(const struct scope *scope, const char *directory,
                                struct migrations *into)
{
    struct arena *arena = scope->arena;
    struct listing *listing = arena_alloc(arena, sizeof(*listing));
    listing->n = scandir(directory, &listing->entries, wanted, alphasort);
    if (listing->n < 0) {
        listing->n = 0;
        return arena_fail(arena, ERR_IO, NULL, "The directory %s cannot be read.", directory);
    }
    arena_defer(arena, free_listing, listing);
    if (listing->n == 0 || listing->n > MIGRATIONS_MAX)
        return arena_fail(arena, ERR_CONFIG, NULL, "The directory %s holds no migrations.",
                          directory);
    into->n = (size_t)listing->n;
    into->at = arena_array(arena, into->n, sizeof(*into->at));
    for (size_t i = 0; i < into->n; i++) {
        TRY(migration_read(scope, directory, listing->entries[i]->d_name, &into->at[i]));
        if (into->at[i].number != (int)i + 1)
            return arena_fail(arena, ERR_CONFIG, NULL, "Migration %s/%s: expected number %04zu.",
                              directory, into->at[i].name, i + 1);
    }
    return OK;
}

struct applied {
    int number;
    const char *name;
    const char *checksum;
};
static const struct column applied_columns[] = {
    COLUMN(struct applied, number), COLUMN(struct applied, name), COLUMN(struct applied, checksum)};
static const struct shape applied_shape = SHAPE(struct applied, applied_columns);
STATEMENT_ROWS(migration_applied_directory_sql, MIGRATIONS_MAX,
               "SELECT number, name, checksum FROM directory.migration ORDER BY number");
STATEMENT_ROWS(migration_applied_region_sql, MIGRATIONS_MAX,
               "SELECT number, name, checksum FROM region.migration ORDER BY number");
STATEMENT(migration_table_sql, "SELECT count(*) FROM pg_catalog.pg_class c"
                               " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
                               " WHERE n.nspname = $1 AND c.relname = 'migration'");

static enum err applied_read(const struct scope *scope, enum schema schema, struct rows *into)
{
    int64_t tables;
    *into = (struct rows){0};
    TRY(db_int(scope, &migration_table_sql, PARAMS(P(schema_name(schema))), &tables));
    if (tables == 0)
        return OK;
    return db_all(scope,
                  schema == SCHEMA_DIRECTORY ? &migration_applied_directory_sql
                                             : &migration_applied_region_sql,
                  NO_PARAMS, &applied_shape, into);
}

/* What was applied must be the beginning of what there is, byte for byte. */
static enum err compare(struct arena *arena, enum schema schema,
                        const struct migrations *migrations, const struct rows *rows)
{
    const struct applied *applied = rows->at;
    if (rows->count > migrations->n)
        return arena_fail(arena, ERR_CONFIG, NULL,
                          "The %s database has %zu migrations, this program %zu: it is older.",
                          schema_name(schema), rows->count, migrations->n);
    for (size_t i = 0; i < rows->count; i++) {
        if (applied[i].number != migrations->at[i].number ||
            !text_equal(applied[i].checksum, migrations->at[i].checksum))
            return arena_fail(arena, ERR_CONFIG, NULL,
                              "Migration %s/%s changed after it was applied. Restore the file; a "
                              "change goes into a new migration.",
                              schema_name(schema), migrations->at[i].name);
    }
    return OK;
}

static enum err prepare(struct db *db, struct arena *arena, enum schema schema)
{
    const char *name = schema_name(schema);
    return db_script(
        db, arena,
        arena_format(arena,
                     "SET statement_timeout = 0;"
                     "SELECT pg_advisory_lock(hashtext('sluice.migrate.%s'));"
                     "CREATE SCHEMA IF NOT EXISTS %s;"
                     "CREATE TABLE IF NOT EXISTS %s.migration ("
                     "number int PRIMARY KEY, name text NOT NULL, checksum text NOT NULL,"
                     "applied_at timestamptz NOT NULL DEFAULT now());"
                     "GRANT USAGE ON SCHEMA %s TO sluice_app, sluice_queue;"
                     "GRANT SELECT ON %s.migration TO sluice_app, sluice_queue;",
                     name, name, name, name, name));
}

static enum err apply(struct db *db, struct arena *arena, enum schema schema,
                      const struct migration *migration)
{
    /* One simple query is one transaction: the file and its row stand or fall together. */
    const char *script = arena_format(
        arena, "%s\n;INSERT INTO %s.migration (number, name, checksum) VALUES (%d, '%s', '%s');",
        migration->sql, schema_name(schema), migration->number, migration->name,
        migration->checksum);
    enum err err = db_script(db, arena, script);
    if (err == OK)
        return OK;
    const struct failure *failure = arena_failure(arena);
    return arena_fail(arena, err, NULL, "Migration %s/%s: %s", schema_name(schema), migration->name,
                      failure->detail ? failure->detail : err_sentence(err));
}

static enum err apply_missing(struct db *db, struct arena *arena, enum schema schema,
                              const char *directory, struct migrate_report *into)
{
    struct untenanted at = db_untenanted(db, arena);
    struct migrations migrations = {0};
    struct rows applied = {0};
    TRY(migrations_read(&at.scope, directory, &migrations));
    TRY(prepare(db, arena, schema));
    TRY(applied_read(&at.scope, schema, &applied));
    TRY(compare(arena, schema, &migrations, &applied));
    into->total = (int)migrations.n;
    for (size_t i = applied.count; i < migrations.n; i++) {
        TRY(apply(db, arena, schema, &migrations.at[i]));
        into->applied++;
    }
    if (schema == SCHEMA_REGION)
        return db_script(db, arena, "SELECT region.partitions_ensure()");
    return OK;
}

enum err migrate(struct db *db, struct arena *arena, enum schema schema, const char *directory,
                 struct migrate_report *into)
{
    const char *unlock =
        arena_format(arena, "SELECT pg_advisory_unlock_all(); SET statement_timeout = %d;",
                     (int)DB_STATEMENT_TIMEOUT_MS);
    *into = (struct migrate_report){0};
    enum err err = apply_missing(db, arena, schema, directory, into);
    if (err != OK) {
        /* The lock would go with the session; the first failure is the one to tell. */
        struct failure failure = *arena_failure(arena);
        enum err unlocked = db_script(db, arena, unlock);
        return unlocked == OK || unlocked == ERR_DB_DOWN
                   ? arena_fail(arena, err, failure.field, "%s",
                                failure.detail ? failure.detail : err_sentence(err))
                   : unlocked;
    }
    return db_script(db, arena, unlock);
}

enum err migrate_behind(struct db *db, struct arena *arena, enum schema schema,
                        const char *directory, bool *behind)
{
    struct untenanted at = db_untenanted(db, arena);
    struct migrations migrations = {0};
    struct rows applied = {0};
    TRY(migrations_read(&at.scope, directory, &migrations));
    TRY(applied_read(&at.scope, schema, &applied));
    TRY(compare(arena, schema, &migrations, &applied));
    *behind = applied.count < migrations.n;
    return OK;
}
