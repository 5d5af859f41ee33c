/* Rows of other backends than the configured one: whether there are any, and one by its id. */
#include "gateway/media_place.h"

#include <string.h>

#include "common/bucket_admin.h"
#include "common/clock.h"
#include "common/file_id.h"
#include "proto/file_path.h"

enum { LOOK_MS = 10000 };

static bool is_own(const struct bucket *own, unsigned backend)
{
    return strcmp(bucket_backend(own), backend_names[backend]) == 0;
}

/* Whether a row tells of the backend. A store that is away leaves what was known: what lies in the
 * configured backend needs no store. */
static void look(struct api *api, struct arena *arena, const struct bucket *own, unsigned backend)
{
    const struct file_path filter = {.backend = backend_names[backend]};
    const struct store_page page = {.filter = &filter, .limit = 1, .order = "object_key"};
    struct err ignored = {0};
    void *rows;
    size_t len;
    if (!is_own(own, backend) &&
        store_find(api->services->store, FILE_PATH_COLLECTION, &file_path_doc, &page, arena, &rows,
                   &len, &ignored) == 0)
        api->places.used[backend] = len > 0;
}

/* Whether any other backend is in use. */
static bool look_around(struct api *api, struct arena *arena, const struct bucket *own, bool fresh)
{
    struct media_places *places = &api->places;
    int64_t now = clock_mono_ms();
    bool due = fresh || places->looked_mono == 0 || now - places->looked_mono > LOOK_MS,
         any = false;
    if (due)
        places->looked_mono = now;
    for (unsigned backend = BACKEND_LOCAL; backend <= BACKEND_NONE; backend++) {
        if (due)
            look(api, arena, own, backend);
        any |= places->used[backend];
    }
    return any;
}

/* 1: there is a row, and it is `stored`; 0, -1. */
static int is_stored(struct api *api, struct arena *arena, const char *backend, const char *key,
                     struct err *err)
{
    struct file_path row, filter = {.id = file_id(backend, key, arena)};
    if (store_get(api->services->store, FILE_PATH_COLLECTION, &file_path_doc, &filter, arena, &row,
                  err) == 0)
        return row.state == FILE_STORED;
    if (err->code != ERR_NOT_FOUND)
        return -1;
    *err = (struct err){0};
    return 0;
}

static int open_other(struct api *api, unsigned backend, struct bucket **out, struct err *err)
{
    struct bucket **place = &api->places.at[backend];
    if (!*place) {
        if (bucket_open_as(place, api->services->bucket, (enum backend)backend, err))
            return -1;
        bucket_set_patience(*place, MEDIA_BUCKET_MS);
    }
    *out = *place;
    return 0;
}

int media_place(struct api *api, struct arena *arena, const char *key, bool fresh,
                struct bucket **out, struct err *err)
{
    struct bucket *own;
    if (api_bucket(api, &own, err))
        return -1;
    *out = own;
    if (!look_around(api, arena, own, fresh))
        return 0;
    int here = is_stored(api, arena, bucket_backend(own), key, err);
    for (unsigned backend = BACKEND_LOCAL; here == 0 && backend <= BACKEND_NONE; backend++) {
        if (!api->places.used[backend])
            continue;
        int there = is_stored(api, arena, backend_names[backend], key, err);
        if (there)
            return there < 0 ? -1 : open_other(api, backend, out, err);
    }
    return here < 0 ? -1 : 0;
}

void media_places_release(struct media_places *places)
{
    for (unsigned backend = 0; backend <= BACKEND_NONE; backend++)
        bucket_free(places->at[backend]);
    *places = (struct media_places){.looked_mono = 0};
}
