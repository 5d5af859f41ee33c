/* libav's handles as scope cleanups, and its errors as ours. */
#ifndef WORKER_MEDIA_LIBAV_H
#define WORKER_MEDIA_LIBAV_H

#include <libavcodec/avcodec.h>
#include <libavfilter/avfilter.h>
#include <libavformat/avformat.h>

#include "common/cleanup.h"
#include "common/err.h"

enum {
    LIBAV_WIDTH_MAX =
        8192, /* security.md 4: 8192 x 4320 pixels, in any orientation, no side above 16384 */
    LIBAV_HEIGHT_MAX = 4320,
    LIBAV_SIDE_MAX = 16384,
};

/* Silences libav (its messages quote the input) and bounds a single allocation to 1 GiB. Once,
 * before threads start. */
void libav_open(void);
/* -1 with `code` and "what: libav's words"; no memory, no space and an interrupted wait get codes
 * of their own. */
int libav_error(struct err *err, enum error code, int averror, const char *what);
/* ERR_DIMENSIONS_TOO_LARGE unless the picture is within the limits above. */
int libav_check_size(int width, int height, struct err *err);

static inline void frame_free_at(AVFrame **frame)
{
    av_frame_free(frame);
}
static inline void packet_free_at(AVPacket **packet)
{
    av_packet_free(packet);
}
static inline void codec_free_at(AVCodecContext **codec)
{
    avcodec_free_context(codec);
}
static inline void graph_free_at(AVFilterGraph **graph)
{
    avfilter_graph_free(graph);
}
static inline void dict_free_at(AVDictionary **dict)
{
    av_dict_free(dict);
}
/* Out of memory ends the process, as everywhere (common/arena.h). */
AVFrame *libav_frame(void);
AVPacket *libav_packet(void);

#endif
