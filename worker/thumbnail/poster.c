/* A film's poster frame: near the wanted position, not black if there is a choice; or the cover of
 * a record. */
#include "worker/media/canvas.h"
#include "worker/media/decoder.h"
#include "worker/media/probe.h"
#include "worker/thumbnail/picture.h"

#include "proto/thumbnail.h"

enum {
    FRAMES_BEFORE_MAX = 600, /* decoded between the key frame and the wanted position */
    FRAMES_DARK_MAX = 100,   /* passed over because they are black */
    KEYS_DARK_MAX = 10,      /* the same, where only key frames are looked at */
    DARK_LUMA = 24,          /* video black is 16 */
    AT_MAX_S = 10,
};

struct search {
    struct canvas canvas;
    int64_t at;         /* wanted pts */
    int before, dark;   /* frames passed over */
    AVFrame *candidate; /* the best so far */
    bool done;
};

static void release(struct search *search)
{
    canvas_release(&search->canvas);
    av_frame_free(&search->candidate);
}

/* Every eighth sample of every eighth line. */
static bool is_dark(const AVFrame *frame)
{
    int64_t sum = 0, count = 0;
    for (int y = 0; y < frame->height; y += 8)
        for (int x = 0; x < frame->width; x += 8, count++)
            sum += frame->data[0][(ptrdiff_t)y * frame->linesize[0] + x];
    return sum < count * DARK_LUMA;
}

static int take_canvas(void *arg, AVFrame *frame, struct err *err)
{
    struct search *search = arg;
    (void)err;
    if (search->done)
        return 0;
    av_frame_free(&search->candidate);
    search->candidate = av_frame_clone(frame);
    if (!search->candidate)
        abort();
    search->done = !is_dark(frame) || search->dark++ >= FRAMES_DARK_MAX;
    return 0;
}

static int take_picture(void *arg, AVFrame *frame, struct err *err)
{
    struct search *search = arg;
    bool early = frame->pts != AV_NOPTS_VALUE && frame->pts < search->at;
    if (search->done || (early && search->before++ < FRAMES_BEFORE_MAX))
        return 0;
    if (frame->pts == AV_NOPTS_VALUE)
        frame->pts = search->dark;
    return canvas_send(&search->canvas, frame, take_canvas, search, err);
}

static int64_t ticks(const struct probe *probe, int64_t at_us, const AVStream *stream)
{
    return av_rescale_q(probe->start_us + at_us, (AVRational){1, AV_TIME_BASE}, stream->time_base);
}

/* A key frame alone: nothing before it nor after it is decoded. */
static int decode_key(struct decoder *decoder, const AVPacket *packet, struct search *search,
                      struct err *err)
{
    if (decoder_send(decoder, packet, take_picture, search, err) < 0 ||
        decoder_send(decoder, NULL, take_picture, search, err) < 0 ||
        canvas_send(&search->canvas, NULL, take_canvas, search, err) < 0)
        return -1;
    avcodec_flush_buffers(decoder->codec);
    canvas_release(&search->canvas); /* a graph that has ended takes nothing more */
    return 0;
}

static int read_keys(struct input *input, struct decoder *decoder, int index, int64_t limit,
                     struct search *search, struct err *err)
{
    CLEANUP(packet_free_at) AVPacket *packet = libav_packet();
    int more = 1;
    while (!search->done && search->dark < KEYS_DARK_MAX &&
           (more = input_read(input, packet, err)) > 0) {
        bool ours = packet->stream_index == index;
        if (ours && (packet->pts == AV_NOPTS_VALUE || packet->pts > limit))
            break;
        if (ours && packet->flags & AV_PKT_FLAG_KEY && packet->pts >= search->at &&
            decode_key(decoder, packet, search, err) < 0)
            return -1;
        av_packet_unref(packet);
    }
    return more < 0 ? -1 : 0;
}

/* The first key frame from the position on, unless it is far away. Where nobody asked for a
 * position it is as good a poster, and all the pictures before it need not be decoded. */
static int search_keys(struct input *input, const struct probe *probe, int64_t at_us,
                       struct search *search, struct err *err)
{
    AVStream *stream = input->format->streams[probe->video];
    int64_t last_us = FFMIN(at_us + (int64_t)AT_MAX_S * AV_TIME_BASE, probe->duration_us / 2);
    struct decoder decoder;
    search->at = ticks(probe, at_us, stream);
    if (av_seek_frame(input->format, probe->video, search->at, 0) < 0)
        return 0;
    if (decoder_open(&decoder, stream, 1, err) < 0)
        return -1;
    int result =
        read_keys(input, &decoder, probe->video, ticks(probe, last_us, stream), search, err);
    decoder_release(&decoder);
    if (!search->done)
        av_frame_free(&search->candidate);
    search->dark = 0;
    return result;
}

/* What comes before the position only has to keep the references whole. */
static void skip_before(struct decoder *decoder, const AVPacket *packet, int64_t at)
{
    bool before = packet->pts != AV_NOPTS_VALUE && packet->pts < at;
    decoder->codec->skip_frame = before ? AVDISCARD_NONREF : AVDISCARD_DEFAULT;
}

static int read_until_found(struct input *input, struct decoder *decoder, int index,
                            struct search *search, struct err *err)
{
    CLEANUP(packet_free_at) AVPacket *packet = libav_packet();
    int more = 1;
    while (!search->done && (more = input_read(input, packet, err)) > 0) {
        if (packet->stream_index == index) {
            skip_before(decoder, packet, search->at);
            if (decoder_send(decoder, packet, take_picture, search, err) < 0)
                return -1;
        }
        av_packet_unref(packet);
    }
    if (more < 0)
        return -1;
    if (!search->done && decoder_send(decoder, NULL, take_picture, search, err) < 0)
        return -1;
    return search->done ? 0 : canvas_send(&search->canvas, NULL, take_canvas, search, err);
}

static int64_t wanted_us(const struct picture_source *source, const struct probe *probe)
{
    if (source->at_ms > 0)
        return source->at_ms * 1000;
    return FFMIN(probe->duration_us / 10, (int64_t)AT_MAX_S * AV_TIME_BASE);
}

/* 0 with or without a candidate: the film may end before the position. */
static int search_from(struct input *input, const struct probe *probe, int64_t at_us,
                       struct search *search, struct err *err)
{
    AVStream *stream = input->format->streams[probe->video];
    struct decoder decoder;
    if (decoder_open(&decoder, stream, 1, err) < 0)
        return -1;
    search->at = ticks(probe, at_us, stream);
    /* A container that cannot seek is read from where it is. */
    if (at_us > 0)
        av_seek_frame(input->format, probe->video, search->at, AVSEEK_FLAG_BACKWARD);
    int result = read_until_found(input, &decoder, probe->video, search, err);
    if (result == 0 && !search->candidate && at_us == 0)
        result = decoder_verdict(&decoder, err);
    decoder_release(&decoder);
    return result;
}

/* Seeking may lead astray in containers without an index; then the file is opened afresh and the
 * first picture taken. */
static int find_poster(struct input *input, const struct picture_source *source,
                       const struct probe *probe, struct search *search, struct err *err)
{
    CLEANUP(input_free_at) struct input *again = NULL;
    int64_t at_us = wanted_us(source, probe);
    if (at_us > 0 && source->at_ms == 0 && search_keys(input, probe, at_us, search, err) < 0)
        return -1;
    if (search->candidate)
        return 0;
    if (at_us > 0 && search_from(input, probe, at_us, search, err) < 0)
        return -1;
    if (search->candidate)
        return 0;
    if (input_open(&again, source->path, source->watch, err) < 0)
        return -1;
    return search_from(again, probe, 0, search, err);
}

static int decode_cover(struct input *input, const struct probe *probe, struct search *search,
                        struct err *err)
{
    AVStream *stream = input->format->streams[probe->cover];
    struct decoder decoder;
    if (libav_check_size(stream->codecpar->width, stream->codecpar->height, err) < 0 ||
        decoder_open(&decoder, stream, 1, err) < 0)
        return -1;
    search->at = INT64_MIN;
    int result = decoder_send(&decoder, &stream->attached_pic, take_picture, search, err);
    if (result == 0)
        result = decoder_send(&decoder, NULL, take_picture, search, err);
    if (result == 0 && !search->candidate)
        result = canvas_send(&search->canvas, NULL, take_canvas, search, err);
    decoder_release(&decoder);
    return result;
}

/* The canvas has the size of the largest thumbnail, so that a film's pictures are scaled once. */
static void prepare(struct search *search, const struct picture *picture, const struct probe *probe,
                    const AVStream *stream, AVRational aspect)
{
    int width, height;
    picture_fit(picture->width, picture->height, thumbnail_sizes[0].width,
                thumbnail_sizes[0].height, &width, &height);
    search->canvas =
        (struct canvas){.width = FFMAX(2, width & ~1),
                        .height = FFMAX(2, height & ~1),
                        .rotation = stream->index == probe->video ? probe->rotation : 0,
                        .aspect = aspect,
                        .time_base = stream->time_base,
                        .threads = 1};
}

int picture_load_poster(const struct picture_source *source, struct picture *out, struct err *err)
{
    CLEANUP(input_free_at) struct input *input = NULL;
    CLEANUP(release) struct search search = {0};
    struct probe probe;
    if (input_open(&input, source->path, source->watch, err) < 0 ||
        probe_input(input, &probe, err) < 0)
        return -1;
    bool film = probe.video >= 0;
    if (!film && probe.cover < 0)
        return err_set(err, ERR_NO_VIDEO_STREAM, "neither a film nor a cover picture");
    AVStream *stream = input->format->streams[film ? probe.video : probe.cover];
    struct picture picture = {.orientation = 1,
                              .width = film ? probe.width : stream->codecpar->width,
                              .height = film ? probe.height : stream->codecpar->height};
    if (picture.width <= 0 || picture.height <= 0)
        return err_set(err, ERR_CORRUPT_MEDIA, "the picture has no size");
    prepare(&search, &picture, &probe, stream,
            av_guess_sample_aspect_ratio(input->format, stream, NULL));
    if ((film ? find_poster(input, source, &probe, &search, err)
              : decode_cover(input, &probe, &search, err)) < 0)
        return -1;
    if (!search.candidate)
        return err_set(err, ERR_NO_FRAMES, "no picture could be decoded");
    picture.frame = TAKE(search.candidate);
    *out = picture;
    return 0;
}
