/* HLS playlists as text, from measured facts only (RFC 8216; Apple's authoring specification). */
#ifndef WORKER_TRANSCODE_PLAYLIST_H
#define WORKER_TRANSCODE_PLAYLIST_H

#include "common/arena.h"
#include "proto/transcode.h"
#include "worker/transcode/segmenter.h"

/* EXT-X-TARGETDURATION of a playlist of these segments. */
long playlist_target(const struct segments *segments);
/* Highest rate of any run of segments that lasts 0.5 to 1.5 target durations, and the mean, in bits
 * a second. */
void playlist_measure(const struct segments *segments, double target_s, int64_t *peak_bps,
                      int64_t *average_bps);
/* The same for key frames alone: each over its own duration. */
void playlist_measure_iframes(const struct iframes *iframes, int64_t *peak_bps,
                              int64_t *average_bps);

/* "index.m3u8" beside init.mp4 and the segments. */
void playlist_media(struct text *out, const struct segments *segments);
/* "iframes.m3u8": byte ranges into the same segments. */
void playlist_iframes(struct text *out, const struct iframes *iframes);

struct playlist_video {
    const struct rendition *rendition;
    const char *iframes; /* its URI, or NULL */
    int64_t iframes_peak_bps, iframes_average_bps;
};
/* Video with or without audio, or audio alone (video_len 0). `language`: letters and hyphens only.
 */
struct playlist_master {
    const struct playlist_video *video;
    size_t video_len;
    const struct rendition *audio; /* or NULL */
    int channels;                  /* of audio */
    const char *language;
};
void playlist_master(struct text *out, const struct playlist_master *master);

#endif
