/* Every group of pictures is whole, every picture is where a constant rate has it. */
#include "worker/transcode/copyable.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Above it doubles would no longer tell ticks apart. */
#define TICKS_MAX (INT64_C(1) << 52)
/* What containers round times by, beyond one of their ticks: Matroska's are milliseconds. */
#define ROUNDING_S 0.001
#define SOUND_ROUNDING_S 0.002

static int refuse(const char **why, const char *text)
{
    if (!*why)
        *why = text;
    return -1;
}

static double value(struct fraction fraction)
{
    return (double)fraction.num / fraction.den;
}

static bool is_time(int64_t ticks)
{
    return ticks >= -TICKS_MAX && ticks <= TICKS_MAX;
}

/* The frame at that time, -1 if no frame is there. */
static int64_t frame_at(const struct copyable *copyable, int64_t pts)
{
    double tick_s = value(copyable->time_base), rate = value(copyable->rate);
    if (pts < copyable->origin)
        return -1;
    double at_s = (double)(pts - copyable->origin) * tick_s;
    int64_t frame = llround(at_s * rate);
    double off_s = fabs(at_s - (double)frame / rate);
    return off_s <= fmin(tick_s + ROUNDING_S, 0.25 / rate) ? frame : -1;
}

static void begin_segment(struct copyable *copyable, int64_t frame)
{
    if (copyable->starts_len == copyable->starts_room) {
        copyable->starts_room = copyable->starts_room ? 2 * copyable->starts_room : 64;
        copyable->starts =
            realloc(copyable->starts, copyable->starts_room * sizeof *copyable->starts);
        if (!copyable->starts)
            abort();
    }
    copyable->starts[copyable->starts_len++] = frame;
    copyable->segment_bytes = 0;
}

static double rate_of(const struct copyable *copyable, int64_t bytes, int64_t frames)
{
    return 8 * (double)bytes * value(copyable->rate) / (double)frames;
}

static int end_segment(struct copyable *copyable, int64_t end)
{
    const struct copy_limits *limits = &copyable->limits;
    int64_t frames = end - copyable->starts[copyable->starts_len - 1];
    bool counts = limits->peak_bps > 0 && 2 * frames >= limits->segment_frames;
    if (counts && rate_of(copyable, copyable->segment_bytes, frames) > (double)limits->peak_bps)
        return refuse(&copyable->why, "its peak rate is too high");
    return 0;
}

/* A group of pictures ends before the key frame `next`: it was whole, and its segment goes on or
 * ended before it. */
static int end_group(struct copyable *copyable, int64_t next)
{
    const struct copy_limits *limits = &copyable->limits;
    int64_t start = copyable->starts[copyable->starts_len - 1];
    if (next != copyable->frames || next != copyable->shown_end)
        return refuse(&copyable->why, "pictures are missing, or shown across a key frame");
    if (next - start > limits->segment_frames && copyable->idr > start) {
        if (end_segment(copyable, copyable->idr) < 0)
            return -1;
        begin_segment(copyable, copyable->idr);
    }
    copyable->segment_bytes += copyable->gop_bytes;
    return 0;
}

static void begin_group(struct copyable *copyable, int64_t frame)
{
    copyable->idr = copyable->shown_end = frame;
    copyable->gop_bytes = 0;
    memset(copyable->seen, 0, sizeof copyable->seen);
}

static bool mark(struct copyable *copyable, int64_t frame)
{
    int64_t at = frame - copyable->idr;
    if (at < 0 || at >= COPY_IDR_FRAMES_MAX)
        return false;
    uint64_t *word = &copyable->seen[at / 64], bit = UINT64_C(1) << at % 64;
    bool first = !(*word & bit);
    *word |= bit;
    if (frame >= copyable->shown_end)
        copyable->shown_end = frame + 1;
    return first;
}

static int begin(struct copyable *copyable, const struct copy_picture *picture)
{
    if (!picture->idr)
        return refuse(&copyable->why, "it does not begin with a key frame");
    if (copyable->limits.idr_frames > COPY_IDR_FRAMES_MAX)
        copyable->limits.idr_frames = COPY_IDR_FRAMES_MAX;
    copyable->origin = picture->pts;
    begin_segment(copyable, 0);
    begin_group(copyable, 0);
    return 0;
}

/* The order tells when pictures are decoded, so that decoding times need not be there (Matroska has
 * none); those that are there must make sense. */
static int check_times(struct copyable *copyable, const struct copy_picture *picture)
{
    if (!is_time(picture->pts))
        return refuse(&copyable->why, "times are missing or wrong");
    if (!is_time(picture->dts))
        return 0;
    if (picture->pts < picture->dts)
        return refuse(&copyable->why, "times are missing or wrong");
    if (copyable->dts_known && picture->dts <= copyable->dts)
        return refuse(&copyable->why, "decoding times do not rise");
    copyable->dts_known = true;
    copyable->dts = picture->dts;
    return 0;
}

int64_t copyable_take(struct copyable *copyable, const struct copy_picture *picture)
{
    if (copyable->why)
        return -1;
    if (check_times(copyable, picture) < 0)
        return -1;
    if (copyable->frames == 0 && begin(copyable, picture) < 0)
        return -1;
    int64_t frame = frame_at(copyable, picture->pts);
    if (frame < 0)
        return refuse(&copyable->why, "its frame rate is not constant");
    if (picture->idr && copyable->frames > 0) {
        if (end_group(copyable, frame) < 0)
            return -1;
        begin_group(copyable, frame);
    }
    if (frame - copyable->idr >= copyable->limits.idr_frames)
        return refuse(&copyable->why, "its key frames are too far apart");
    if (!mark(copyable, frame))
        return refuse(&copyable->why,
                      "pictures are shown at the same time, or before their key frame");
    if (copyable->frames - frame > copyable->reorder)
        copyable->reorder = copyable->frames - frame;
    copyable->gop_bytes += picture->bytes;
    copyable->bytes += picture->bytes;
    copyable->frames++;
    return frame;
}

int copyable_finish(struct copyable *copyable)
{
    const struct copy_limits *limits = &copyable->limits;
    if (copyable->why)
        return -1;
    if (copyable->frames == 0)
        return refuse(&copyable->why, "there are no pictures");
    int64_t end = copyable->shown_end;
    if (end_group(copyable, end) < 0 || end_segment(copyable, end) < 0)
        return -1;
    if (limits->average_bps > 0 &&
        rate_of(copyable, copyable->bytes, end) > (double)limits->average_bps)
        return refuse(&copyable->why, "its bit rate is too high");
    return 0;
}

void copyable_release(struct copyable *copyable)
{
    free(copyable->starts);
    copyable->starts = NULL;
    copyable->starts_len = copyable->starts_room = 0;
}

int copyable_sound_take(struct copyable_sound *sound, int64_t pts, int64_t bytes)
{
    double tick_s = value(sound->time_base);
    if (sound->why)
        return -1;
    if (!is_time(pts))
        return refuse(&sound->why, "times are missing or wrong");
    if (sound->blocks == 0)
        sound->origin = pts;
    double at_s = (double)(pts - sound->origin) * tick_s;
    double should_s = (double)(sound->blocks * sound->block) / (double)sound->rate;
    if (fabs(at_s - should_s) > tick_s + SOUND_ROUNDING_S)
        return refuse(&sound->why, "it has holes or overlaps");
    sound->blocks++;
    sound->bytes += bytes;
    return 0;
}

int copyable_sound_finish(struct copyable_sound *sound)
{
    if (sound->why)
        return -1;
    if (sound->blocks == 0)
        return refuse(&sound->why, "there is no sound");
    double seconds = (double)(sound->blocks * sound->block) / (double)sound->rate;
    if (sound->average_bps > 0 && 8 * (double)sound->bytes / seconds > (double)sound->average_bps)
        return refuse(&sound->why, "its bit rate is too high");
    return 0;
}
