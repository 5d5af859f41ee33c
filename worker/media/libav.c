/* What every use of libav shares: silence, bounds, words for its errors. */
#include "worker/media/libav.h"

#include <libavutil/log.h>
#include <libavutil/mem.h>

enum { ALLOCATION_MAX = 1 << 30 };

void libav_open(void)
{
    av_log_set_level(AV_LOG_QUIET);
    av_max_alloc(ALLOCATION_MAX);
}

int libav_error(struct err *err, enum error code, int averror, const char *what)
{
    char words[AV_ERROR_MAX_STRING_SIZE];
    if (averror == AVERROR(ENOSPC) || averror == AVERROR(EIO))
        return err_errno(err, AVUNERROR(averror), "%s", what);
    if (averror == AVERROR(ENOMEM))
        code = ERR_INTERNAL;
    av_make_error_string(words, sizeof words, averror);
    return err_set(err, code, "%s: %s", what, words);
}

int libav_check_size(int width, int height, struct err *err)
{
    int64_t pixels = (int64_t)width * height;
    if (width > LIBAV_SIDE_MAX || height > LIBAV_SIDE_MAX ||
        pixels > (int64_t)LIBAV_WIDTH_MAX * LIBAV_HEIGHT_MAX)
        return err_set(err, ERR_DIMENSIONS_TOO_LARGE, "%dx%d is above %dx%d pixels", width, height,
                       LIBAV_WIDTH_MAX, LIBAV_HEIGHT_MAX);
    if (width <= 0 || height <= 0)
        return err_set(err, ERR_CORRUPT_MEDIA, "the picture has no size");
    return 0;
}

AVFrame *libav_frame(void)
{
    AVFrame *frame = av_frame_alloc();
    if (!frame)
        abort();
    return frame;
}

AVPacket *libav_packet(void)
{
    AVPacket *packet = av_packet_alloc();
    if (!packet)
        abort();
    return packet;
}
