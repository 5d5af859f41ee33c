/* Decoding with libavcodec: tolerant of single broken packets, strict about sizes and about the sum
 * of errors. */
#include "worker/media/decoder.h"

enum { ERRORS_EARLY_MAX = 250, CHANNELS_MAX = 64, SAMPLE_RATE_MAX = 192000 };

int decoder_open(struct decoder *out, const AVStream *stream, int threads, struct err *err)
{
    const AVCodec *codec = avcodec_find_decoder(stream->codecpar->codec_id);
    if (!codec)
        return err_set(err, ERR_UNSUPPORTED_MEDIA, "no decoder for %s",
                       avcodec_get_name(stream->codecpar->codec_id));
    CLEANUP(codec_free_at) AVCodecContext *context = avcodec_alloc_context3(codec);
    if (!context)
        abort();
    int averror = avcodec_parameters_to_context(context, stream->codecpar);
    if (averror < 0)
        return libav_error(err, ERR_CORRUPT_MEDIA, averror, "stream parameters");
    context->pkt_timebase = stream->time_base;
    context->thread_count = threads;
    context->max_pixels = (int64_t)LIBAV_WIDTH_MAX * LIBAV_HEIGHT_MAX;
    averror = avcodec_open2(context, codec, NULL);
    if (averror < 0)
        return libav_error(err, ERR_UNSUPPORTED_MEDIA, averror, "open the decoder");
    *out = (struct decoder){.codec = TAKE(context), .time_base = stream->time_base};
    return 0;
}

void decoder_release(struct decoder *decoder)
{
    avcodec_free_context(&decoder->codec);
}

static int check_frame(const AVFrame *frame, struct err *err)
{
    if (frame->width > 0)
        return libav_check_size(frame->width, frame->height, err);
    if (frame->ch_layout.nb_channels > CHANNELS_MAX || frame->sample_rate > SAMPLE_RATE_MAX)
        return err_set(err, ERR_UNSUPPORTED_MEDIA, "%d channels at %d Hz",
                       frame->ch_layout.nb_channels, frame->sample_rate);
    return 0;
}

/* The stream outgrew max_pixels in the middle: libav refuses the frame, and we the file. */
static int check_context(const AVCodecContext *codec, struct err *err)
{
    if (codec->codec_type == AVMEDIA_TYPE_VIDEO && codec->coded_width > 0)
        return libav_check_size(codec->coded_width, codec->coded_height, err);
    return 0;
}

static int count_error(struct decoder *decoder, struct err *err)
{
    if (check_context(decoder->codec, err) < 0)
        return -1;
    decoder->errors++;
    if (decoder->errors > ERRORS_EARLY_MAX && decoder->errors > decoder->frames)
        return err_set(err, ERR_CORRUPT_MEDIA, "%lld packets in %lld could not be decoded",
                       (long long)decoder->errors, (long long)(decoder->errors + decoder->frames));
    return 0;
}

static int receive_all(struct decoder *decoder, AVFrame *frame,
                       int (*take)(void *arg, AVFrame *frame, struct err *err), void *arg,
                       struct err *err)
{
    for (;;) {
        int averror = avcodec_receive_frame(decoder->codec, frame);
        if (averror == AVERROR(EAGAIN) || averror == AVERROR_EOF)
            return 0;
        if (averror < 0) {
            if (count_error(decoder, err) < 0)
                return -1;
            continue;
        }
        frame->pts = frame->best_effort_timestamp;
        decoder->frames++;
        if (frame->decode_error_flags && count_error(decoder, err) < 0)
            return -1;
        if (check_frame(frame, err) < 0 || take(arg, frame, err) < 0)
            return -1;
        av_frame_unref(frame);
    }
}

int decoder_send(struct decoder *decoder, const AVPacket *packet,
                 int (*take)(void *arg, AVFrame *frame, struct err *err), void *arg,
                 struct err *err)
{
    CLEANUP(frame_free_at) AVFrame *frame = libav_frame();
    int averror;
    while ((averror = avcodec_send_packet(decoder->codec, packet)) == AVERROR(EAGAIN))
        if (receive_all(decoder, frame, take, arg, err) < 0)
            return -1;
    if (averror < 0 && averror != AVERROR_EOF && count_error(decoder, err) < 0)
        return -1;
    return receive_all(decoder, frame, take, arg, err);
}

int decoder_verdict(const struct decoder *decoder, struct err *err)
{
    if (decoder->frames == 0 && decoder->errors == 0)
        return err_set(err, ERR_NO_FRAMES, "the stream has no frame");
    if (decoder->frames == 0 || decoder->errors * 10 > decoder->frames + decoder->errors)
        return err_set(err, ERR_CORRUPT_MEDIA, "%lld of %lld frames could not be decoded",
                       (long long)decoder->errors, (long long)(decoder->frames + decoder->errors));
    return 0;
}
