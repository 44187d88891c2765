/* A file that holds one value: a secret, a URL with a password. */
#include "config/settings.h"

#include <errno.h>

enum err settings_read_file(struct arena *arena, const char *setting, const char *path,
                            const char **into)
{
    FILE *file = fopen(path, "re");
    if (!file)
        return arena_fail(arena, ERR_CONFIG, setting, "%s cannot be read: %s.", path,
                          errno == EACCES ? "permission denied" : "there is no such file");
    setvbuf(file, NULL, _IONBF, 0); /* no copy in a buffer that nobody wipes */
    char *text = arena_alloc(arena, CONFIG_VALUE_BYTES_MAX + 1);
    size_t n = fread(text, 1, CONFIG_VALUE_BYTES_MAX, file);
    bool whole = feof(file) && !ferror(file);
    fclose(file);
    if (!whole || memchr(text, '\0', n))
        return arena_fail(arena, ERR_CONFIG, setting, "%s is no text of at most %d bytes.", path,
                          CONFIG_VALUE_BYTES_MAX);
    while (n > 0 && (text[n - 1] == '\n' || text[n - 1] == '\r'))
        text[--n] = '\0';
    *into = text;
    return OK;
}
