/* A rendition's thread: queue → scale → queues of smaller renditions → x264 → segmenter. */
#include "worker/transcode/video.h"

#include <libavutil/opt.h>

enum { LARGE = 720 }; /* short side */

/* What costs a fifth of the time at most sizes and shows in none of them: 8x8 blocks between frames
 * are small detail in a large picture; sub-pixel refinement finds what the small search does not.
 */
static void set_search(AVCodecContext *encoder, const struct rung *rung)
{
    int short_side = FFMIN(rung->width, rung->height);
    av_opt_set(encoder->priv_data, "partitions",
               short_side >= LARGE ? "i4x4,i8x8" : "p8x8,i4x4,i8x8", 0);
    av_opt_set(encoder->priv_data, "motion-est", "dia", 0);
}

static void set_options(AVCodecContext *encoder, const struct video *video)
{
    const struct rung *rung = &video->rung;
    encoder->width = rung->width;
    encoder->height = rung->height;
    encoder->pix_fmt = AV_PIX_FMT_YUV420P;
    encoder->sample_aspect_ratio = (AVRational){1, 1};
    encoder->time_base = av_inv_q(video->rate);
    encoder->framerate = video->rate;
    encoder->gop_size = (int)video->grid->gop_frames;
    encoder->keyint_min = (int)video->grid->gop_frames;
    encoder->rc_max_rate = rung->maxrate_bps;
    encoder->rc_buffer_size = (int)rung->bufsize_bits;
    encoder->thread_count = video->threads;
    /* Or-ed in: closed GOPs are among libx264's defaults. */
    encoder->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
    av_opt_set(encoder->priv_data, "preset", "veryfast", 0);
    av_opt_set(encoder->priv_data, "profile", "high", 0);
    set_search(encoder, rung);
    /* A thread for the lookahead, and frames waiting for it, pay off only beside many others. */
    if (video->threads <= 2)
        av_opt_set(encoder->priv_data, "x264-params", "sync-lookahead=0", 0);
    /* Quality is constant where the content allows it, the buffer caps the rest: a talking head
     * costs a fraction of what an average bit rate would spend on it. */
    av_opt_set_double(encoder->priv_data, "crf", 23, 0);
    av_opt_set_int(encoder->priv_data, "forced-idr", 1, 0);
    av_opt_set_int(encoder->priv_data, "sc_threshold", 0, 0);
}

static void set_colours(AVCodecContext *encoder, const AVFrame *frame)
{
    encoder->color_range = AVCOL_RANGE_MPEG;
    encoder->color_primaries = frame->color_primaries;
    encoder->color_trc = frame->color_trc;
    encoder->colorspace =
        frame->colorspace == AVCOL_SPC_RGB ? AVCOL_SPC_UNSPECIFIED : frame->colorspace;
}

static int open_encoder(struct video *video, const AVFrame *frame, struct err *err)
{
    const AVCodec *codec = avcodec_find_encoder_by_name("libx264");
    if (!codec)
        return err_set(err, ERR_CONFIG, "libavcodec has no libx264");
    video->encoder = avcodec_alloc_context3(codec);
    if (!video->encoder)
        abort();
    set_options(video->encoder, video);
    set_colours(video->encoder, frame);
    int averror = avcodec_open2(video->encoder, codec, NULL);
    if (averror < 0)
        return libav_error(err, ERR_INTERNAL, averror, "open the encoder");
    if (video->encoder->has_b_frames > VIDEO_DELAY_FRAMES)
        return err_set(err, ERR_INTERNAL, "the encoder reorders %d frames",
                       video->encoder->has_b_frames);
    return segmenter_open(&video->segmenter, video->dir, video->encoder, *video->start_us, err);
}

static int write_packet(struct video *video, AVPacket *packet, struct err *err)
{
    enum cut cut = CUT_NONE;
    if (packet->flags & AV_PKT_FLAG_KEY)
        cut = grid_at(video->grid, packet->pts) == CUT_SEGMENT ? CUT_SEGMENT : CUT_FRAGMENT;
    packet->duration = 1;
    return segmenter_write(&video->segmenter, packet, cut, err);
}

/* frame NULL: drains. */
static int encode(struct video *video, const AVFrame *frame, struct err *err)
{
    CLEANUP(packet_free_at) AVPacket *packet = libav_packet();
    int averror = avcodec_send_frame(video->encoder, frame);
    while (averror >= 0) {
        averror = avcodec_receive_packet(video->encoder, packet);
        if (averror >= 0 && write_packet(video, packet, err) < 0)
            return -1;
    }
    if (averror == AVERROR(EAGAIN) || averror == AVERROR_EOF)
        return 0;
    return libav_error(err, ERR_INTERNAL, averror, "encode video");
}

static int take(struct video *video, const AVFrame *frame, struct err *err)
{
    CLEANUP(frame_free_at) AVFrame *scaled = NULL;
    if (watch_stopped(video->watch))
        return input_stopped(err);
    if (scaler_scale(&video->scaler, frame, &scaled, err) < 0)
        return -1;
    /* A queue that was aborted tells its own error. */
    if (fan_push(&video->fan, scaled) < 0)
        return input_stopped(err);
    if (!video->encoder && open_encoder(video, scaled, err) < 0)
        return -1;
    scaled->pict_type =
        grid_at(video->grid, scaled->pts) ? AV_PICTURE_TYPE_I : AV_PICTURE_TYPE_NONE;
    scaled->key_frame = 0;
    video->frames++;
    return encode(video, scaled, err);
}

static int run(struct video *video, struct err *err)
{
    for (;;) {
        CLEANUP(frame_free_at) AVFrame *frame = queue_pop(&video->queue);
        if (!frame)
            break;
        if (take(video, frame, err) < 0)
            return -1;
    }
    if (queue_is_aborted(&video->queue))
        return input_stopped(err);
    fan_end(&video->fan);
    if (!video->encoder)
        return err_set(err, ERR_NO_FRAMES, "the video stream has no frame");
    if (encode(video, NULL, err) < 0)
        return -1;
    return segmenter_finish(&video->segmenter, err);
}

static void *thread(void *argument)
{
    struct video *video = argument;
    if (run(video, &video->err) < 0) {
        queue_abort(&video->queue);
        fan_abort(&video->fan);
    }
    return NULL;
}

int video_start(struct video *video, struct err *err)
{
    int number = pthread_create(&video->thread, NULL, thread, video);
    if (number != 0)
        return err_errno(err, number, "start a rendition's thread");
    video->started = true;
    return 0;
}

void video_join(struct video *video)
{
    if (video->started)
        pthread_join(video->thread, NULL);
    video->started = false;
}

void video_release(struct video *video)
{
    scaler_release(&video->scaler);
    avcodec_free_context(&video->encoder);
    segmenter_release(&video->segmenter);
    queue_release(&video->queue);
}
