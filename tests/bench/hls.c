/* Makes an HLS asset of a file without a fleet: bench-hls SOURCE DIR. Prints the result; exit 1
 * prints the error's name. */
#include <inttypes.h>
#include <stdio.h>
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
               " average %" PRId64 " %s\n",
               one->name, one->width, one->height, one->frame_rate, one->duration_s, one->segments,
               one->peak_bps, one->average_bps, one->codecs);
    }
}

int main(int argc, char **argv)
{
    struct arena arena = {0};
    struct err err = {0};
    struct transcode_result result;
    const struct watch watch = {.progress = show};
    if (argc != 3) {
        fprintf(stderr, "usage: bench-hls SOURCE DIR\n");
        return 64;
    }
    mkdir(argv[2], 0755);
    libav_open();
    const struct pipeline_job job = {.source = argv[1], .dir = argv[2], .watch = &watch};
    int failed = pipeline_run(&job, &arena, &result, &err);
    fprintf(stderr, "\n");
    if (failed)
        printf("%s: %s\n", error_name(err.code), err.detail);
    else
        print(&result);
    arena_release(&arena);
    return failed ? 1 : 0;
}
