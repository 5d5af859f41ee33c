/* Makes the thumbnails of a file without a fleet: bench-thumbnail FILE DIR [TIMES]. */
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

#include "worker/thumbnail/sizes.h"

static bool is_photo(const char *path)
{
    static const char *const endings[] = {".jpg", ".jpeg", ".png", ".gif", ".webp", ".svg"};
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        size_t len = strlen(path), ending = strlen(endings[i]);
        if (len > ending && strcmp(path + len - ending, endings[i]) == 0)
            return true;
    }
    return false;
}

static int make(const struct picture_source *source, const char *dir,
                struct thumbnail_result *result, struct arena *arena, struct err *err)
{
    CLEANUP(picture_release) struct picture picture = {0};
    int64_t bytes;
    if (picture_load(source, &picture, err) < 0)
        return -1;
    return sizes_write(&picture, dir, arena, result, &bytes, err);
}

int main(int argc, char **argv)
{
    struct arena arena = {0};
    struct err err = {0};
    struct thumbnail_result result;
    if (argc < 3) {
        fprintf(stderr, "usage: bench-thumbnail FILE DIR [TIMES]\n");
        return 64;
    }
    mkdir(argv[2], 0755);
    libav_open();
    const struct picture_source source = {.path = argv[1],
                                          .media = is_photo(argv[1]) ? MEDIA_IMAGE : MEDIA_VIDEO};
    long times = argc > 3 ? strtol(argv[3], NULL, 10) : 1;
    clock_t start = clock();
    int failed = 0;
    for (long i = 0; i < times && !failed; i++)
        failed = make(&source, argv[2], &result, &arena, &err);
    double cpu_ms =
        1000.0 * (double)(clock() - start) / CLOCKS_PER_SEC / (double)(times > 0 ? times : 1);
    if (failed)
        printf("%s: %s\n", error_name(err.code), err.detail);
    else
        printf("%s %s %s %" PRId64 "x%" PRId64 " %.1f ms CPU\n", result.small, result.medium,
               result.large, result.width, result.height, cpu_ms);
    arena_release(&arena);
    return failed ? 1 : 0;
}
