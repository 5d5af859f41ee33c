/* Reads the facts of an opened file and refuses what is beyond the limits, before anything is
 * decoded. */
#include "worker/media/probe.h"

#include <ctype.h>
#include <math.h>

#include <libavutil/display.h>

static const AVRational microseconds = {1, AV_TIME_BASE};

static bool is_encrypted(const AVStream *stream)
{
    uint32_t tag = stream->codecpar->codec_tag;
    return tag == MKTAG('e', 'n', 'c', 'v') || tag == MKTAG('e', 'n', 'c', 'a') ||
           av_stream_get_side_data(stream, AV_PKT_DATA_ENCRYPTION_INIT_INFO, NULL);
}

static int best(const struct input *input, enum AVMediaType type)
{
    int index = av_find_best_stream(input->format, type, -1, -1, NULL, 0);
    if (index < 0)
        return -1;
    return input->format->streams[index]->disposition & AV_DISPOSITION_ATTACHED_PIC ? -1 : index;
}

/* The track marked as default, else the first one: av_find_best_stream would prefer the one with
 * most channels. */
static int default_audio(const struct input *input)
{
    int first = -1;
    for (unsigned i = 0; i < input->format->nb_streams; i++) {
        const AVStream *stream = input->format->streams[i];
        const AVCodecParameters *codec = stream->codecpar;
        if (codec->codec_type != AVMEDIA_TYPE_AUDIO || !avcodec_find_decoder(codec->codec_id))
            continue;
        if (stream->disposition & AV_DISPOSITION_DEFAULT)
            return (int)i;
        if (first < 0)
            first = (int)i;
    }
    return first;
}

static int cover(const struct input *input)
{
    for (unsigned i = 0; i < input->format->nb_streams; i++)
        if (input->format->streams[i]->disposition & AV_DISPOSITION_ATTACHED_PIC)
            return (int)i;
    return -1;
}

/* To the next quarter turn; a matrix that mirrors or shears counts by its rotation only. */
static int rotation_of(const AVStream *stream)
{
    const int32_t *matrix = (const int32_t *)(const void *)av_stream_get_side_data(
        stream, AV_PKT_DATA_DISPLAYMATRIX, NULL);
    double degrees = matrix ? av_display_rotation_get(matrix) : 0;
    if (isnan(degrees))
        return 0;
    int quarters = (int)lround(-degrees / 90) % 4;
    return (quarters + 4) % 4 * 90;
}

void probe_display_size(int width, int height, AVRational aspect, int rotation, int *display_width,
                        int *display_height)
{
    double ratio = aspect.num > 0 && aspect.den > 0 ? av_q2d(aspect) : 1;
    if (ratio < 0.125 || ratio > 8)
        ratio = 1;
    long wide = lround(width * ratio);
    int square = wide < 1 ? 1 : wide > LIBAV_SIDE_MAX ? LIBAV_SIDE_MAX : (int)wide;
    bool turned = rotation == 90 || rotation == 270;
    *display_width = turned ? height : square;
    *display_height = turned ? square : height;
}

static int probe_video(const struct input *input, struct probe *probe, struct err *err)
{
    AVStream *stream = input->format->streams[probe->video];
    const AVCodecParameters *codec = stream->codecpar;
    if (libav_check_size(codec->width, codec->height, err) < 0)
        return -1;
    AVRational aspect = av_guess_sample_aspect_ratio(input->format, stream, NULL);
    probe->rotation = rotation_of(stream);
    probe_display_size(codec->width, codec->height, aspect, probe->rotation, &probe->width,
                       &probe->height);
    probe->rate = av_guess_frame_rate(input->format, stream, NULL);
    probe->base_rate = stream->r_frame_rate;
    if (stream->avg_frame_rate.num > 0 && stream->avg_frame_rate.den > 0)
        probe->rate = stream->avg_frame_rate;
    return 0;
}

/* Letters and hyphens only: the tag goes into a playlist. */
static void read_language(const AVStream *stream, char *out, size_t room)
{
    const AVDictionaryEntry *tag = av_dict_get(stream->metadata, "language", NULL, 0);
    const char *text = tag ? tag->value : "";
    size_t len = strlen(text);
    bool clean = len >= 2 && len < room;
    for (size_t i = 0; clean && i < len; i++)
        clean = isalpha((unsigned char)text[i]) || (text[i] == '-' && i > 1);
    snprintf(out, room, "%s", clean ? text : "und");
}

static void probe_times(const struct input *input, struct probe *probe)
{
    int64_t start = INT64_MAX;
    const int indexes[] = {probe->video, probe->audio};
    for (int i = 0; i < 2; i++) {
        if (indexes[i] < 0)
            continue;
        const AVStream *stream = input->format->streams[indexes[i]];
        if (stream->start_time != AV_NOPTS_VALUE)
            start = FFMIN(start, av_rescale_q(stream->start_time, stream->time_base, microseconds));
        if (stream->duration > 0)
            probe->duration_us =
                FFMAX(probe->duration_us,
                      av_rescale_q(stream->duration, stream->time_base, microseconds));
    }
    probe->start_us = start == INT64_MAX ? 0 : start;
    if (probe->duration_us <= 0 && input->format->duration > 0)
        probe->duration_us = input->format->duration;
}

int probe_input(const struct input *input, struct probe *out, struct err *err)
{
    struct probe probe = {.video = best(input, AVMEDIA_TYPE_VIDEO),
                          .audio = default_audio(input),
                          .cover = cover(input)};
    for (unsigned i = 0; i < input->format->nb_streams; i++)
        if (is_encrypted(input->format->streams[i]))
            return err_set(err, ERR_ENCRYPTED_MEDIA, "stream %u is encrypted", i);
    if (probe.video < 0 && probe.audio < 0 && probe.cover < 0)
        return err_set(err, ERR_NO_VIDEO_STREAM,
                       "neither a video nor an audio stream that can be decoded");
    if (probe.video >= 0 && probe_video(input, &probe, err) < 0)
        return -1;
    if (probe.audio >= 0)
        read_language(input->format->streams[probe.audio], probe.language, sizeof probe.language);
    probe_times(input, &probe);
    if (probe.duration_us > (int64_t)PROBE_DURATION_MAX_S * AV_TIME_BASE)
        return err_set(err, ERR_DURATION_TOO_LONG, "%lld s, at most %d s are accepted",
                       (long long)(probe.duration_us / AV_TIME_BASE), PROBE_DURATION_MAX_S);
    *out = probe;
    return 0;
}
