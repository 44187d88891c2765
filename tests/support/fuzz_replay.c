/* Runs a fuzz target over the files of its corpus, for compilers without libFuzzer. */
#include <dirent.h>

#include "base/base.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        return 0;
    enum { INPUT_BYTES_MAX = 4 * 1024 * 1024 };
    uint8_t *data = malloc(INPUT_BYTES_MAX);
    if (!data)
        abort();
    size_t n = fread(data, 1, INPUT_BYTES_MAX, file);
    fclose(file);
    uint8_t *exact = malloc(n ? n : 1); /* so that a read past the end is seen */
    if (!exact)
        abort();
    memcpy(exact, data, n);
    free(data);
    LLVMFuzzerTestOneInput(exact, n);
    free(exact);
    return 1;
}

int main(int argc, char **argv)
{
    int replayed = 0;
    for (int i = 1; i < argc; i++) {
        DIR *folder = opendir(argv[i]);
        for (struct dirent *entry; folder && (entry = readdir(folder));) {
            char path[4096];
            snprintf(path, sizeof path, "%s/%s", argv[i], entry->d_name);
            if (entry->d_name[0] != '.')
                replayed += replay_file(path);
        }
        if (folder)
            closedir(folder);
    }
    printf("replayed %d inputs\n", replayed);
    return replayed > 0 ? 0 : 1;
}
