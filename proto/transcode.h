/* transcode: a media file becomes an HLS asset (CMAF segments, playlists) in the workspace. */
#ifndef PROTO_TRANSCODE_H
#define PROTO_TRANSCODE_H

#include "proto/doc.h"

/* Which renditions are made. LADDER, also if unset: the source's packets are the top one where they may be, the others
 * are encoded. SOURCE: the best one only, of the source's own size where its packets may be used. ENCODED: all are encoded. */
enum renditions_asked { RENDITIONS_UNSET, RENDITIONS_LADDER, RENDITIONS_SOURCE, RENDITIONS_ENCODED };
extern const char *const renditions_names[];

/* All zero: the defaults of the ladder (6 s segments, 2 s GOP: Apple HLS authoring spec 7.5, 1.13). */
struct transcode_params {
    int64_t segment_s, gop_s;
    enum renditions_asked renditions;
};
struct rendition {
    const char *name;     /* "1080p", "audio" */
    const char *playlist; /* relative to the asset: "v1080/index.m3u8" */
    int64_t width, height, segments, peak_bps, average_bps;
    double frame_rate, duration_s;
    const char *codecs; /* RFC 6381 */
    bool copied;        /* made of the source's own packets */
};
struct renditions {
    struct rendition *at;
    size_t len;
};
struct transcode_result {
    const char *playlist; /* "master.m3u8"; NULL: nothing to play (the source is an image) */
    double duration_s;
    int64_t width, height; /* as displayed: rotation and sample aspect ratio applied */
    int64_t files, bytes;
    struct renditions renditions;
};
extern const struct doc transcode_params_doc, transcode_result_doc, rendition_doc;

#endif
