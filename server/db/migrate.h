/* Migrations: files NNNN_name.sql of one directory per schema, each applied once, in order, in one
 * transaction, under an advisory lock. A file is never edited after it was applied anywhere: its
 * checksum is kept in <schema>.migration and a difference is refused. */
#ifndef SLUICE_MIGRATE_H
#define SLUICE_MIGRATE_H

#include "db/db.h"

enum schema { SCHEMA_DIRECTORY, SCHEMA_REGION };

enum {
    MIGRATIONS_MAX = 2000,
    MIGRATION_BYTES_MAX = 1 << 20,
};

struct migrate_report {
    int applied; /* now */
    int total;   /* in the directory */
};

/* `db` is a connection of the owner; `directory` holds the files of this schema. ERR_CONFIG: a file
 * changed after it was applied, a number twice, or a database newer than the files. */
enum err migrate(struct db *db, struct arena *arena, enum schema schema, const char *directory,
                 struct migrate_report *into) MUST_USE;
/* For serve and work, which refuse to start when behind. Needs no more than the rights of the
 * application. */
enum err migrate_behind(struct db *db, struct arena *arena, enum schema schema,
                        const char *directory, bool *behind) MUST_USE;

#endif
