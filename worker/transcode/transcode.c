/* Between the fleet and the pipeline: finds the source, passes on progress and stops. */
#include "worker/transcode/transcode.h"

#include "proto/download.h"
#include "worker/transcode/pipeline.h"

int transcode_open(const void *settings, struct err *err)
{
    (void)settings;
    (void)err;
    libav_open();
    return 0;
}

static bool stopped(void *run)
{
    return run_stopped(run);
}

static void progress(void *run, int64_t percent, const char *message)
{
    run_progress(run, percent, message);
}

int transcode_handle(struct run *run, const void *params, void *result, struct err *err)
{
    struct download_result source;
    int found = run_need(run, "download", &source, err);
    const char *source_dir = run_dir_of(run, "download");
    if (found <= 0 || !source_dir)
        return found < 0 ? -1 : err_set(err, ERR_INTERNAL, "there is no downloaded file");
    if (source.media == MEDIA_IMAGE)
        return 0;
    const struct watch watch = {stopped, progress, run};
    struct arena *arena = run_arena(run);
    const struct pipeline_job job = {.source =
                                         arena_printf(arena, "%s/%s", source_dir, source.file),
                                     .dir = run_dir(run, err),
                                     .params = *(const struct transcode_params *)params,
                                     .watch = &watch,
                                     .cores = run_cores(run)};
    if (!job.dir)
        return -1;
    struct transcode_result *out = result;
    if (pipeline_run(&job, arena, out, err) < 0)
        return run_stopped(run) ? run_stop_error(run, err) : -1;
    run_usage(run, source.size_bytes, out->bytes);
    return 0;
}
