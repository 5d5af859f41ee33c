/* Sums up the renditions: codecs, rates, playlists, the result. */
#include "worker/transcode/asset.h"

#include <errno.h>
#include <sys/stat.h>

#include "worker/transcode/codecs.h"
#include "worker/transcode/playlist.h"

const char *asset_prepare(const struct stages *stages, const char *folder, struct err *err)
{
    const char *path = arena_printf(stages->arena, "%s/%s", stages->job->dir, folder);
    if (mkdir(path, 0755) < 0 && errno != EEXIST) {
        err_errno(err, errno, "make the folder %s", folder);
        return NULL;
    }
    return path;
}

static int write_text(const struct stages *stages, const char *name, const struct text *text,
                      struct transcode_result *result, struct err *err)
{
    const char *path = arena_printf(stages->arena, "%s/%s", stages->job->dir, name);
    FILE *file = fopen(path, "wbe");
    if (!file)
        return err_errno(err, errno, "create %s", name);
    size_t written = fwrite(text->at, 1, text->len, file);
    if (fclose(file) != 0 || written != text->len)
        return err_errno(err, errno, "write %s", name);
    result->files++;
    result->bytes += (int64_t)text->len;
    return 0;
}

/* What video and audio renditions have in common, and their media playlist. */
static int describe(const struct stages *stages, const struct segmenter *segmenter,
                    const char *folder, struct rendition *out, struct transcode_result *result,
                    struct err *err)
{
    struct text text = {.arena = stages->arena};
    const struct segments *segments = &segmenter->segments;
    out->playlist = arena_printf(stages->arena, "%s/index.m3u8", folder);
    out->segments = (int64_t)segments->len;
    for (size_t i = 0; i < segments->len; i++)
        out->duration_s += segments->at[i].duration_s;
    playlist_measure(segments, (double)playlist_target(segments), &out->peak_bps,
                     &out->average_bps);
    result->files += segmenter->files;
    result->bytes += segmenter->bytes;
    result->duration_s =
        result->duration_s > out->duration_s ? result->duration_s : out->duration_s;
    playlist_media(&text, segments);
    return write_text(stages, out->playlist, &text, result, err);
}

static int describe_video(const struct stages *stages, const struct video *video,
                          struct rendition *out, struct playlist_video *entry,
                          struct transcode_result *result, struct err *err)
{
    const struct rung *rung = &video->rung;
    int side = rung->width < rung->height ? rung->width : rung->height;
    char codecs[CODECS_MAX];
    const AVCodecContext *encoder = video->encoder;
    if (codecs_h264(encoder->extradata, (size_t)encoder->extradata_size, codecs, err) < 0)
        return -1;
    *out = (struct rendition){.name = arena_printf(stages->arena, "%dp", side),
                              .width = rung->width,
                              .height = rung->height,
                              .frame_rate = av_q2d(video->rate),
                              .codecs = arena_strdup(stages->arena, codecs),
                              .copied = video->copied};
    const char *folder = arena_printf(stages->arena, "v%d", side);
    if (describe(stages, &video->segmenter, folder, out, result, err) < 0)
        return -1;
    struct text text = {.arena = stages->arena};
    const struct iframes *iframes = &video->segmenter.iframes;
    *entry = (struct playlist_video){
        .rendition = out, .iframes = arena_printf(stages->arena, "%s/iframes.m3u8", folder)};
    playlist_measure_iframes(iframes, &entry->iframes_peak_bps, &entry->iframes_average_bps);
    playlist_iframes(&text, iframes);
    return write_text(stages, entry->iframes, &text, result, err);
}

static int describe_sound(const struct stages *stages, struct rendition *out,
                          struct transcode_result *result, struct err *err)
{
    char codecs[CODECS_MAX];
    const AVCodecContext *encoder = stages->sound.encoder;
    if (codecs_aac(encoder->extradata, (size_t)encoder->extradata_size, codecs, err) < 0)
        return -1;
    *out = (struct rendition){.name = "audio",
                              .codecs = arena_strdup(stages->arena, codecs),
                              .copied = stages->sound.copied};
    return describe(stages, &stages->sound.segmenter, "audio", out, result, err);
}

int asset_write(const struct stages *stages, struct transcode_result *out, struct err *err)
{
    struct playlist_video entries[LADDER_MAX];
    struct playlist_master master = {.video = entries, .language = stages->probe.language};
    struct transcode_result result = {.width = stages->ladder.len ? stages->probe.width : 0,
                                      .height = stages->ladder.len ? stages->probe.height : 0};
    result.renditions.at =
        arena_alloc_array(stages->arena, LADDER_MAX + 1, sizeof(struct rendition));
    for (int i = 0; i < stages->ladder.len; i++) {
        struct rendition *rendition = &result.renditions.at[result.renditions.len++];
        if (describe_video(stages, &stages->videos[i], rendition, &entries[i], &result, err) < 0)
            return -1;
        master.video_len++;
    }
    if (stages->sound.encoder) {
        struct rendition *rendition = &result.renditions.at[result.renditions.len++];
        if (describe_sound(stages, rendition, &result, err) < 0)
            return -1;
        master.audio = rendition;
        master.channels = stages->sound.encoder->ch_layout.nb_channels;
    }
    struct text text = {.arena = stages->arena};
    playlist_master(&text, &master);
    result.playlist = "master.m3u8";
    if (write_text(stages, result.playlist, &text, &result, err) < 0)
        return -1;
    *out = result;
    return 0;
}
