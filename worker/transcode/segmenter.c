/* libavformat's mp4 muxer in fragments of our choosing, its bytes collected in memory and written
 * file by file. */
#include "worker/transcode/segmenter.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/file_write.h"
#include "worker/transcode/fragment.h"

enum { IO_BUFFER = 64 * 1024, FRAGMENT_MAX = 256 << 20, PATH_ROOM = 4096 };

static const AVRational microseconds = {1, AV_TIME_BASE};

/* The muxer's output callback: collects. A fragment is at most one GOP of a rate-controlled stream.
 */
static int collect(void *opaque, uint8_t *bytes, int len)
{
    struct segmenter *segmenter = opaque;
    size_t need = segmenter->fragment_len + (size_t)len;
    if (need > FRAGMENT_MAX)
        return AVERROR(ENOSPC);
    if (need > segmenter->fragment_room) {
        size_t room = need * 2;
        uint8_t *grown = realloc(segmenter->fragment, room);
        if (!grown)
            abort();
        segmenter->fragment = grown;
        segmenter->fragment_room = room;
    }
    memcpy(segmenter->fragment + segmenter->fragment_len, bytes, (size_t)len);
    segmenter->fragment_len = need;
    return len;
}

static bool path_of(const struct segmenter *segmenter, const char *name, char path[PATH_ROOM])
{
    return snprintf(path, PATH_ROOM, "%s/%s", segmenter->dir, name) < PATH_ROOM;
}

static int create(const struct segmenter *segmenter, const char *name, struct err *err)
{
    char path[PATH_ROOM];
    if (!path_of(segmenter, name, path))
        return err_set(err, ERR_INTERNAL, "the path of a segment is too long");
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    return fd < 0 ? err_errno(err, errno, "create %s", name) : fd;
}

static int write_init(struct segmenter *segmenter, struct err *err)
{
    CLEANUP(close_at) int fd = create(segmenter, "init.mp4", err);
    if (fd < 0 ||
        file_write(fd, segmenter->fragment, segmenter->fragment_len, "write a segment", err) < 0)
        return -1;
    segmenter->files++;
    segmenter->bytes += (int64_t)segmenter->fragment_len;
    segmenter->fragment_len = 0;
    return 0;
}

static int open_muxer(struct segmenter *segmenter, const AVCodecContext *codec, struct err *err)
{
    CLEANUP(dict_free_at) AVDictionary *options = NULL;
    /* No edit lists and no negative composition offsets: players disagree about both. frag_discont
     * keeps the first time, which the muxer would else call zero. */
    av_dict_set(&options, "movflags",
                "frag_custom+frag_discont+empty_moov+default_base_moof+skip_trailer", 0);
    av_dict_set(&options, "use_editlist", "0", 0);
    av_dict_set(&options, "brand", "cmfc", 0);
    int averror = avformat_alloc_output_context2(&segmenter->format, NULL, "mp4", NULL);
    if (averror < 0)
        return libav_error(err, ERR_INTERNAL, averror, "open the muxer");
    AVFormatContext *format = segmenter->format;
    unsigned char *buffer = av_malloc(IO_BUFFER);
    format->pb =
        buffer ? avio_alloc_context(buffer, IO_BUFFER, 1, segmenter, NULL, collect, NULL) : NULL;
    AVStream *stream = avformat_new_stream(format, NULL);
    if (!format->pb || !stream || avcodec_parameters_from_context(stream->codecpar, codec) < 0)
        abort();
    format->pb->seekable = 0;
    format->flags |= AVFMT_FLAG_CUSTOM_IO | AVFMT_FLAG_BITEXACT;
    format->avoid_negative_ts = AVFMT_AVOID_NEG_TS_DISABLED;
    stream->time_base = codec->time_base;
    stream->avg_frame_rate = codec->framerate;
    averror = avformat_write_header(format, &options);
    avio_flush(format->pb);
    return averror < 0 ? libav_error(err, ERR_INTERNAL, averror, "write the init file") : 0;
}

int segmenter_open(struct segmenter *out, const char *dir, const AVCodecContext *codec,
                   int64_t start_us, struct err *err)
{
    *out = (struct segmenter){
        .dir = dir, .fd = -1, .time_base = codec->time_base, .start_us = start_us};
    out->ticks_s = av_q2d(codec->time_base);
    if (open_muxer(out, codec, err) < 0 || write_init(out, err) < 0) {
        segmenter_release(out);
        return -1;
    }
    return 0;
}

void segmenter_release(struct segmenter *segmenter)
{
    if (segmenter->format) {
        if (segmenter->format->pb)
            av_freep(&segmenter->format->pb->buffer);
        avio_context_free(&segmenter->format->pb);
        avformat_free_context(segmenter->format);
        if (segmenter->fd >= 0)
            close(segmenter->fd);
    }
    free(segmenter->fragment);
    arena_release(&segmenter->arena);
    *segmenter = (struct segmenter){.fd = -1};
}

/* The list twice as large; the old one stays in the arena until the end, which costs as much again
 * at most. */
static void *grown(struct arena *arena, void *at, size_t len, size_t *room, size_t size)
{
    if (len < *room)
        return at;
    *room = *room ? *room * 2 : 64;
    void *larger = arena_alloc_array(arena, *room, size);
    if (len > 0)
        memcpy(larger, at, len * size);
    return larger;
}

static struct segment *last_segment(struct segmenter *segmenter)
{
    return &segmenter->segments.at[segmenter->segments.len - 1];
}

static int flush(struct segmenter *segmenter, struct err *err)
{
    int averror = av_write_frame(segmenter->format, NULL);
    avio_flush(segmenter->format->pb);
    if (averror < 0)
        return libav_error(err, ERR_INTERNAL, averror, "write a fragment");
    if (segmenter->fragment_len == 0)
        return 0;
    struct segment *segment = last_segment(segmenter);
    if (segmenter->iframes.len > 0) {
        struct iframe *iframe = &segmenter->iframes.at[segmenter->iframes.len - 1];
        struct fragment_range range;
        if (fragment_first_sample(segmenter->fragment, segmenter->fragment_len, &range, err) < 0)
            return -1;
        iframe->offset = segment->bytes + (int64_t)range.start;
        iframe->bytes = (int64_t)(range.end - range.start);
    }
    if (file_write(segmenter->fd, segmenter->fragment, segmenter->fragment_len, "write a segment",
                   err) < 0)
        return -1;
    segment->bytes += (int64_t)segmenter->fragment_len;
    segmenter->bytes += (int64_t)segmenter->fragment_len;
    segmenter->fragment_len = 0;
    return 0;
}

static int close_segment(struct segmenter *segmenter, struct err *err)
{
    int fd = segmenter->fd;
    segmenter->fd = -1;
    if (fd >= 0 && close(fd) < 0)
        return err_errno(err, errno, "close a segment");
    return 0;
}

static int begin_segment(struct segmenter *segmenter, struct err *err)
{
    char name[32];
    struct segments *list = &segmenter->segments;
    if (close_segment(segmenter, err) < 0)
        return -1;
    list->at = grown(&segmenter->arena, list->at, list->len, &list->room, sizeof *list->at);
    list->at[list->len++] = (struct segment){0};
    snprintf(name, sizeof name, "seg-%05zu.m4s", list->len);
    segmenter->fd = create(segmenter, name, err);
    segmenter->files++;
    return segmenter->fd < 0 ? -1 : 0;
}

static void begin_iframe(struct segmenter *segmenter)
{
    struct iframes *list = &segmenter->iframes;
    list->at = grown(&segmenter->arena, list->at, list->len, &list->room, sizeof *list->at);
    list->at[list->len++] = (struct iframe){.segment = segmenter->segments.len - 1};
}

static void rescale(const struct segmenter *segmenter, AVPacket *packet)
{
    AVRational to = segmenter->format->streams[0]->time_base;
    int64_t shift = av_rescale_q(segmenter->start_us, microseconds, to);
    av_packet_rescale_ts(packet, segmenter->time_base, to);
    packet->pts += shift;
    packet->dts += shift;
    packet->stream_index = 0;
}

int segmenter_write(struct segmenter *segmenter, AVPacket *packet, enum cut cut, struct err *err)
{
    bool video = segmenter->format->streams[0]->codecpar->codec_type == AVMEDIA_TYPE_VIDEO;
    bool first = segmenter->segments.len == 0;
    if (!first && cut != CUT_NONE && flush(segmenter, err) < 0)
        return -1;
    if ((first || cut == CUT_SEGMENT) && begin_segment(segmenter, err) < 0)
        return -1;
    if (video && (first || cut != CUT_NONE))
        begin_iframe(segmenter);
    double duration_s = (double)packet->duration * segmenter->ticks_s;
    last_segment(segmenter)->duration_s += duration_s;
    if (video)
        segmenter->iframes.at[segmenter->iframes.len - 1].duration_s += duration_s;
    rescale(segmenter, packet);
    int averror = av_write_frame(segmenter->format, packet);
    return averror < 0 ? libav_error(err, ERR_INTERNAL, averror, "write a packet") : 0;
}

int segmenter_finish(struct segmenter *segmenter, struct err *err)
{
    if (segmenter->segments.len == 0)
        return err_set(err, ERR_NO_FRAMES, "the stream has no frame");
    if (flush(segmenter, err) < 0 || close_segment(segmenter, err) < 0)
        return -1;
    int averror = av_write_trailer(segmenter->format);
    return averror < 0 ? libav_error(err, ERR_INTERNAL, averror, "finish the stream") : 0;
}

void segmenter_discard(const struct segmenter *segmenter)
{
    char path[PATH_ROOM], name[32];
    if (segmenter->files > 0 && path_of(segmenter, "init.mp4", path))
        unlink(path);
    for (size_t i = 1; i <= segmenter->segments.len; i++) {
        snprintf(name, sizeof name, "seg-%05zu.m4s", i);
        if (path_of(segmenter, name, path))
            unlink(path);
    }
}
