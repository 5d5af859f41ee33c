/* What a file is, by its first bytes: never by its name or by what a server says. */
#ifndef WORKER_DOWNLOAD_SNIFF_H
#define WORKER_DOWNLOAD_SNIFF_H

#include <stddef.h>
#include <stdint.h>

#include "proto/download.h"

enum { SNIFF_BYTES = 4096 }; /* enough for every row */

struct sniff {
    const char *name;                     /* for people: "MP4", "HTML" */
    const char *extension, *content_type; /* ".mp4"; NULL when media is MEDIA_NONE: not taken */
    enum media_class media;
};

/* Of the file's beginning: SNIFF_BYTES, or all there is. Never NULL. */
const struct sniff *sniff_bytes(const uint8_t *bytes, size_t len);

#endif
