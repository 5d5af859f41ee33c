/* Signed media URLs: the signature stands in the path and covers the job's prefix, so that whatever
 * a playlist names relatively is covered, too. Pure. */
#ifndef GATEWAY_MEDIA_URL_H
#define GATEWAY_MEDIA_URL_H

#include "common/arena.h"
#include "common/err.h"

/* "/media/<expires>.<signature>/<key>"; NULL if the key is not of the form of file_prefix
 * (proto/file_path.h). */
const char *media_url_path(struct arena *arena, const char *secret, int64_t expires_s,
                           const char *key);

/* grant: "<expires>.<signature>". ERR_INVALID_SIGNATURE, ERR_URL_EXPIRED, ERR_OBJECT_NOT_FOUND for
 * keys that cannot be ours. */
int media_url_check(const char *grant, const char *key, const char *secret, int64_t now_s,
                    struct err *err);
/* Until when a good grant holds. */
int64_t media_url_expires(const char *grant);

#endif
