/* Which streams of packets may be a rendition as they are, and how they are cut. */
#include "worker/transcode/copyable.h"

#include "check.h"

enum { TICKS = 512, GOP = 50 }; /* of a frame at 25 Hz in 1/12800 s */

static struct copyable fresh(void)
{
    return (struct copyable){.rate = {25, 1},
                             .time_base = {1, 12800},
                             .limits = {.segment_frames = 161, .idr_frames = 161}};
}

static int64_t take(struct copyable *copyable, int64_t frame, bool idr)
{
    int64_t number = copyable->frames;
    const struct copy_picture picture = {
        .pts = 1000 + frame * TICKS, .dts = 1000 + (number - 2) * TICKS, .bytes = 1000, .idr = idr};
    return copyable_take(copyable, &picture);
}

/* A group in x264's order: I P B B P B B …, if its length is 1 more than a multiple of 3. */
static void take_group(struct copyable *copyable, int64_t first, int64_t len)
{
    CHECK_INT(take(copyable, first, true), first);
    int64_t next = first + 1, end = first + len;
    for (; next + 3 <= end; next += 3) {
        CHECK_INT(take(copyable, next + 2, false), next + 2);
        CHECK_INT(take(copyable, next, false), next);
        CHECK_INT(take(copyable, next + 1, false), next + 1);
    }
    for (; next < end; next++)
        CHECK_INT(take(copyable, next, false), next);
}

static void refused(struct copyable *copyable, const char *why)
{
    copyable_finish(copyable);
    CHECK_STR(copyable->why, why);
    copyable_release(copyable);
}

static void usual(void)
{
    struct copyable copyable = fresh();
    for (int i = 0; i < 10; i++)
        take_group(&copyable, i * GOP, GOP);
    CHECK_INT(copyable_finish(&copyable), 0);
    CHECK(!copyable.why);
    CHECK_INT(copyable.frames, 500);
    CHECK_INT(copyable.bytes, 500000);
    CHECK_INT(copyable.reorder, 1);
    CHECK_INT(copyable.starts_len, 4); /* three groups of 2 s each, and the last one */
    CHECK_INT(copyable.starts[1], 150);
    CHECK_INT(copyable.starts[3], 450);
    copyable_release(&copyable);
}

/* A segment ends with the last key frame that keeps it short enough. */
static void irregular_key_frames(void)
{
    static const int64_t lens[] = {150, 10, 10, 155, 1, 161, 30};
    static const int64_t starts[] = {0, 160, 170, 326, 487};
    struct copyable copyable = fresh();
    int64_t at = 0;
    for (size_t i = 0; i < sizeof lens / sizeof lens[0]; at += lens[i++])
        take_group(&copyable, at, lens[i]);
    CHECK_INT(copyable_finish(&copyable), 0);
    CHECK_INT(copyable.starts_len, 5);
    for (size_t i = 0; i < 5; i++)
        CHECK_INT(copyable.starts[i], starts[i]);
    copyable_release(&copyable);
}

static void key_frames_too_far_apart(void)
{
    struct copyable strict = fresh(), tolerant = fresh();
    take_group(&strict, 0, 50);
    take_group(&strict, 50, 160);
    CHECK_INT(take(&strict, 210, false), 210);
    CHECK_INT(take(&strict, 211, false), -1); /* nobody has to read on to know */
    refused(&strict, "its key frames are too far apart");
    tolerant.limits.idr_frames = 300;
    take_group(&tolerant, 0, 250);
    take_group(&tolerant, 250, 250);
    take_group(&tolerant, 500, 50);
    CHECK_INT(copyable_finish(&tolerant), 0);
    CHECK_INT(tolerant.starts_len, 3);
    copyable_release(&tolerant);
}

static void broken_groups(void)
{
    struct copyable late = fresh(), open = fresh(), missing = fresh(), twice = fresh();
    take(&late, 0, false);
    refused(&late, "it does not begin with a key frame");
    take_group(&open, 0, 10);
    take(&open, 12, true); /* 10 and 11 are shown before it and decoded after it */
    refused(&open, "pictures are missing, or shown across a key frame");
    take_group(&missing, 0, 10);
    take(&missing, 11, false);
    refused(&missing, "pictures are missing, or shown across a key frame");
    take_group(&twice, 0, 10);
    take(&twice, 9, false);
    refused(&twice, "pictures are shown at the same time, or before their key frame");
}

static void wrong_times(void)
{
    struct copyable variable = fresh(), missing = fresh(), falling = fresh(), early = fresh();
    take(&variable, 0, true);
    CHECK_INT(copyable_take(&variable, &(struct copy_picture){1000 + TICKS * 5 / 4, 0, 1, false}),
              -1);
    refused(&variable, "its frame rate is not constant");
    CHECK_INT(copyable_take(&missing, &(struct copy_picture){INT64_MIN, 0, 1, true}), -1);
    refused(&missing, "times are missing or wrong");
    take(&falling, 0, true);
    CHECK_INT(copyable_take(&falling, &(struct copy_picture){1000 + TICKS, -5000, 1, false}), -1);
    refused(&falling, "decoding times do not rise");
    CHECK_INT(copyable_take(&early, &(struct copy_picture){0, 1, 1, true}), -1);
    refused(&early, "times are missing or wrong");
}

static void no_decoding_times(void)
{
    struct copyable copyable = fresh();
    for (int64_t i = 0; i < 100; i++)
        CHECK_INT(
            copyable_take(&copyable, &(struct copy_picture){i * TICKS, INT64_MIN, 1, i % GOP == 0}),
            i);
    CHECK_INT(copyable_finish(&copyable), 0);
    copyable_release(&copyable);
}

/* Matroska rounds to milliseconds; a rate that is nearly the right one drifts away. */
static void rounded_times(void)
{
    struct copyable rounded = {.rate = {30000, 1001},
                               .time_base = {1, 1000},
                               .limits = {.segment_frames = 192, .idr_frames = 192}};
    struct copyable drifting = rounded;
    for (int64_t i = 0; i < 1000; i++)
        CHECK_INT(copyable_take(&rounded,
                                &(struct copy_picture){(i * 1001 + 15) / 30, i, 1, i % 60 == 0}),
                  i);
    CHECK_INT(copyable_finish(&rounded), 0);
    copyable_release(&rounded);
    for (int64_t i = 0; i < 1000; i++)
        copyable_take(&drifting, &(struct copy_picture){(i * 1000 + 15) / 30, i, 1, i % 60 == 0});
    refused(&drifting, "its frame rate is not constant");
}

static void rates(void)
{
    struct copyable average = fresh(), peak = fresh(), any = fresh();
    average.limits.average_bps = 199999; /* 1000 bytes 25 times a second */
    take_group(&average, 0, 100);
    refused(&average, "its bit rate is too high");
    average = fresh();
    average.limits.average_bps = average.limits.peak_bps = 200001;
    take_group(&average, 0, 100);
    CHECK_INT(copyable_finish(&average), 0);
    copyable_release(&average);
    peak.limits.peak_bps = 200001;
    take_group(&peak, 0, 100);
    CHECK_INT(
        copyable_take(&peak, &(struct copy_picture){1000 + 100 * TICKS, 100 * TICKS, 60000, true}),
        100);
    for (int64_t i = 101; i < 150; i++)
        take(&peak, i, false);
    refused(&peak, "its peak rate is too high");
    take_group(&any, 0, 100);
    CHECK_INT(copyable_finish(&any), 0);
    copyable_release(&any);
}

static void nothing(void)
{
    struct copyable copyable = fresh();
    refused(&copyable, "there are no pictures");
}

static struct copyable_sound fresh_sound(void)
{
    return (struct copyable_sound){.time_base = {1, 48000}, .rate = 48000, .block = 1024};
}

static void sound(void)
{
    struct copyable_sound good = fresh_sound(), hole = fresh_sound(), loud = fresh_sound();
    for (int64_t i = 0; i < 100; i++)
        CHECK_INT(copyable_sound_take(&good, i * 1024 - 10, 300), 0);
    CHECK_INT(copyable_sound_finish(&good), 0);
    copyable_sound_take(&hole, 0, 300);
    copyable_sound_take(&hole, 3 * 1024, 300);
    CHECK_INT(copyable_sound_finish(&hole), -1);
    CHECK_STR(hole.why, "it has holes or overlaps");
    loud.average_bps = 100000;
    copyable_sound_take(&loud, 0, 300);
    CHECK_INT(copyable_sound_finish(&loud), -1);
    CHECK_STR(loud.why, "its bit rate is too high");
    loud = fresh_sound();
    CHECK_INT(copyable_sound_finish(&loud), -1);
    CHECK_STR(loud.why, "there is no sound");
}

int main(void)
{
    RUN(usual);
    RUN(irregular_key_frames);
    RUN(key_frames_too_far_apart);
    RUN(broken_groups);
    RUN(wrong_times);
    RUN(no_decoding_times);
    RUN(rounded_times);
    RUN(rates);
    RUN(nothing);
    RUN(sound);
    return 0;
}
