/* The tables of scenes and of the request that makes them. */
#include "proto/scene.h"

#include "proto/file_path.h"

const char *const scene_status_names[] = {NULL, "processing", "completed", "failed", NULL};

static const struct field thumbnail_keys[] = {
    FIELD(thumbnail_keys, small, .text = "At most 150x150."),
    FIELD(thumbnail_keys, medium, .text = "At most 300x300."),
    FIELD(thumbnail_keys, large, .text = "At most 800x600."),
};
const struct doc thumbnail_keys_doc = DOC(thumbnail_keys, thumbnail_keys);

static const struct field scene[] = {
    FIELD_AS(scene, id, "mongo_db_id", .flags = FIELD_REQUIRED | FIELD_OID | FIELD_ID,
             .text = "The record's ObjectId."),
    FIELD(scene, tenant, .flags = FIELD_REQUIRED | FIELD_HIDDEN, .text = "Whose it is."),
    FIELD(scene, project_id, .flags = FIELD_REQUIRED, .text = "The user's project."),
    FIELD(scene, scene_id, .text = "The user's own name of the scene."),
    FIELD(scene, user_id, .text = "The user's own name of whose it is."),
    FIELD(scene, url, .text = "Where the media came from."),
    FIELD(scene, job, .text = "The job that wrote it last."),
    FIELD(scene, status, .names = scene_status_names, .text = "Where it stands."),
    FIELD(scene, storage, .names = storage_names,
          .text = "stored; local_only: under MEDIA_ROOT, no bucket is used."),
    FIELD(scene, storage_key, .text = "Object key of the source file."),
    FIELD(scene, playlist_key, .text = "Object key of the master playlist."),
    FIELD_DOC(scene, thumbnails, thumbnail_keys, .text = "Object keys of the pictures."),
    FIELD(scene, duration_s, .text = "Length in seconds."),
    FIELD(scene, width, .text = "Of the source, as displayed."),
    FIELD(scene, height, .text = "Of the source, as displayed."),
    FIELD(scene, error_message, .text = "Why it failed."),
    FIELD(scene, metadata, .text = "As it was sent."),
    FIELD(scene, created_at, .flags = FIELD_TIME, .text = "When it was first asked for."),
    FIELD(scene, updated_at, .flags = FIELD_TIME, .text = "When it changed last."),
};
const struct doc scene_doc = DOC(scene, scene);

static const struct field media_store[] = {
    FIELD(media_store, url, .flags = FIELD_REQUIRED,
          .text = "http or https address of the media, at most 8,192 bytes."),
    FIELD(media_store, project_id, .flags = FIELD_REQUIRED, .min = 1, .max = IDENT_MAX,
          .check = ident_check, .text = "The project that it belongs to: [A-Za-z0-9._-]."),
    FIELD(media_store, scene_id, .min = 1, .max = IDENT_MAX, .check = ident_check,
          .text = "Your own name of the scene: [A-Za-z0-9._-]."),
    FIELD(media_store, mongo_db_id, .check = oid_check,
          .text = "The record to write, an ObjectId; absent: a new one."),
    FIELD(media_store, user_id, .min = 1, .max = IDENT_MAX, .check = ident_check,
          .text = "Your own name of whose it is: [A-Za-z0-9._-]."),
    FIELD(media_store, renditions, .names = renditions_names,
          .text = "ladder, the default: the source as it is where it may be the best rendition, "
                  "and smaller ones. source: the best one alone. encoded: nothing of the source "
                  "as it is."),
    FIELD(media_store, metadata, .text = "Free-form object, at most 8 KiB, kept with the record."),
};
const struct doc media_store_doc = DOC(media_store, media_store);
