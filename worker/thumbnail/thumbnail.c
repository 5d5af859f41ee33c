/* Between the fleet and the picture: finds the source, passes on stops. */
#include "worker/thumbnail/thumbnail.h"

#include "worker/thumbnail/sizes.h"

int thumbnail_open(const void *settings, struct err *err)
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

static int make(struct run *run, const struct picture_source *source,
                struct thumbnail_result *result, int64_t *bytes, struct err *err)
{
    CLEANUP(picture_release) struct picture picture = {0};
    const char *dir = run_dir(run, err);
    if (!dir || picture_load(source, &picture, err) < 0)
        return -1;
    run_progress(run, 50, "resizing");
    return sizes_write(&picture, dir, run_arena(run), result, bytes, err);
}

int thumbnail_handle(struct run *run, const void *params, void *result, struct err *err)
{
    struct download_result source;
    struct thumbnail_result *made = result;
    int found = run_need(run, "download", &source, err);
    const char *source_dir = run_dir_of(run, "download");
    if (found <= 0 || !source_dir)
        return found < 0 ? -1 : err_set(err, ERR_INTERNAL, "there is no downloaded file");
    const struct watch watch = {.stopped = stopped, .arg = run};
    const struct picture_source from = {
        .path = arena_printf(run_arena(run), "%s/%s", source_dir, source.file),
        .media = source.media,
        .at_ms = ((const struct thumbnail_params *)params)->at_ms,
        .watch = &watch};
    if (make(run, &from, made, &made->bytes, err) < 0)
        return run_stopped(run) ? run_stop_error(run, err) : -1;
    run_usage(run, source.size_bytes, made->bytes);
    return 0;
}
