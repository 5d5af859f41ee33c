/* Demux and decode in the caller's thread; pictures go through canvas and cadence to the
 * renditions' threads. */
#include "worker/transcode/pipeline.h"

#include <math.h>
#include <string.h>

#include <libavutil/cpu.h>

#include "worker/transcode/asset.h"
#include "worker/transcode/plan.h"

enum { DECODER_THREADS_MAX = 4, CORES_MAX = 64 };

static const AVRational microseconds = {1, AV_TIME_BASE};

static void release(struct stages *stages)
{
    decoder_release(&stages->picture_decoder);
    decoder_release(&stages->sound_decoder);
    canvas_release(&stages->canvas);
    av_frame_free(&stages->last);
    for (int i = 0; i < stages->ladder.len; i++)
        video_release(&stages->videos[i]);
    sound_release(&stages->sound);
    copy_release(&stages->copy);
    input_free(stages->input);
}

static AVStream *stream_of(const struct stages *stages, int index)
{
    return stages->input->format->streams[index];
}

/* Not if all that they would be decoded for is copied. */
static bool decodes_pictures(const struct stages *stages)
{
    return stages->encoded_from < stages->ladder.len;
}

/* Of one that is encoded: how many threads it gets, and from where its pictures. */
static void feed_video(struct stages *stages, int index)
{
    struct video *video = &stages->videos[index];
    const struct ladder *ladder = &stages->ladder;
    int from = ladder_scaled_from(ladder, stages->encoded_from, index);
    video->threads = ladder_threads(ladder, stages->encoded_from, index, stages->cores);
    fan_add(from < 0 ? &stages->fan : &stages->videos[from].fan, &video->queue);
}

static int prepare_video(struct stages *stages, int index, struct err *err)
{
    struct video *video = &stages->videos[index];
    const struct rung *rung = &stages->ladder.at[index];
    const char *folder =
        arena_printf(stages->arena, "v%d", rung->width < rung->height ? rung->width : rung->height);
    const char *dir = asset_prepare(stages, folder, err);
    if (!dir)
        return -1;
    *video = (struct video){.rung = *rung,
                            .rate = stages->rate,
                            .grid = &stages->grid,
                            .dir = dir,
                            .start_us = &stages->start_us,
                            .watch = stages->job->watch,
                            .scaler = {.width = rung->width, .height = rung->height}};
    queue_init(&video->queue);
    if (index >= stages->encoded_from)
        feed_video(stages, index);
    return 0;
}

static int open_pictures(struct stages *stages, struct err *err)
{
    const struct probe *probe = &stages->probe;
    AVStream *stream = stream_of(stages, probe->video);
    stages->cadence = (struct cadence){.rate = {stages->rate.num, stages->rate.den},
                                       .time_base = {stream->time_base.num, stream->time_base.den}};
    stages->canvas =
        (struct canvas){.width = stages->ladder.at[0].width,
                        .height = stages->ladder.at[0].height,
                        .rotation = probe->rotation,
                        .aspect = av_guess_sample_aspect_ratio(stages->input->format, stream, NULL),
                        .time_base = stream->time_base,
                        .threads = stages->cores};
    for (int i = 0; i < stages->ladder.len; i++)
        if (prepare_video(stages, i, err) < 0)
            return -1;
    if (stages->copy.pictures && copy_open_pictures(stages, err) < 0)
        return -1;
    if (!decodes_pictures(stages))
        return 0;
    int threads = stages->cores < DECODER_THREADS_MAX ? stages->cores : DECODER_THREADS_MAX;
    return decoder_open(&stages->picture_decoder, stream, threads, err);
}

static int open_sound(struct stages *stages, struct err *err)
{
    AVStream *stream = stream_of(stages, stages->probe.audio);
    const char *dir = asset_prepare(stages, "audio", err);
    if (!dir)
        return -1;
    stages->sound = (struct sound){.dir = dir,
                                   .time_base = stream->time_base,
                                   .origin_us = stages->probe.start_us,
                                   .delay_us = stages->delay_us,
                                   .segment_s = stages->segment_s,
                                   .grid = stages->ladder.len > 0 ? &stages->grid : NULL,
                                   .rate = stages->rate};
    return stages->copy.sounds ? 0 : decoder_open(&stages->sound_decoder, stream, 1, err);
}

static void discard_others(const struct stages *stages)
{
    for (int i = 0; i < (int)stages->input->format->nb_streams; i++)
        if (i != stages->probe.video && i != stages->probe.audio)
            stream_of(stages, i)->discard = AVDISCARD_ALL;
}

static int open_all(struct stages *stages, struct err *err)
{
    const struct pipeline_job *job = stages->job;
    if (input_open(&stages->input, job->source, job->watch, err) < 0 ||
        probe_input(stages->input, &stages->probe, err) < 0)
        return -1;
    const struct probe *probe = &stages->probe;
    if (probe->video < 0 && probe->audio < 0)
        return err_set(err, ERR_NO_VIDEO_STREAM, "neither video nor audio, only a cover picture");
    stages->segment_s = (double)(job->params.segment_s ? job->params.segment_s : SEGMENT_S);
    discard_others(stages);
    if (probe->video >= 0 && plan_pictures(stages, err) < 0)
        return -1;
    discard_others(stages); /* it may have been opened anew */
    if (probe->video >= 0 && open_pictures(stages, err) < 0)
        return -1;
    return probe->audio >= 0 ? open_sound(stages, err) : 0;
}

static void tell_progress(struct stages *stages, double at_s)
{
    const struct watch *watch = stages->job->watch;
    double all_s = (double)stages->probe.duration_us / AV_TIME_BASE;
    char message[64];
    if (!watch || !watch->progress || all_s <= 0)
        return;
    int64_t percent = (int64_t)(100 * at_s / all_s);
    percent = percent > 99 ? 99 : percent;
    if (percent <= stages->percent)
        return;
    stages->percent = percent;
    snprintf(message, sizeof message, "%.0f of %.0f s", at_s, all_s);
    watch->progress(watch->arg, percent, message);
}

/* One picture of the constant rate. */
static int push(struct stages *stages, AVFrame *frame, struct err *err)
{
    if (stages->frames >= PROBE_DURATION_MAX_S * (int64_t)CADENCE_RATE_MAX)
        return err_set(err, ERR_DURATION_TOO_LONG, "more than %d s of video", PROBE_DURATION_MAX_S);
    frame->pts = stages->frames++;
    if (fan_push(&stages->fan, frame) < 0)
        return input_stopped(err); /* the rendition that failed has the reason */
    tell_progress(stages, (double)stages->frames / av_q2d(stages->rate));
    return 0;
}

static int repeat_last(struct stages *stages, int64_t times, struct err *err)
{
    for (int64_t i = 0; i < times && stages->last; i++)
        if (push(stages, stages->last, err) < 0)
            return -1;
    return 0;
}

/* A picture as the canvas hands it out. */
static int take_canvas(void *arg, AVFrame *frame, struct err *err)
{
    struct stages *stages = arg;
    int64_t repeat;
    bool first = !stages->cadence.started;
    if (!cadence_take(&stages->cadence, frame->pts, &repeat))
        return 0;
    if (first) {
        int64_t at_us = av_rescale_q(frame->pts, stages->canvas.time_base, microseconds);
        stages->start_us = stages->delay_us + FFMAX(0, at_us - stages->probe.start_us);
    }
    if (repeat_last(stages, repeat, err) < 0)
        return -1;
    av_frame_free(&stages->last);
    stages->last = av_frame_clone(frame);
    if (!stages->last)
        abort();
    return push(stages, frame, err);
}

/* A picture as the decoder hands it out. A raw stream has no times: its pictures follow each other.
 */
static int take_picture(void *arg, AVFrame *frame, struct err *err)
{
    struct stages *stages = arg;
    if (frame->pts == AV_NOPTS_VALUE) {
        AVRational step = av_inv_q(stages->probe.rate.num > 0 ? stages->probe.rate : stages->rate);
        frame->pts = stages->cadence.started
                         ? stages->cadence.last + av_rescale_q(1, step, stages->canvas.time_base)
                         : 0;
    }
    stages->last_duration = frame->pkt_duration;
    return canvas_send(&stages->canvas, frame, take_canvas, stages, err);
}

static int take_sound(void *arg, AVFrame *frame, struct err *err)
{
    struct stages *stages = arg;
    if (sound_take(&stages->sound, frame, err) < 0)
        return -1;
    if (stages->ladder.len == 0)
        tell_progress(stages, (double)stages->sound.taken / stages->sound.encoder->sample_rate);
    return 0;
}

/* packet NULL: drains both decoders. */
static int decode(struct stages *stages, const AVPacket *packet, struct err *err)
{
    const struct probe *probe = &stages->probe;
    if (decodes_pictures(stages) && (!packet || packet->stream_index == probe->video) &&
        decoder_send(&stages->picture_decoder, packet, take_picture, stages, err) < 0)
        return -1;
    bool sound = probe->audio >= 0 && !stages->copy.sounds;
    if (sound && (!packet || packet->stream_index == probe->audio))
        return decoder_send(&stages->sound_decoder, packet, take_sound, stages, err);
    return 0;
}

/* What cannot be decoded is mended by encoding, and is not for players. */
static int check_copied(struct stages *stages, struct err *err)
{
    if (stages->copy.pictures && stages->picture_decoder.errors > 0)
        return copy_refute(stages, "a picture cannot be decoded", err);
    return 0;
}

static int read_all(struct stages *stages, struct err *err)
{
    CLEANUP(packet_free_at) AVPacket *packet = libav_packet();
    int more;
    while ((more = input_read(stages->input, packet, err)) > 0) {
        if (decode(stages, packet, err) < 0 || check_copied(stages, err) < 0 ||
            copy_write(stages, packet, err) < 0)
            return -1;
        if (!decodes_pictures(stages) && stages->copy.pictures)
            tell_progress(stages, (double)stages->copy.again.frames / av_q2d(stages->rate));
        av_packet_unref(packet);
    }
    if (more < 0 || decode(stages, NULL, err) < 0 || check_copied(stages, err) < 0)
        return -1;
    return copy_finish(stages, err);
}

/* Containers with an index promise a duration; a file that was cut off keeps less than it promised.
 */
static int check_length(const struct stages *stages, int index, double length_s, struct err *err)
{
    const AVFormatContext *format = stages->input->format;
    const AVStream *stream = stream_of(stages, index);
    double promised_s = (double)stream->duration * av_q2d(stream->time_base);
    if (!strstr(format->iformat->name, "mp4") || stream->duration <= 0)
        return 0;
    if (length_s < promised_s * 0.95 - 0.5)
        return err_set(err, ERR_CORRUPT_MEDIA, "stream %d ends after %.1f of %.1f s", index,
                       length_s, promised_s);
    return 0;
}

static int finish_pictures(struct stages *stages, struct err *err)
{
    const struct copy *copy = &stages->copy;
    if (stages->ladder.len == 0)
        return 0;
    if (!decodes_pictures(stages))
        return check_length(stages, stages->probe.video,
                            (double)copy->again.frames / av_q2d(stages->rate), err);
    if (canvas_send(&stages->canvas, NULL, take_canvas, stages, err) < 0)
        return -1;
    if (copy->pictures && stages->frames != copy->again.frames)
        return copy_refute(stages, "not every picture came out of the decoder", err);
    if (!copy->pictures &&
        repeat_last(stages, cadence_finish(&stages->cadence, stages->last_duration), err) < 0)
        return -1;
    if (decoder_verdict(&stages->picture_decoder, err) < 0)
        return -1;
    return check_length(stages, stages->probe.video, (double)stages->frames / av_q2d(stages->rate),
                        err);
}

/* A film whose audio track is empty or broken is a silent film. */
static int finish_sound(struct stages *stages, struct err *err)
{
    struct err broken = {0};
    if (stages->probe.audio < 0)
        return 0;
    bool usable = stages->copy.sounds || decoder_verdict(&stages->sound_decoder, &broken) == 0;
    usable &= stages->sound.encoder != NULL;
    if (usable) {
        double length_s = (double)stages->sound.taken / stages->sound.encoder->sample_rate;
        return check_length(stages, stages->probe.audio, length_s, err) < 0
                   ? -1
                   : sound_finish(&stages->sound, err);
    }
    if (stages->ladder.len == 0 || stages->sound.encoder)
        return err_set(err, broken.code ? broken.code : ERR_NO_FRAMES, "audio: %s", broken.detail);
    return 0;
}

static int start_renditions(struct stages *stages, struct err *err)
{
    for (int i = stages->encoded_from; i < stages->ladder.len; i++)
        if (video_start(&stages->videos[i], err) < 0)
            return -1;
    return 0;
}

/* After a failure every thread is told; the first error that is not just the echo of another one
 * counts. */
static int join_renditions(struct stages *stages, bool failed, struct err *err)
{
    for (int i = 0; failed && i < stages->ladder.len; i++)
        queue_abort(&stages->videos[i].queue);
    if (!failed)
        fan_end(&stages->fan);
    for (int i = 0; i < stages->ladder.len; i++)
        video_join(&stages->videos[i]);
    for (int i = 0; i < stages->ladder.len; i++) {
        const struct err *own = &stages->videos[i].err;
        bool better = own->code && (err->code == ERR_NONE || err->code == ERR_CANCELLED);
        if (better)
            *err = *own;
        failed |= own->code != ERR_NONE;
    }
    return failed ? -1 : 0;
}

static int run(struct stages *stages, struct transcode_result *out, struct err *err)
{
    if (open_all(stages, err) < 0)
        return -1;
    bool failed = start_renditions(stages, err) < 0 || read_all(stages, err) < 0 ||
                  finish_pictures(stages, err) < 0 || finish_sound(stages, err) < 0;
    if (join_renditions(stages, failed, err) < 0)
        return -1;
    return asset_write(stages, out, err);
}

static void discard(const struct stages *stages)
{
    for (int i = 0; i < stages->ladder.len; i++)
        segmenter_discard(&stages->videos[i].segmenter);
    segmenter_discard(&stages->sound.segmenter);
}

/* 1: what was to be copied cannot be; nothing of it is left. */
static int attempt(const struct pipeline_job *job, struct arena *arena,
                   struct transcode_result *out, struct err *err)
{
    struct stages *stages = arena_alloc(arena, sizeof *stages);
    int cores = job->cores > 0 ? job->cores : av_cpu_count();
    stages->job = job;
    stages->arena = arena;
    stages->cores = FFMIN(FFMAX(cores, 1), CORES_MAX);
    int result = run(stages, out, err);
    if (result < 0 && stages->copy.refuted) {
        discard(stages);
        result = 1;
    }
    release(stages);
    return result;
}

int pipeline_run(const struct pipeline_job *job, struct arena *arena, struct transcode_result *out,
                 struct err *err)
{
    struct pipeline_job encoded = *job;
    int result = attempt(job, arena, out, err);
    if (result <= 0)
        return result;
    encoded.params.renditions = RENDITIONS_ENCODED;
    *err = (struct err){0};
    return attempt(&encoded, arena, out, err);
}
