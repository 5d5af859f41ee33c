/* Runs a fuzz target over the files of the folders that are named, whole, cut at each eighth, and
 * with bits turned: the short form of fuzzing, for every build. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "tests/fuzz/fuzz.h"

enum { SEED_MAX = 1 << 20, FLIPS_MAX = 512 };

/* Each in memory of just its size, so that a read behind the end is seen. */
static void run(const uint8_t *bytes, size_t len)
{
    CLEANUP(free_at) uint8_t *exact = malloc(len ? len : 1);
    if (!exact)
        abort();
    memcpy(exact, bytes, len);
    LLVMFuzzerTestOneInput(exact, len);
}

static void run_variants(uint8_t *bytes, size_t len)
{
    run(bytes, len);
    for (size_t eighth = 0; eighth < 8; eighth++)
        run(bytes, len * eighth / 8);
    size_t step = len > FLIPS_MAX ? len / FLIPS_MAX : 1;
    for (size_t i = 0; i < len; i += step) {
        uint8_t bit = (uint8_t)(1u << i % 8);
        bytes[i] ^= bit;
        run(bytes, len);
        bytes[i] ^= bit;
    }
}

static int run_file(const char *folder, const char *name)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    CLEANUP(fclose_at) FILE *file = fopen(path, "re");
    CLEANUP(free_at) uint8_t *bytes = malloc(SEED_MAX);
    if (!file || !bytes) {
        fprintf(stderr, "cannot read '%s'\n", path);
        return -1;
    }
    run_variants(bytes, fread(bytes, 1, SEED_MAX, file));
    return 0;
}

static int run_folder(const char *folder)
{
    CLEANUP(closedir_at) DIR *dir = opendir(folder);
    int files = 0;
    if (!dir) {
        fprintf(stderr, "cannot read '%s'\n", folder);
        return -1;
    }
    for (const struct dirent *entry; (entry = readdir(dir));)
        if (entry->d_name[0] != '.' && ++files && run_file(folder, entry->d_name) != 0)
            return -1;
    printf("ok %d files of %s\n", files, folder);
    return files > 0 ? 0 : -1;
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (run_folder(argv[i]) != 0)
            return 1;
    return argc > 1 ? 0 : 1;
}
