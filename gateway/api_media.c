/* GET /media/{grant}/{key…}: objects of the bucket behind signed URLs. */
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "gateway/handlers.h"
#include "gateway/job_view.h"
#include "gateway/media_place.h"
#include "gateway/media_url.h"
#include "gateway/range.h"
#include "proto/file_path.h"

enum { PLAYLIST_MAX_BYTES = 8 << 20, PRESIGN_MIN_S = 60, PRESIGN_MAX_S = 604800 };

int api_bucket(struct api *api, struct bucket **out, struct err *err)
{
    if (!api->bucket) {
        if (bucket_open(&api->bucket, api->services->bucket, err))
            return -1;
        bucket_set_patience(api->bucket, MEDIA_BUCKET_MS);
    }
    *out = api->bucket;
    return 0;
}

void api_release(struct api *api)
{
    bucket_free(api->bucket);
    api->bucket = NULL;
    media_places_release(&api->places);
}

/* Jobs are in the key: what lies there never changes, so that its name and size tell it apart. */
static const char *etag_of(struct arena *arena, const char *key, int64_t size)
{
    uint64_t hash = UINT64_C(0xCBF29CE484222325);
    for (const char *at = key; *at; at++)
        hash = (hash ^ (unsigned char)*at) * UINT64_C(0x100000001B3);
    return arena_printf(arena, "\"%016" PRIx64 "-%" PRIx64 "\"", hash, size);
}

/* etag: NULL for what is made for each answer anew, of which there are no parts. */
static void describe(struct request *request, const char *key, const char *etag)
{
    const struct file_kind *kind = file_kind(key);
    if (etag) {
        reply_header(request, "ETag", etag);
        reply_header(request, "Accept-Ranges", "bytes");
    }
    request->reply.content_type = kind->content_type;
    if (kind->cache_control)
        reply_header(request, "Cache-Control", kind->cache_control);
    reply_header(request, "X-Content-Type-Options", "nosniff");
}

/* Which part of the file: the whole, the range that was asked for, or none. */
static int choose_part(struct request *request, const char *etag, int64_t size, struct err *err)
{
    struct reply *reply = &request->reply;
    const char *range = request->headers.range, *if_range = request->headers.if_range;
    int64_t offset = 0, len = size;
    if (if_range && strcmp(if_range, etag) != 0)
        range = NULL;
    switch (range_parse(range, size, &offset, &len)) {
    case RANGE_UNSATISFIABLE:
        reply_header(request, "Content-Range",
                     arena_printf(&request->arena, "bytes */%" PRId64, size));
        return err_set(err, ERR_RANGE_NOT_SATISFIABLE, "the object has %" PRId64 " bytes", size);
    case RANGE_PART:
        reply->status = 206;
        reply_header(request, "Content-Range",
                     arena_printf(&request->arena, "bytes %" PRId64 "-%" PRId64 "/%" PRId64, offset,
                                  offset + len - 1, size));
        break;
    case RANGE_WHOLE:
        reply->status = 200;
        break;
    }
    reply->file_offset = offset;
    reply->file_len = len;
    return 0;
}

static int serve_file(struct request *request, struct bucket *bucket, const char *key,
                      struct err *err)
{
    int fd;
    int64_t size;
    if (bucket_open_file(bucket, key, &fd, &size, err))
        return -1;
    const char *etag = etag_of(&request->arena, key, size);
    bool unchanged = job_view_etag_matches(request->headers.if_none_match, etag);
    if (unchanged || choose_part(request, etag, size, err)) {
        close(fd);
        if (!unchanged)
            return -1;
        request->reply.status = 304;
    } else {
        request->reply.fd = fd;
    }
    describe(request, key, etag);
    return 0;
}

/* Playlists name their segments relatively: they must come from under the signed path. */
static int serve_playlist(struct request *request, struct bucket *bucket, const char *key,
                          struct err *err)
{
    request->reply.body = (struct text){.arena = &request->arena};
    if (bucket_get(bucket, key, PLAYLIST_MAX_BYTES, &request->arena, &request->reply.body, err))
        return -1;
    request->reply.status = 200;
    describe(request, key, NULL);
    return 0;
}

/* A redirect would not do: a presigned URL is good for one method. */
static int tell(struct request *request, struct bucket *bucket, const char *key, struct err *err)
{
    struct object object;
    if (bucket_head(bucket, key, &request->arena, &object, err))
        return -1;
    request->reply.status = 200;
    request->reply.file_len = object.size_bytes;
    describe(request, key, etag_of(&request->arena, key, object.size_bytes));
    return 0;
}

/* As long as the grant has left, so that a player may keep the answer. */
static int redirect(struct request *request, struct bucket *bucket, const char *key, int64_t left_s,
                    struct err *err)
{
    const char *url;
    if (left_s < PRESIGN_MIN_S)
        left_s = PRESIGN_MIN_S;
    if (left_s > PRESIGN_MAX_S)
        left_s = PRESIGN_MAX_S;
    if (bucket_presign(bucket, key, left_s, &request->arena, &url, err))
        return -1;
    request->reply.status = 302;
    reply_header(request, "Location", url);
    reply_header(request, "Cache-Control", "private, max-age=30");
    return 0;
}

static int serve(struct request *request, struct bucket *bucket, const char *key, int64_t left_s,
                 struct err *err)
{
    if (strcmp(bucket_backend(bucket), backend_names[BACKEND_LOCAL]) == 0 ||
        strcmp(bucket_backend(bucket), backend_names[BACKEND_NONE]) == 0)
        return serve_file(request, bucket, key, err);
    if (strcmp(request->method, "HEAD") == 0)
        return tell(request, bucket, key, err);
    if (file_kind(key)->type == FILE_PLAYLIST)
        return serve_playlist(request, bucket, key, err);
    return redirect(request, bucket, key, left_s, err);
}

API_ANSWER(api_media)
{
    (void)in;
    (void)out;
    struct bucket *bucket, *elsewhere;
    const char *grant = request_capture(request, "grant"), *key = request_capture(request, "key");
    int64_t now_s = clock_wall_s();
    if (!grant || !key)
        return err_set(err, ERR_OBJECT_NOT_FOUND, "there is no such object");
    if (media_url_check(grant, key, api->services->gateway->url_secret, now_s, err) ||
        media_place(api, &request->arena, key, false, &bucket, err))
        return -1;
    int64_t left_s = media_url_expires(grant) - now_s;
    int failed = serve(request, bucket, key, left_s, err);
    if (!failed || err->code != ERR_OBJECT_NOT_FOUND)
        return failed;
    /* It may have been migrated a moment ago. */
    struct err moved = {0};
    if (media_place(api, &request->arena, key, true, &elsewhere, &moved) || elsewhere == bucket)
        return -1;
    *err = (struct err){0};
    return serve(request, elsewhere, key, left_s, err);
}
