/* Opening and reading media files with libavformat under whitelists and limits (facts: security 4).
 */
#include "worker/media/input.h"

enum { STREAMS_MAX = 16, READ_ERRORS_MAX = 64, PROBE_PACKETS_MAX = 4096 };

/* Containers a user may bring. Nothing that reads other files (hls, dash, concat, image patterns)
 * or runs scripts. */
static const char formats[] =
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,m4v,h264,hevc,flv,"
    "asf,ogg,mp3,wav,flac,aac,ac3,eac3,aiff,w64,caf,amr,ivf,mxf,dv,rm";

bool watch_stopped(const struct watch *watch)
{
    return watch && watch->stopped && watch->stopped(watch->arg);
}

static int interrupted(void *watch)
{
    return watch_stopped(watch);
}

int input_stopped(struct err *err)
{
    return err_set(err, ERR_CANCELLED, "stopped");
}

static int open_error(const struct input *input, int averror, struct err *err)
{
    if (watch_stopped(input->watch))
        return input_stopped(err);
    /* With a whitelist libav answers EINVAL for a container that it knows and we do not allow. */
    if (averror == AVERROR(EINVAL) || averror == AVERROR_DEMUXER_NOT_FOUND)
        return err_set(err, ERR_UNSUPPORTED_MEDIA, "not a container that is accepted here");
    return libav_error(err, ERR_CORRUPT_MEDIA, averror, "open the media file");
}

static int check_streams(const struct input *input, struct err *err)
{
    if (input->format->nb_streams > STREAMS_MAX)
        return err_set(err, ERR_TOO_MANY_STREAMS, "%u streams, at most %d are accepted",
                       input->format->nb_streams, STREAMS_MAX);
    return 0;
}

/* Opens the file and finds out what it is; libav's own way would not tell a page of text from a
 * broken film. */
static int open_file(struct input *input, const char *path, const AVInputFormat **format,
                     struct err *err)
{
    CLEANUP(dict_free_at) AVDictionary *dict = NULL;
    char url[4096];
    /* "file:" keeps a name with a colon from being read as a protocol. */
    if ((size_t)snprintf(url, sizeof url, "file:%s", path) >= sizeof url)
        return err_set(err, ERR_INTERNAL, "the path of the media file is too long");
    av_dict_set(&dict, "protocol_whitelist", "file", 0);
    int averror =
        avio_open2(&input->file, url, AVIO_FLAG_READ, &input->format->interrupt_callback, &dict);
    if (averror < 0)
        return err_errno(err, AVUNERROR(averror), "open the media file");
    /* No name is given: the extension is the user's, and not to be believed. */
    averror = av_probe_input_buffer2(input->file, format, NULL, NULL, 0, 0);
    return averror < 0 ? err_set(err, ERR_UNSUPPORTED_MEDIA, "not a media file") : 0;
}

static AVDictionary *options(void)
{
    AVDictionary *dict = NULL;
    av_dict_set(&dict, "protocol_whitelist", "file", 0);
    av_dict_set(&dict, "format_whitelist", formats, 0);
    av_dict_set(&dict, "probesize", "5000000", 0);
    av_dict_set(&dict, "analyzeduration", "5000000", 0);
    av_dict_set_int(&dict, "max_probe_packets", PROBE_PACKETS_MAX, 0);
    return dict;
}

int input_open(struct input **out, const char *path, const struct watch *watch, struct err *err)
{
    CLEANUP(dict_free_at) AVDictionary *dict = options();
    CLEANUP(input_free_at) struct input *input = calloc(1, sizeof *input);
    const AVInputFormat *format = NULL;
    if (!input || !(input->format = avformat_alloc_context()))
        abort();
    input->watch = watch;
    input->format->interrupt_callback = (AVIOInterruptCB){interrupted, (void *)watch};
    if (open_file(input, path, &format, err) < 0)
        return -1;
    input->format->pb = input->file;
    /* Frees the context when it fails. */
    int averror = avformat_open_input(&input->format, NULL, format, &dict);
    if (averror < 0)
        return open_error(input, averror, err);
    if (check_streams(input, err) < 0)
        return -1;
    averror = avformat_find_stream_info(input->format, NULL);
    if (averror < 0)
        return open_error(input, averror, err);
    if (check_streams(input, err) < 0)
        return -1;
    *out = TAKE(input);
    return 0;
}

void input_free(struct input *input)
{
    if (!input)
        return;
    avformat_close_input(&input->format); /* leaves a file alone that it did not open */
    avio_closep(&input->file);
    free(input);
}

static int check_packet(const struct input *input, const AVPacket *packet, struct err *err)
{
    if (av_packet_get_side_data(packet, AV_PKT_DATA_ENCRYPTION_INFO, NULL))
        return err_set(err, ERR_ENCRYPTED_MEDIA, "stream %d is encrypted", packet->stream_index);
    return check_streams(input, err);
}

int input_read(struct input *input, AVPacket *packet, struct err *err)
{
    for (int errors = 0; errors < READ_ERRORS_MAX; errors++) {
        if (watch_stopped(input->watch))
            return input_stopped(err);
        int averror = av_read_frame(input->format, packet);
        if (averror >= 0)
            return check_packet(input, packet, err) < 0 ? -1 : 1;
        if (averror == AVERROR_EOF)
            return 0;
        if (averror != AVERROR_INVALIDDATA && averror != AVERROR(EAGAIN))
            return watch_stopped(input->watch)
                       ? input_stopped(err)
                       : libav_error(err, ERR_CORRUPT_MEDIA, averror, "read the media file");
    }
    return err_set(err, ERR_CORRUPT_MEDIA, "too many unreadable packets in a row");
}
