/* The whole way from a media file to an HLS asset, without the fleet around it. */
#ifndef WORKER_TRANSCODE_PIPELINE_H
#define WORKER_TRANSCODE_PIPELINE_H

#include "common/arena.h"
#include "proto/transcode.h"
#include "worker/media/input.h"

struct pipeline_job {
    const char *source; /* path of the media file */
    const char *dir;    /* exists; the asset is left there: master.m3u8, v1080/, audio/ … */
    struct transcode_params params;
    const struct watch *watch; /* or NULL; asked and told from several threads */
    int cores;                 /* to be kept busy; 0: all that the process may use */
};

/* Decodes once, encodes every rendition in a thread of its own, writes the playlists last. The
 * result's strings are the arena's. ERR_CANCELLED when stopped. libav_open must have been called.
 */
int pipeline_run(const struct pipeline_job *job, struct arena *arena, struct transcode_result *out,
                 struct err *err);

#endif
