/* A scene: the users' media record, told of by the job that wrote it last. */
#ifndef PROTO_SCENE_H
#define PROTO_SCENE_H

#include "proto/doc.h"
#include "proto/transcode.h"
#include "proto/upload.h"

#define SCENE_COLLECTION "scenes"

enum scene_status { SCENE_NONE, SCENE_PROCESSING, SCENE_COMPLETED, SCENE_FAILED };
extern const char *const scene_status_names[];

struct thumbnail_keys {
    const char *small, *medium, *large; /* object keys; in answers signed URLs */
};
struct scene {
    const char *id; /* ObjectId, hex; wire name mongo_db_id, _id in the store */
    const char *tenant, *project_id, *scene_id, *user_id, *url;
    const char *job; /* the latest wins: every later write is conditional on {_id, job} */
    enum scene_status status;
    enum storage storage;
    const char *storage_key, *playlist_key;
    struct thumbnail_keys thumbnails;
    double duration_s;
    int64_t width, height;
    const char *error_message;
    struct raw metadata;
    int64_t created_at, updated_at;
};
extern const struct doc scene_doc, thumbnail_keys_doc;

/* POST /api/v1/media/store, as sent; also the params of a media.store job. */
struct media_store {
    const char *url, *project_id, *scene_id, *mongo_db_id, *user_id;
    enum renditions_asked renditions;
    struct raw metadata;
};
extern const struct doc media_store_doc;

#endif
