/* libswscale for one step of the cascade. */
#include "worker/transcode/scaler.h"

#include <libavutil/imgutils.h>
#include <libswscale/swscale.h>

enum { ALIGNMENT = 64 };

void scaler_release(struct scaler *scaler)
{
    sws_freeContext(scaler->sws);
    av_buffer_pool_uninit(&scaler->pool);
    scaler->sws = NULL;
}

static int prepare(struct scaler *scaler, const AVFrame *from, struct err *err)
{
    int size =
        av_image_get_buffer_size(AV_PIX_FMT_YUV420P, scaler->width, scaler->height, ALIGNMENT);
    scaler->sws = sws_getContext(from->width, from->height, AV_PIX_FMT_YUV420P, scaler->width,
                                 scaler->height, AV_PIX_FMT_YUV420P, SWS_BICUBIC, NULL, NULL, NULL);
    /* x264's assembly reads a little past the last line. */
    scaler->pool = size > 0 ? av_buffer_pool_init((size_t)size + ALIGNMENT, NULL) : NULL;
    if (!scaler->sws || !scaler->pool)
        return err_set(err, ERR_INTERNAL, "cannot scale %dx%d to %dx%d", from->width, from->height,
                       scaler->width, scaler->height);
    return 0;
}

static AVFrame *blank(const struct scaler *scaler)
{
    AVFrame *frame = libav_frame();
    frame->format = AV_PIX_FMT_YUV420P;
    frame->width = scaler->width;
    frame->height = scaler->height;
    frame->buf[0] = av_buffer_pool_get(scaler->pool);
    if (!frame->buf[0])
        abort();
    av_image_fill_arrays(frame->data, frame->linesize, frame->buf[0]->data, AV_PIX_FMT_YUV420P,
                         scaler->width, scaler->height, ALIGNMENT);
    return frame;
}

int scaler_scale(struct scaler *scaler, const AVFrame *from, AVFrame **out, struct err *err)
{
    CLEANUP(frame_free_at) AVFrame *frame = NULL;
    if (from->width == scaler->width && from->height == scaler->height) {
        if (!(*out = av_frame_clone(from)))
            abort();
        return 0;
    }
    if (!scaler->sws && prepare(scaler, from, err) < 0)
        return -1;
    frame = blank(scaler);
    av_frame_copy_props(frame, from);
    int averror = sws_scale(scaler->sws, (const uint8_t *const *)from->data, from->linesize, 0,
                            from->height, frame->data, frame->linesize);
    if (averror < 0)
        return libav_error(err, ERR_INTERNAL, averror, "scale");
    *out = TAKE(frame);
    return 0;
}
