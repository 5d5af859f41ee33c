/* How a media record looks to a client. */
#ifndef PROTO_SCENE_VIEW_H
#define PROTO_SCENE_VIEW_H

#include "proto/scene.h"

struct scene_view {
    const char *mongo_db_id, *project_id, *scene_id, *user_id, *url;
    enum scene_status status;
    enum storage storage;
    const char *storage_key, *playlist_key, *playlist_url;
    struct thumbnail_keys thumbnails; /* URLs */
    double duration_s;
    int64_t width, height;
    const char *error_message, *job;
    struct raw metadata;
    int64_t created_at, updated_at;
};

extern const struct doc scene_view_doc;

#endif
