/* Feeds the rules of copying with what libav reads, and the segmenter with what they let through.
 */
#include "worker/transcode/copy.h"

#include <math.h>

#include "worker/transcode/stages.h"

/* Apple's authoring specification has 7800 kb/s for 1080p where our ladder's limit is 5600, and
 * 4500 for 720p where it is 3100. */
static const double average_per_limit = 1.4, peak_per_limit = 2;
enum {
    LEVEL_LADDER_MAX = 42, /* what a device that plays 1080p at 60 Hz decodes */
    LEVEL_MAX = 52,        /* Apple's authoring specification 1.4 */
    SOUND_BPS_MAX = 192000,
    SOUND_BLOCK = 1024,
    LONG_GROUPS = 2 /* segments in the longest group of pictures of a source asked for as it is */
};
static const double segment_slack_s = 0.45; /* EXTINF is rounded; sound ends up to a block later */
static const double fragment_s = 1;         /* intra-only sources have no use for more fragments */

static AVStream *stream_of(const struct stages *stages, int index)
{
    return stages->input->format->streams[index];
}

static bool as_it_is(const struct stages *stages)
{
    return stages->job->params.renditions == RENDITIONS_SOURCE;
}

static struct fraction fraction_of(AVRational rational)
{
    return (struct fraction){rational.num, rational.den};
}

static const char *check_colours(const AVCodecParameters *codec)
{
    bool hdr =
        codec->color_trc == AVCOL_TRC_SMPTE2084 || codec->color_trc == AVCOL_TRC_ARIB_STD_B67;
    if (codec->format != AV_PIX_FMT_YUV420P || codec->color_range == AVCOL_RANGE_JPEG || hdr)
        return "it is not 4:2:0 video of 8 bits and standard range";
    return NULL;
}

static const char *check_set(const struct stages *stages, const struct h264_sps *sps)
{
    bool profile = sps->profile == FF_PROFILE_H264_MAIN || sps->profile == FF_PROFILE_H264_HIGH ||
                   (sps->profile == FF_PROFILE_H264_BASELINE && sps->constrained);
    if (!profile || sps->level > (as_it_is(stages) ? LEVEL_MAX : LEVEL_LADDER_MAX))
        return "its profile or level is too high";
    if (sps->chroma != 1 || !sps->eight_bits || !sps->progressive)
        return "it is not progressive 4:2:0 video of 8 bits";
    return NULL;
}

/* What can be said before a packet is read; NULL: nothing against it. */
static const char *check_stream(const struct stages *stages, int64_t *width, int64_t *height)
{
    const struct probe *probe = &stages->probe;
    AVStream *stream = stream_of(stages, probe->video);
    const AVCodecParameters *codec = stream->codecpar;
    AVRational aspect = av_guess_sample_aspect_ratio(stages->input->format, stream, NULL);
    struct h264_sps sps;
    if (codec->codec_id != AV_CODEC_ID_H264 ||
        !h264_read_avcc(codec->extradata, (size_t)codec->extradata_size, &sps))
        return "it is not H.264 with its parameter sets in front";
    const char *why = check_colours(codec);
    if (!why)
        why = check_set(stages, &sps);
    if (why)
        return why;
    bool square = aspect.num <= 0 || aspect.num == aspect.den;
    if (probe->rotation != 0 || !square || sps.width != probe->width || sps.height != probe->height)
        return "it is displayed in another size or shape";
    const struct rung *top = &stages->ladder.at[0];
    if (!as_it_is(stages) && (sps.width != top->width || sps.height != top->height))
        return "no rendition has its size";
    *width = sps.width;
    *height = sps.height;
    return NULL;
}

static void set_limits(struct stages *stages)
{
    struct copyable *picture = &stages->copy.picture;
    const struct rung *top = &stages->ladder.at[0];
    double rate = av_q2d(stages->rate), longest_s = stages->segment_s + segment_slack_s;
    *picture = (struct copyable){
        .rate = fraction_of(stages->rate),
        .time_base = fraction_of(stream_of(stages, stages->probe.video)->time_base)};
    struct copy_limits *limits = &picture->limits;
    limits->segment_frames = limits->idr_frames = (int64_t)ceil(longest_s * rate) - 1;
    if (as_it_is(stages)) {
        limits->idr_frames *= LONG_GROUPS;
        return;
    }
    limits->average_bps = lround((double)top->maxrate_bps * average_per_limit);
    limits->peak_bps = lround((double)top->maxrate_bps * peak_per_limit);
}

/* Saves reading all of a large file that is encoded in any case. */
static bool promises_too_much(const struct stages *stages)
{
    int64_t most_bps = stages->copy.picture.limits.average_bps;
    return most_bps > 0 && stream_of(stages, stages->probe.video)->codecpar->bit_rate > most_bps;
}

/* AAC-LC as its configuration says it: five bits of type, four of rate, four of channels. */
static void check_sound(struct stages *stages)
{
    struct copyable_sound *sound = &stages->copy.sound;
    if (stages->probe.audio < 0) {
        sound->why = "there is none";
        return;
    }
    const AVStream *stream = stream_of(stages, stages->probe.audio);
    const AVCodecParameters *codec = stream->codecpar;
    const uint8_t *config = codec->extradata;
    int channels = codec->ch_layout.nb_channels;
    *sound = (struct copyable_sound){.time_base = fraction_of(stream->time_base),
                                     .rate = codec->sample_rate,
                                     .block = SOUND_BLOCK,
                                     .average_bps = as_it_is(stages) ? 0 : SOUND_BPS_MAX};
    bool low = codec->codec_id == AV_CODEC_ID_AAC && codec->profile == FF_PROFILE_AAC_LOW &&
               codec->frame_size == SOUND_BLOCK && codec->extradata_size >= 2 &&
               config[0] >> 3 == 2;
    if (!low || (codec->sample_rate != 48000 && codec->sample_rate != 44100))
        sound->why = "it is not AAC-LC at a usual rate";
    else if (channels < 1 || channels > 2 || (config[1] >> 3 & 15) != channels)
        sound->why = "it is neither mono nor stereo";
}

static bool is_whole(const AVPacket *packet)
{
    return !(packet->flags & (AV_PKT_FLAG_DISCARD | AV_PKT_FLAG_CORRUPT)) && packet->size > 0 &&
           !av_packet_get_side_data(packet, AV_PKT_DATA_NEW_EXTRADATA, NULL) &&
           !av_packet_get_side_data(packet, AV_PKT_DATA_PARAM_CHANGE, NULL);
}

static int64_t take_picture(const struct stages *stages, struct copyable *copyable,
                            const AVPacket *packet, bool *idr)
{
    const AVCodecParameters *codec = stream_of(stages, stages->probe.video)->codecpar;
    enum h264_picture kind = h264_picture(packet->data, (size_t)packet->size, codec->extradata,
                                          (size_t)codec->extradata_size);
    if (!is_whole(packet) || kind == H264_BROKEN || kind == H264_NEW) {
        copyable->why = kind == H264_NEW ? "its parameters change" : "a picture is broken";
        return -1;
    }
    *idr = kind == H264_IDR;
    const struct copy_picture picture = {packet->pts, packet->dts, packet->size, *idr};
    return copyable_take(copyable, &picture);
}

/* Blocks that end before the asset begins are the encoder's priming, as in sound.c. */
static bool is_before(const struct stages *stages, const AVPacket *packet)
{
    const AVStream *stream = stream_of(stages, stages->probe.audio);
    int64_t end =
        packet->pts + av_rescale_q(SOUND_BLOCK, (AVRational){1, stream->codecpar->sample_rate},
                                   stream->time_base);
    return packet->pts != AV_NOPTS_VALUE &&
           av_compare_ts(end, stream->time_base, stages->probe.start_us, AV_TIME_BASE_Q) <= 0;
}

static int scan(struct stages *stages, struct err *err)
{
    CLEANUP(packet_free_at) AVPacket *packet = libav_packet();
    struct copy *copy = &stages->copy;
    int more = 1;
    bool idr;
    while (!copy->picture.why && (more = input_read(stages->input, packet, err)) > 0) {
        if (packet->stream_index == stages->probe.video)
            take_picture(stages, &copy->picture, packet, &idr);
        else if (packet->stream_index == stages->probe.audio && !is_before(stages, packet)) {
            if (packet->flags & (AV_PKT_FLAG_CORRUPT | AV_PKT_FLAG_DISCARD))
                copy->sound.why = "a block is broken or not to be heard";
            copyable_sound_take(&copy->sound, packet->pts, packet->size);
        }
        av_packet_unref(packet);
    }
    if (watch_stopped(stages->job->watch))
        return input_stopped(err);
    if (!copy->picture.why && more < 0)
        copy->picture.why = "it cannot be read to its end";
    *err = (struct err){0}; /* whoever encodes finds the error again */
    copyable_finish(&copy->picture);
    copyable_sound_finish(&copy->sound);
    return 0;
}

static int open_anew(struct stages *stages, struct err *err)
{
    input_free(stages->input);
    stages->input = NULL;
    return input_open(&stages->input, stages->job->source, stages->job->watch, err);
}

/* One rendition as large as the source. */
static void make_only(struct ladder *ladder, int64_t width, int64_t height)
{
    ladder->len = 1;
    ladder->at[0].width = (int)width;
    ladder->at[0].height = (int)height;
}

int copy_plan(struct stages *stages, struct err *err)
{
    struct copy *copy = &stages->copy;
    int64_t width = 0, height = 0;
    if (as_it_is(stages))
        stages->ladder.len = 1;
    copy->why = stages->job->params.renditions == RENDITIONS_ENCODED
                    ? "that was asked for"
                    : check_stream(stages, &width, &height);
    if (copy->why)
        return 0;
    set_limits(stages);
    if (promises_too_much(stages)) {
        copy->why = "its bit rate is too high";
        return 0;
    }
    check_sound(stages);
    if (scan(stages, err) < 0 || open_anew(stages, err) < 0)
        return -1;
    copy->why = copy->picture.why;
    copy->pictures = !copy->why;
    copy->sounds = copy->pictures && !copy->sound.why;
    copy->again = (struct copyable){.rate = copy->picture.rate,
                                    .time_base = copy->picture.time_base,
                                    .limits = copy->picture.limits};
    if (copy->pictures && as_it_is(stages))
        make_only(&stages->ladder, width, height);
    return 0;
}

static int64_t start_us(const struct stages *stages)
{
    AVRational time_base = stream_of(stages, stages->probe.video)->time_base;
    int64_t at_us = av_rescale_q(stages->copy.picture.origin, time_base, AV_TIME_BASE_Q);
    return stages->delay_us + FFMAX(0, at_us - stages->probe.start_us);
}

int copy_open_pictures(struct stages *stages, struct err *err)
{
    struct video *video = &stages->videos[0];
    const AVStream *stream = stream_of(stages, stages->probe.video);
    AVCodecContext *codec = avcodec_alloc_context3(NULL);
    if (!codec || avcodec_parameters_to_context(codec, stream->codecpar) < 0)
        abort();
    codec->codec_tag = 0;
    codec->time_base = av_inv_q(stages->rate);
    codec->framerate = stages->rate;
    codec->sample_aspect_ratio = (AVRational){1, 1};
    video->encoder = codec;
    video->copied = true;
    stages->start_us = start_us(stages);
    return segmenter_open(&video->segmenter, video->dir, codec, stages->start_us, err);
}

int copy_refute(struct stages *stages, const char *why, struct err *err)
{
    stages->copy.refuted = true;
    return err_set(err, ERR_INTERNAL, "it cannot be copied after all: %s", why);
}

static int write_picture(struct stages *stages, AVPacket *packet, struct err *err)
{
    struct copy *copy = &stages->copy;
    int64_t number = copy->again.frames;
    bool idr;
    int64_t frame = take_picture(stages, &copy->again, packet, &idr);
    if (frame < 0)
        return copy_refute(stages, copy->again.why, err);
    enum cut cut = CUT_NONE;
    if (idr && grid_at(&stages->grid, frame) == CUT_SEGMENT)
        cut = CUT_SEGMENT;
    else if (idr && (double)(frame - copy->fragment) >= fragment_s * av_q2d(stages->rate))
        cut = CUT_FRAGMENT;
    if (cut != CUT_NONE)
        copy->fragment = frame;
    packet->pts = frame;
    packet->dts = number - copy->picture.reorder;
    packet->duration = 1;
    packet->flags = idr ? AV_PKT_FLAG_KEY : 0;
    return segmenter_write(&stages->videos[0].segmenter, packet, cut, err);
}

static int write_sound(struct stages *stages, AVPacket *packet, struct err *err)
{
    struct sound *sound = &stages->sound;
    if (is_before(stages, packet))
        return 0;
    if (!sound->encoder &&
        sound_open_copy(sound, stream_of(stages, packet->stream_index), packet->pts, err) < 0)
        return -1;
    return sound_copy(sound, packet, err);
}

int copy_write(struct stages *stages, AVPacket *packet, struct err *err)
{
    const struct copy *copy = &stages->copy;
    if (copy->pictures && packet->stream_index == stages->probe.video)
        return write_picture(stages, packet, err);
    if (copy->sounds && packet->stream_index == stages->probe.audio)
        return write_sound(stages, packet, err);
    return 0;
}

int copy_finish(struct stages *stages, struct err *err)
{
    struct copy *copy = &stages->copy;
    if (!copy->pictures)
        return 0;
    bool same = copyable_finish(&copy->again) == 0 && copy->again.frames == copy->picture.frames &&
                copy->again.bytes == copy->picture.bytes &&
                copy->again.reorder == copy->picture.reorder;
    if (copy->sounds)
        same &= stages->sound.taken == copy->sound.blocks * copy->sound.block;
    if (!same)
        return copy_refute(stages, "it reads differently a second time", err);
    return segmenter_finish(&stages->videos[0].segmenter, err);
}

void copy_release(struct copy *copy)
{
    copyable_release(&copy->picture);
    copyable_release(&copy->again);
}
