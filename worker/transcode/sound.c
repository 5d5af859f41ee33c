/* Resample, keep in step with the source's timestamps, encode, cut. */
#include "worker/transcode/sound.h"

#include <libavutil/channel_layout.h>

#include "worker/media/probe.h"

enum { BIT_RATE = 128000, DRIFT_MAX_MS = 100, PRIMING = 1024 };

static const AVRational microseconds = {1, AV_TIME_BASE};

void sound_release(struct sound *sound)
{
    swr_free(&sound->swr);
    av_channel_layout_uninit(&sound->in_layout);
    if (sound->fifo)
        av_audio_fifo_free(sound->fifo);
    sound->fifo = NULL;
    av_frame_free(&sound->block);
    avcodec_free_context(&sound->encoder);
    segmenter_release(&sound->segmenter);
}

static int open_encoder(struct sound *sound, int rate, struct err *err)
{
    const AVCodec *codec = avcodec_find_encoder(AV_CODEC_ID_AAC);
    sound->encoder = codec ? avcodec_alloc_context3(codec) : NULL;
    if (!sound->encoder)
        return err_set(err, ERR_CONFIG, "libavcodec has no AAC encoder");
    AVCodecContext *encoder = sound->encoder;
    encoder->sample_rate = rate == 44100 ? rate : 48000;
    encoder->sample_fmt = AV_SAMPLE_FMT_FLTP;
    encoder->ch_layout = (AVChannelLayout)AV_CHANNEL_LAYOUT_STEREO;
    encoder->bit_rate = BIT_RATE;
    encoder->profile = FF_PROFILE_AAC_LOW;
    encoder->time_base = (AVRational){1, encoder->sample_rate};
    encoder->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
    int averror = avcodec_open2(encoder, codec, NULL);
    if (averror < 0)
        return libav_error(err, ERR_INTERNAL, averror, "open the audio encoder");
    sound->fifo = av_audio_fifo_alloc(AV_SAMPLE_FMT_FLTP, 2, encoder->sample_rate);
    sound->block = libav_frame();
    sound->block->format = AV_SAMPLE_FMT_FLTP;
    sound->block->ch_layout = encoder->ch_layout;
    sound->block->sample_rate = encoder->sample_rate;
    sound->block->nb_samples = encoder->frame_size;
    if (!sound->fifo || av_frame_get_buffer(sound->block, 0) < 0)
        abort();
    return segmenter_open(&sound->segmenter, sound->dir, encoder, sound->delay_us, err);
}

/* The first packet holds only the encoder's priming, which lies before the first sample: players
 * without edit lists would play everything 21 ms late. */
static bool is_priming(const struct sound *sound, const AVPacket *packet)
{
    return packet->pts < sound->base;
}

static double boundary_s(const struct sound *sound)
{
    if (!sound->grid)
        return (double)sound->boundary * sound->segment_s;
    return (double)grid_start(sound->grid, (size_t)sound->boundary) / av_q2d(sound->rate);
}

static int write_packet(struct sound *sound, AVPacket *packet, struct err *err)
{
    if (is_priming(sound, packet)) {
        av_packet_unref(packet);
        return 0;
    }
    enum cut cut = CUT_NONE;
    double at_s = (double)packet->pts / sound->encoder->sample_rate;
    for (; at_s >= boundary_s(sound); sound->boundary++)
        cut = CUT_SEGMENT;
    packet->flags |= AV_PKT_FLAG_KEY;
    return segmenter_write(&sound->segmenter, packet, cut, err);
}

static int encode(struct sound *sound, const AVFrame *frame, struct err *err)
{
    CLEANUP(packet_free_at) AVPacket *packet = libav_packet();
    int averror = avcodec_send_frame(sound->encoder, frame);
    while (averror >= 0) {
        averror = avcodec_receive_packet(sound->encoder, packet);
        if (averror >= 0 && write_packet(sound, packet, err) < 0)
            return -1;
    }
    if (averror == AVERROR(EAGAIN) || averror == AVERROR_EOF)
        return 0;
    return libav_error(err, ERR_INTERNAL, averror, "encode audio");
}

/* Encodes whole blocks; with `all` also the shorter rest. */
static int encode_fifo(struct sound *sound, bool all, struct err *err)
{
    int whole = sound->encoder->frame_size;
    for (int ready; (ready = av_audio_fifo_size(sound->fifo)) >= (all ? 1 : whole);) {
        AVFrame *block = sound->block;
        if (av_frame_make_writable(block) < 0)
            abort();
        block->nb_samples = FFMIN(ready, whole);
        if (av_audio_fifo_read(sound->fifo, (void **)block->data, block->nb_samples) < 0)
            abort();
        block->pts = sound->base + sound->encoded;
        sound->encoded += block->nb_samples;
        if (encode(sound, block, err) < 0)
            return -1;
    }
    return 0;
}

static int add(struct sound *sound, uint8_t *const *samples, int count, struct err *err)
{
    if (av_audio_fifo_write(sound->fifo, (void **)(uintptr_t)samples, count) < 0)
        abort();
    sound->taken += count;
    if (sound->taken > (int64_t)PROBE_DURATION_MAX_S * sound->encoder->sample_rate)
        return err_set(err, ERR_DURATION_TOO_LONG, "more than %d s of audio", PROBE_DURATION_MAX_S);
    return encode_fifo(sound, false, err);
}

/* from NULL: what the resampler still holds. */
static int resample(struct sound *sound, const AVFrame *from, struct err *err)
{
    CLEANUP(frame_free_at) AVFrame *to = libav_frame();
    int room = swr_get_out_samples(sound->swr, from ? from->nb_samples : 0);
    if (room <= 0)
        return 0;
    to->format = AV_SAMPLE_FMT_FLTP;
    to->ch_layout = sound->encoder->ch_layout;
    to->nb_samples = room;
    if (av_frame_get_buffer(to, 0) < 0)
        abort();
    int count = swr_convert(sound->swr, to->extended_data, room,
                            from ? (const uint8_t **)(uintptr_t)from->extended_data : NULL,
                            from ? from->nb_samples : 0);
    if (count < 0)
        return libav_error(err, ERR_CORRUPT_MEDIA, count, "resample");
    return add(sound, to->extended_data, count, err);
}

static bool same_input(const struct sound *sound, const AVFrame *frame)
{
    return sound->swr && sound->in_rate == frame->sample_rate &&
           sound->in_format == frame->format &&
           av_channel_layout_compare(&sound->in_layout, &frame->ch_layout) == 0;
}

static int open_resampler(struct sound *sound, const AVFrame *frame, struct err *err)
{
    AVChannelLayout layout = {0};
    swr_free(&sound->swr);
    /* A stream that only counts its channels has them in the usual order. */
    if (frame->ch_layout.order == AV_CHANNEL_ORDER_UNSPEC)
        av_channel_layout_default(&layout, frame->ch_layout.nb_channels);
    else
        av_channel_layout_copy(&layout, &frame->ch_layout);
    int averror = swr_alloc_set_opts2(&sound->swr, &sound->encoder->ch_layout, AV_SAMPLE_FMT_FLTP,
                                      sound->encoder->sample_rate, &layout, frame->format,
                                      frame->sample_rate, 0, NULL);
    if (averror >= 0)
        averror = swr_init(sound->swr);
    av_channel_layout_uninit(&layout);
    if (averror < 0)
        return libav_error(err, ERR_UNSUPPORTED_MEDIA, averror, "resample");
    av_channel_layout_uninit(&sound->in_layout);
    av_channel_layout_copy(&sound->in_layout, &frame->ch_layout);
    sound->in_rate = frame->sample_rate;
    sound->in_format = frame->format;
    return 0;
}

static int add_silence(struct sound *sound, int64_t samples, struct err *err)
{
    CLEANUP(frame_free_at) AVFrame *silence = av_frame_clone(sound->block);
    if (!silence || av_frame_make_writable(silence) < 0)
        abort();
    av_samples_set_silence(silence->extended_data, 0, PRIMING, 2, AV_SAMPLE_FMT_FLTP);
    for (; samples > 0; samples -= PRIMING)
        if (add(sound, silence->extended_data, (int)FFMIN(samples, PRIMING), err) < 0)
            return -1;
    return 0;
}

/* How many samples this frame is later than what came before ends: a hole, or (negative) an
 * overlap. */
static int64_t drift(const struct sound *sound, const AVFrame *frame)
{
    AVRational sample = sound->encoder->time_base;
    int64_t origin = av_rescale_q(sound->origin_us, microseconds, sample);
    int64_t at = av_rescale_q(frame->pts, sound->time_base, sample) - origin;
    int64_t end =
        sound->base + sound->taken + (sound->swr ? swr_get_delay(sound->swr, sample.den) : 0);
    return at - end;
}

static int start(struct sound *sound, const AVFrame *frame, struct err *err)
{
    if (open_encoder(sound, frame->sample_rate, err) < 0)
        return -1;
    if (frame->pts != AV_NOPTS_VALUE)
        sound->base = FFMAX(0, drift(sound, frame));
    return 0;
}

/* The resampler is emptied and begins anew: what follows the hole has nothing to do with what was
 * before. */
static int fill_hole(struct sound *sound, const AVFrame *frame, int64_t samples, struct err *err)
{
    if (resample(sound, NULL, err) < 0 || add_silence(sound, samples, err) < 0)
        return -1;
    return open_resampler(sound, frame, err);
}

int sound_take(struct sound *sound, const AVFrame *frame, struct err *err)
{
    if (frame->nb_samples <= 0 || frame->sample_rate <= 0)
        return 0;
    if (!sound->encoder && start(sound, frame, err) < 0)
        return -1;
    if (!same_input(sound, frame)) {
        if (sound->swr && resample(sound, NULL, err) < 0)
            return -1;
        if (open_resampler(sound, frame, err) < 0)
            return -1;
    }
    int64_t tolerance = (int64_t)sound->encoder->sample_rate * DRIFT_MAX_MS / 1000;
    int64_t late = frame->pts == AV_NOPTS_VALUE ? 0 : drift(sound, frame);
    if (late < -tolerance)
        return 0;
    if (late > tolerance && fill_hole(sound, frame, late, err) < 0)
        return -1;
    return resample(sound, frame, err);
}

int sound_finish(struct sound *sound, struct err *err)
{
    if (!sound->encoder)
        return err_set(err, ERR_NO_FRAMES, "the audio stream has no sample");
    if (sound->copied)
        return segmenter_finish(&sound->segmenter, err);
    if (resample(sound, NULL, err) < 0 || encode_fifo(sound, true, err) < 0 ||
        encode(sound, NULL, err) < 0)
        return -1;
    return segmenter_finish(&sound->segmenter, err);
}

int sound_open_copy(struct sound *sound, const AVStream *stream, int64_t first_pts, struct err *err)
{
    sound->encoder = avcodec_alloc_context3(NULL);
    if (!sound->encoder || avcodec_parameters_to_context(sound->encoder, stream->codecpar) < 0)
        abort();
    sound->copied = true;
    sound->encoder->codec_tag = 0;
    sound->encoder->time_base = (AVRational){1, sound->encoder->sample_rate};
    AVRational sample = sound->encoder->time_base;
    sound->base = av_rescale_q(first_pts, stream->time_base, sample) -
                  av_rescale_q(sound->origin_us, microseconds, sample);
    sound->boundary = sound->base < 0; /* the first block begins the first segment in any case */
    return segmenter_open(&sound->segmenter, sound->dir, sound->encoder, sound->delay_us, err);
}

int sound_copy(struct sound *sound, AVPacket *packet, struct err *err)
{
    packet->pts = packet->dts = sound->base + sound->taken;
    packet->duration = sound->encoder->frame_size;
    sound->taken += packet->duration;
    return write_packet(sound, packet, err);
}
