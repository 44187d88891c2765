#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "match_files.h"

enum { READ_BYTES = 1024 * 1024, WRITE_BUFFER_BYTES = 1024 * 1024 };

/* ---- reading ---- */

static enum err read_all(struct arena *arena, const char *path, int fd, size_t expected,
                         struct bytes *into)
{
    size_t capacity = expected + 1, n = 0;
    char *text = arena_alloc(arena, capacity + 1);
    for (;;) {
        if (n == capacity) {
            char *larger = arena_alloc(arena, 2 * capacity + READ_BYTES + 1);
            memcpy(larger, text, n);
            text = larger;
            capacity = 2 * capacity + READ_BYTES;
        }
        ssize_t got = read(fd, text + n, capacity - n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return arena_fail(arena, ERR_IO, NULL, "%s cannot be read: %s.", path,
                              strerrordesc_np(errno));
        if (got == 0)
            break;
        n += (size_t)got;
        if (n > CSV_FILE_BYTES_MAX)
            return arena_fail(arena, ERR_LIMIT, NULL, "%s is larger than %d MiB.", path,
                              CSV_FILE_BYTES_MAX >> 20);
    }
    *into = (struct bytes){(const uint8_t *)text, n};
    return OK;
}

static enum err read_path(struct arena *arena, const char *path, char **text, size_t *n)
{
    struct stat about;
    struct bytes bytes = {0};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &about) != 0 || S_ISDIR(about.st_mode)) {
        int reason = fd < 0 ? errno : EISDIR;
        if (fd >= 0)
            close(fd);
        return arena_fail(arena, ERR_IO, NULL, "%s cannot be read: %s.", path,
                          strerrordesc_np(reason));
    }
    size_t expected = S_ISREG(about.st_mode) && about.st_size <= CSV_FILE_BYTES_MAX
                          ? (size_t)about.st_size
                          : READ_BYTES;
    enum err error = read_all(arena, path, fd, expected, &bytes);
    close(fd);
    TRY(error);
    *text = (char *)(uintptr_t)bytes.at;
    *n = bytes.n;
    return OK;
}

enum err match_file_read(struct arena *arena, const char *path, struct table *into)
{
    char *text = NULL;
    size_t n = 0;
    TRY(read_path(arena, path, &text, &n));
    return table_read(arena, path, text, n, into);
}

/* ---- writing ---- */

static enum err cannot_write(struct arena *arena, const char *path)
{
    return arena_fail(arena, ERR_IO, NULL, "%s cannot be written: %s.", path,
                      strerrordesc_np(errno));
}

/* The file that a name leads to: a symbolic link stays one. */
static const char *target_of(struct arena *arena, const char *path)
{
    char *real = realpath(path, NULL);
    const char *target = arena_text(arena, real ? real : path);
    free(real);
    return target;
}

static int draft_open(struct arena *arena, struct match_output *output)
{
    char *draft = arena_format(arena, "%s.XXXXXX", output->path);
    int fd = mkostemp(draft, O_CLOEXEC);
    mode_t mask = umask(0);
    umask(mask);
    if (fd >= 0 && fchmod(fd, 0666 & ~mask) == 0)
        output->draft = draft;
    return fd;
}

enum err match_output_open(struct arena *arena, const char *path, struct match_output *into)
{
    struct stat about;
    *into = (struct match_output){.to = stdout};
    if (!path)
        return OK;
    into->path = target_of(arena, path);
    bool special = stat(into->path, &about) == 0 && !S_ISREG(about.st_mode);
    int fd = special ? open(into->path, O_WRONLY | O_CLOEXEC) : draft_open(arena, into);
    into->to = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (!into->to)
        return cannot_write(arena, path);
    setvbuf(into->to, NULL, _IOFBF, WRITE_BUFFER_BYTES);
    return OK;
}

enum err match_output_finish(struct arena *arena, struct match_output *output)
{
    const char *path = output->path ? output->path : "The standard output";
    bool written = fflush(output->to) == 0 && !ferror(output->to);
    if (written && output->draft)
        written = fsync(fileno(output->to)) == 0 && rename(output->draft, output->path) == 0;
    if (!written)
        return cannot_write(arena, path);
    output->draft = NULL;
    return OK;
}

void match_output_drop(struct match_output *output)
{
    if (output->to && output->to != stdout)
        fclose(output->to);
    if (output->draft)
        unlink(output->draft);
    *output = (struct match_output){0};
}
