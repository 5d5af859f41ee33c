/* Rate and ladder first, then whether the source may be the first rendition, then the grid that
 * follows from it. */
#include "worker/transcode/plan.h"

#include <math.h>

/* The same for all renditions: regular, or as a copied one's key frames lie. */
static void make_grid(struct stages *stages)
{
    const struct transcode_params *params = &stages->job->params;
    int64_t gop_s = params->gop_s ? params->gop_s : GOP_S;
    int64_t segment_s = params->segment_s ? params->segment_s : SEGMENT_S;
    int64_t gops = segment_s > gop_s ? segment_s / gop_s : 1;
    int64_t gop_frames = lround((double)gop_s * av_q2d(stages->rate));
    stages->grid = (struct grid){.gop_frames = gop_frames, .segment_frames = gop_frames * gops};
    stages->segment_s = (double)stages->grid.segment_frames / av_q2d(stages->rate);
    if (stages->copy.pictures) {
        stages->grid.starts = stages->copy.picture.starts;
        stages->grid.len = stages->copy.picture.starts_len;
    }
}

int plan_pictures(struct stages *stages, struct err *err)
{
    const struct probe *probe = &stages->probe;
    struct fraction rate =
        cadence_rate((struct fraction){probe->rate.num, probe->rate.den},
                     (struct fraction){probe->base_rate.num, probe->base_rate.den});
    stages->rate = (AVRational){rate.num, rate.den};
    ladder_build(probe->width, probe->height, &stages->ladder);
    if (copy_plan(stages, err) < 0)
        return -1;
    int64_t delay = VIDEO_DELAY_FRAMES;
    if (stages->copy.pictures)
        delay = FFMAX(delay, stages->copy.picture.reorder);
    stages->encoded_from = stages->copy.pictures;
    stages->delay_us = av_rescale_q(delay, av_inv_q(stages->rate), AV_TIME_BASE_Q);
    make_grid(stages);
    return 0;
}
