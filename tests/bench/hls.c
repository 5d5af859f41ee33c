/* Makes an HLS asset of a file without a fleet: bench-hls [ladder | source | encoded] SOURCE DIR.
 * Prints the result, and which renditions are copied; exit 1 prints the error's name. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "worker/transcode/pipeline.h"

static void show(void *arg, int64_t percent, const char *message)
{
    (void)arg;
    fprintf(stderr, "\r%3" PRId64 " %% %s ", percent, message);
}

static void print(const struct transcode_result *result)
{
    printf("%s %.3f s %" PRId64 "x%" PRId64 " %" PRId64 " files %" PRId64 " bytes\n",
           result->playlist, result->duration_s, result->width, result->height, result->files,
           result->bytes);
    for (size_t i = 0; i < result->renditions.len; i++) {
        const struct rendition *one = &result->renditions.at[i];
        printf("%s %" PRId64 "x%" PRId64 " %.3f fps %.3f s %" PRId64 " segments peak %" PRId64
               " average %" PRId64 " %s%s\n",
               one->name, one->width, one->height, one->frame_rate, one->duration_s, one->segments,
               one->peak_bps, one->average_bps, one->codecs, one->copied ? " copied" : "");
    }
}

static enum renditions_asked asked(const char *word)
{
    unsigned found = RENDITIONS_ENCODED;
    while (found != RENDITIONS_UNSET && strcmp(renditions_names[found], word) != 0)
        found--;
    return found;
}

int main(int argc, char **argv)
{
    struct arena arena = {0};
    struct err err = {0};
    struct transcode_result result;
    const struct watch watch = {.progress = show};
    enum renditions_asked renditions = argc == 4 ? asked(argv[1]) : RENDITIONS_LADDER;
    if (argc < 3 || argc > 4 || renditions == RENDITIONS_UNSET) {
        fprintf(stderr, "usage: bench-hls [ladder | source | encoded] SOURCE DIR\n");
        return 64;
    }
    const char *source = argv[argc - 2], *dir = argv[argc - 1];
    mkdir(dir, 0755);
    libav_open();
    const struct pipeline_job job = {
        .source = source, .dir = dir, .watch = &watch, .params = {.renditions = renditions}};
    int failed = pipeline_run(&job, &arena, &result, &err);
    fprintf(stderr, "\n");
    if (failed)
        printf("%s: %s\n", error_name(err.code), err.detail);
    else
        print(&result);
    arena_release(&arena);
    return failed ? 1 : 0;
}
