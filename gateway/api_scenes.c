/* Media records. */
#include "common/clock.h"
#include "gateway/handlers.h"
#include "gateway/media_url.h"
#include "proto/file_path.h"
#include "proto/scene_view.h"

const char *api_media_url(const struct services *services, struct arena *arena, const char *key)
{
    const struct gateway_settings *settings = services->gateway;
    if (!key)
        return NULL;
    size_t len;
    const char *public = gateway_settings_media_url(settings, &len);
    if (public)
        return arena_printf(arena, "%.*s/%s", (int)len, public, key);
    const char *path =
        media_url_path(arena, settings->url_secret, clock_wall_s() + settings->url_ttl_s, key);
    return path ? arena_printf(arena, "%s%s", services->base_url, path) : NULL;
}

static void fill(const struct services *services, struct arena *arena, const struct scene *scene,
                 struct scene_view *out)
{
    const struct thumbnail_keys *keys = &scene->thumbnails;
    *out = (struct scene_view){
        .mongo_db_id = scene->id,
        .project_id = scene->project_id,
        .scene_id = scene->scene_id,
        .user_id = scene->user_id,
        .url = scene->url,
        .status = scene->status,
        .storage = scene->storage,
        .storage_key = scene->storage_key,
        .playlist_key = scene->playlist_key,
        .playlist_url = api_media_url(services, arena, scene->playlist_key),
        .thumbnails = {api_media_url(services, arena, keys->small),
                       api_media_url(services, arena, keys->medium),
                       api_media_url(services, arena, keys->large)},
        .duration_s = scene->duration_s,
        .width = scene->width,
        .height = scene->height,
        .error_message = scene->error_message,
        .job = scene->job,
        .metadata = scene->metadata,
        .created_at = scene->created_at,
        .updated_at = scene->updated_at,
    };
}

API_ANSWER(api_scene)
{
    (void)in;
    const char *id = request_capture(request, "mongo_db_id"), *why;
    if (!id || oid_check(id, &why) != ERR_NONE)
        return err_set(err, ERR_INVALID_ID, "a record's id is an ObjectId: 24 hex digits");
    const struct scene filter = {.id = id, .tenant = request->who.tenant};
    struct scene scene;
    if (store_get(api->services->store, SCENE_COLLECTION, &scene_doc, &filter, &request->arena,
                  &scene, err)) {
        if (err->code == ERR_NOT_FOUND)
            return err_set(err, ERR_SCENE_NOT_FOUND, "there is no record %s", id);
        return -1;
    }
    fill(api->services, &request->arena, &scene, out);
    return 0;
}
