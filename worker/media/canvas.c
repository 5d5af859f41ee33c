/* The filter graph between decoder and encoders, built for the frames that come and rebuilt when
 * they change. */
#include "worker/media/canvas.h"

#include <inttypes.h>
#include <libavfilter/buffersink.h>
#include <libavfilter/buffersrc.h>
#include <libavutil/pixdesc.h>

#include "worker/media/probe.h"

void canvas_release(struct canvas *canvas)
{
    avfilter_graph_free(&canvas->graph);
}

static bool is_hdr(const AVFrame *frame)
{
    return frame->color_trc == AVCOL_TRC_SMPTE2084 || frame->color_trc == AVCOL_TRC_ARIB_STD_B67;
}

static AVRational aspect_of(const struct canvas *canvas, const AVFrame *frame)
{
    return canvas->aspect.num > 0 ? canvas->aspect : frame->sample_aspect_ratio;
}

/* Full-range and 10-bit pictures are converted although their size fits. */
static bool is_direct(const struct canvas *canvas, const AVFrame *frame)
{
    AVRational aspect = aspect_of(canvas, frame);
    return frame->format == AV_PIX_FMT_YUV420P && frame->color_range != AVCOL_RANGE_JPEG &&
           !frame->interlaced_frame && canvas->rotation == 0 && frame->width == canvas->width &&
           frame->height == canvas->height && (aspect.num == 0 || aspect.num == aspect.den) &&
           !is_hdr(frame);
}

static const char *turn(int rotation)
{
    switch (rotation) {
    case 90:
        return "transpose=clock,";
    case 180:
        return "hflip,vflip,";
    case 270:
        return "transpose=cclock,";
    default:
        return "";
    }
}

/* The largest even size of the picture's shape inside the canvas; the canvas itself for shapes that
 * nearly fit. */
static void fit(const struct canvas *canvas, const AVFrame *frame, int *width, int *height)
{
    int wide, high;
    probe_display_size(frame->width, frame->height, aspect_of(canvas, frame), canvas->rotation,
                       &wide, &high);
    int64_t by_width = (int64_t)canvas->width * high, by_height = (int64_t)canvas->height * wide;
    *width = canvas->width;
    *height = canvas->height;
    if (by_width > by_height)
        *width = FFMAX(2, (int)(by_height / high + 1) & ~1);
    else
        *height = FFMAX(2, (int)(by_width / wide + 1) & ~1);
    if (canvas->width - *width <= 4 && canvas->height - *height <= 4) {
        *width = canvas->width;
        *height = canvas->height;
    }
}

/* Scaling comes before the tone mapping, which is slow: fewer pixels. */
static void describe(const struct canvas *canvas, const AVFrame *frame, char *out, size_t room)
{
    static const char sdr[] =
        "zscale=t=linear:npl=100,format=gbrpf32le,zscale=p=bt709,tonemap=hable:desat=0,"
        "zscale=t=bt709:m=bt709:r=tv,";
    int width, height;
    fit(canvas, frame, &width, &height);
    bool turned = canvas->rotation == 90 || canvas->rotation == 270;
    bool hdr = is_hdr(frame) && avfilter_get_by_name("zscale") && avfilter_get_by_name("tonemap");
    /* The scaler works in the decoded orientation, so that fewer pixels are turned. */
    snprintf(out, room,
             "%sscale=%d:%d:flags=bicubic:out_range=tv,%s%sformat=yuv420p,pad=%d:%d:-1:-1,setsar=1",
             canvas->interlaced ? "bwdif=mode=send_frame:deint=interlaced," : "",
             turned ? height : width, turned ? width : height, hdr ? sdr : "",
             turn(canvas->rotation), canvas->width, canvas->height);
}

static int add_ends(struct canvas *canvas, const AVFrame *frame, struct err *err)
{
    char arguments[256];
    snprintf(arguments, sizeof arguments,
             "video_size=%dx%d:pix_fmt=%d:time_base=%d/%d:pixel_aspect=1/1", frame->width,
             frame->height, frame->format, canvas->time_base.num, canvas->time_base.den);
    int averror = avfilter_graph_create_filter(&canvas->from, avfilter_get_by_name("buffer"), "in",
                                               arguments, NULL, canvas->graph);
    if (averror >= 0)
        averror = avfilter_graph_create_filter(&canvas->to, avfilter_get_by_name("buffersink"),
                                               "out", NULL, NULL, canvas->graph);
    return averror < 0 ? libav_error(err, ERR_INTERNAL, averror, "filter graph") : 0;
}

static int connect(struct canvas *canvas, const char *description, struct err *err)
{
    AVFilterInOut *outputs = avfilter_inout_alloc(), *inputs = avfilter_inout_alloc();
    if (!outputs || !inputs)
        abort();
    *outputs = (AVFilterInOut){.name = av_strdup("in"), .filter_ctx = canvas->from};
    *inputs = (AVFilterInOut){.name = av_strdup("out"), .filter_ctx = canvas->to};
    int averror = avfilter_graph_parse_ptr(canvas->graph, description, &inputs, &outputs, NULL);
    if (averror >= 0)
        averror = avfilter_graph_config(canvas->graph, NULL);
    avfilter_inout_free(&outputs);
    avfilter_inout_free(&inputs);
    return averror < 0 ? libav_error(err, ERR_UNSUPPORTED_MEDIA, averror, "convert the pictures")
                       : 0;
}

static int build(struct canvas *canvas, const AVFrame *frame, struct err *err)
{
    char description[640];
    avfilter_graph_free(&canvas->graph);
    canvas->interlaced |= frame->interlaced_frame != 0;
    canvas->direct = is_direct(canvas, frame) && !canvas->interlaced;
    canvas->in_width = frame->width;
    canvas->in_height = frame->height;
    canvas->in_format = frame->format;
    if (canvas->direct)
        return 0;
    canvas->graph = avfilter_graph_alloc();
    if (!canvas->graph)
        abort();
    canvas->graph->nb_threads = canvas->threads;
    describe(canvas, frame, description, sizeof description);
    if (add_ends(canvas, frame, err) < 0)
        return -1;
    return connect(canvas, description, err);
}

static bool changed(const struct canvas *canvas, const AVFrame *frame)
{
    return frame->width != canvas->in_width || frame->height != canvas->in_height ||
           frame->format != canvas->in_format || (frame->interlaced_frame && !canvas->interlaced);
}

static int drain(struct canvas *canvas, int (*take)(void *arg, AVFrame *frame, struct err *err),
                 void *arg, struct err *err)
{
    CLEANUP(frame_free_at) AVFrame *frame = libav_frame();
    while (canvas->graph) {
        int averror = av_buffersink_get_frame(canvas->to, frame);
        if (averror == AVERROR(EAGAIN) || averror == AVERROR_EOF)
            break;
        if (averror < 0)
            return libav_error(err, ERR_CORRUPT_MEDIA, averror, "convert the pictures");
        AVRational from = av_buffersink_get_time_base(canvas->to);
        if (frame->pts != AV_NOPTS_VALUE)
            frame->pts = av_rescale_q(frame->pts, from, canvas->time_base);
        if (take(arg, frame, err) < 0)
            return -1;
        av_frame_unref(frame);
    }
    return 0;
}

static int feed(struct canvas *canvas, AVFrame *frame, struct err *err)
{
    if (!canvas->graph)
        return 0;
    if (frame)
        frame->sample_aspect_ratio = (AVRational){1, 1};
    int averror =
        av_buffersrc_add_frame_flags(canvas->from, frame, frame ? AV_BUFFERSRC_FLAG_KEEP_REF : 0);
    return averror < 0 && averror != AVERROR_EOF
               ? libav_error(err, ERR_CORRUPT_MEDIA, averror, "convert the pictures")
               : 0;
}

int canvas_send(struct canvas *canvas, AVFrame *frame,
                int (*take)(void *arg, AVFrame *frame, struct err *err), void *arg, struct err *err)
{
    bool first = !canvas->graph && !canvas->direct;
    if (frame && (first || changed(canvas, frame))) {
        if (feed(canvas, NULL, err) < 0 || drain(canvas, take, arg, err) < 0 ||
            build(canvas, frame, err) < 0)
            return -1;
    }
    if (canvas->direct)
        return frame ? take(arg, frame, err) : 0;
    if (feed(canvas, frame, err) < 0)
        return -1;
    return drain(canvas, take, arg, err);
}
