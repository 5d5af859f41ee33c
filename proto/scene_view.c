/* The table of a media record's view. */
#include "proto/scene_view.h"

static const struct field scene_view[] = {
    FIELD(scene_view, mongo_db_id, .flags = FIELD_REQUIRED, .text = "The record's ObjectId."),
    FIELD(scene_view, project_id, .flags = FIELD_REQUIRED, .text = "The user's project."),
    FIELD(scene_view, scene_id, .text = "The user's own name of the scene."),
    FIELD(scene_view, user_id, .text = "The user's own name of whose it is."),
    FIELD(scene_view, url, .text = "Where the media came from."),
    FIELD(scene_view, status, .flags = FIELD_REQUIRED, .names = scene_status_names,
          .text = "Where it stands."),
    FIELD(scene_view, storage, .names = storage_names,
          .text = "stored; local_only: under MEDIA_ROOT, no bucket is used."),
    FIELD(scene_view, storage_key, .text = "Object key of the source file."),
    FIELD(scene_view, playlist_key, .text = "Object key of the master playlist."),
    FIELD(scene_view, playlist_url, .text = "What a player opens: signed, for a limited time."),
    FIELD_DOC(scene_view, thumbnails, thumbnail_keys, .text = "Signed URLs of the pictures."),
    FIELD(scene_view, duration_s, .text = "Length in seconds."),
    FIELD(scene_view, width, .text = "Of the source, as displayed."),
    FIELD(scene_view, height, .text = "Of the source, as displayed."),
    FIELD(scene_view, error_message, .text = "Why it failed."),
    FIELD(scene_view, job, .text = "The job that wrote it last."),
    FIELD(scene_view, metadata, .text = "As it was sent."),
    FIELD(scene_view, created_at, .flags = FIELD_TIME, .text = "When it was first asked for."),
    FIELD(scene_view, updated_at, .flags = FIELD_TIME, .text = "When it changed last."),
};
const struct doc scene_view_doc = DOC(scene_view, scene_view);
