#include "base/base.h"

#include "matcher/train/train.h"

enum err file_write(struct arena *arena, const char *path, struct bytes bytes)
{
    FILE *file = fopen(path, "w");
    if (!file)
        return arena_fail(arena, ERR_IO, NULL, "%s cannot be written.", path);
    bool written = fwrite(bytes.at, 1, bytes.n, file) == bytes.n;
    if (fclose(file) != 0 || !written)
        return arena_fail(arena, ERR_IO, NULL, "%s could not be written whole.", path);
    return OK;
}

static enum err command_tables(struct arena *arena, const char *directory)
{
    TRY(tables_write_legal(arena,
                           arena_format(arena, "%s/resources_names_org_types.yml", directory),
                           arena_format(arena, "%s/legal_forms.inc", directory)));
    return tables_write_common(arena, directory,
                               arena_format(arena, "%s/common_words.inc", directory));
}

static enum err run(struct arena *arena, int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "tables") == 0)
        return command_tables(arena, argv[2]);
    if (argc == 5 && strcmp(argv[1], "fit") == 0)
        return models_fit(arena, argv[2], argv[3], argv[4]);
    if ((argc == 4 || argc == 5) && strcmp(argv[1], "try") == 0)
        return profile_try(arena, argv[2], argv[3], argc == 5 ? argv[4] : NULL);
    if (argc == 5 && strcmp(argv[1], "worlds") == 0)
        return worlds_export(arena, argv[2], argv[3], argv[4]);
    if (argc == 3 && strcmp(argv[1], "models") == 0)
        return models_embed(arena, argv[2]);
    if (argc == 2 && strcmp(argv[1], "bench") == 0)
        return bench_run(arena);
    return arena_fail(arena, ERR_CONFIG, NULL,
                      "Usage: sluice-train tables TABLES | fit SETS MODELS VERSION"
                      " | try PROFILE SETS [LEFT_OUT] | worlds PROFILE NULL_SHARE DIRECTORY | "
                      "models MODELS | bench");
}

int main(int argc, char **argv)
{
    struct arena *arena = arena_open();
    enum err err = run(arena, argc, argv);
    if (err != OK)
        fprintf(stderr, "sluice-train: %s\n", arena_failure(arena)->detail);
    arena_close(arena);
    return err == OK ? 0 : 1;
}
