/* From finished renditions to playlists and the result document. */
#ifndef WORKER_TRANSCODE_ASSET_H
#define WORKER_TRANSCODE_ASSET_H

#include "worker/transcode/stages.h"

/* Folder of a rendition below the asset: "v1080", "audio"; made by asset_prepare. */
const char *asset_prepare(const struct stages *stages, const char *folder, struct err *err);
/* Measures every rendition, writes its playlists, and the master playlist after all others. */
int asset_write(const struct stages *stages, struct transcode_result *out, struct err *err);

#endif
