/* The tables of what is answered about a project's files. */
#include "proto/project_view.h"

const char *const yes_no_names[] = {NULL, "true", "false", NULL};

static const struct field file_view_fields[] = {
    FIELD(file_view, id, .flags = FIELD_REQUIRED, .text = "SHA-256 of backend and object key."),
    FIELD(file_view, object_key, .flags = FIELD_REQUIRED, .text = "Exact path in the bucket."),
    FIELD(file_view, scene_id, .text = "Scene that the object belongs to."),
    FIELD(file_view, file_type, .names = file_type_names, .text = "What it is."),
    FIELD(file_view, user_id, .text = "User who asked for it."),
    FIELD(file_view, size_bytes, .flags = FIELD_ALWAYS, .text = "Size of the object."),
    FIELD(file_view, content_type, .text = "MIME type."),
    FIELD(file_view, metadata, .text = "What the client sent along."),
    FIELD(file_view, state, .names = file_state_names, .text = "pending, stored or deleting."),
    FIELD(file_view, created_at, .flags = FIELD_TIME, .text = "When the row was made."),
    FIELD(file_view, updated_at, .flags = FIELD_TIME, .text = "When the row last changed."),
};
const struct doc file_view_doc = DOC(file_view, file_view_fields);

static const struct field file_page_fields[] = {
    FIELD(file_page, project_id, .flags = FIELD_REQUIRED, .text = "The user's project."),
    FIELD(file_page, count, .flags = FIELD_ALWAYS, .text = "Files of the whole project."),
    FIELD(file_page, total_size_bytes, .flags = FIELD_ALWAYS, .text = "What they hold."),
    FIELD_DOCS(file_page, files, file_view, .flags = FIELD_ALWAYS,
               .text = "In the order of their keys."),
    FIELD(file_page, next, .text = "The cursor of the next page; absent on the last one."),
};
const struct doc file_page_doc = DOC(file_page, file_page_fields);

static const struct field file_search_fields[] = {
    FIELD(file_search, limit, .min = 1, .max = PROJECT_FILES_MAX,
          .text = "How many at most; 1,000 if not given."),
    FIELD(file_search, cursor, .max = OBJECT_KEY_MAX, .text = "`next` of the page before."),
};
const struct doc file_search_doc = DOC(file_search, file_search_fields);

static const struct field request_fields[] = {
    FIELD(cleanup_request, dry_run, .names = yes_no_names,
          .text = "Only tell what would be deleted; true if not given."),
    FIELD(cleanup_request, delete_records_only, .names = yes_no_names,
          .text = "Delete rows, leave objects; false if not given."),
};
const struct doc cleanup_request_doc = DOC(cleanup_request, request_fields);

static const struct field preview_fields[] = {
    FIELD(cleanup_preview, project_id, .flags = FIELD_REQUIRED, .text = "The user's project."),
    FIELD(cleanup_preview, dry_run, .flags = FIELD_ALWAYS, .text = "true: nothing was deleted."),
    FIELD(cleanup_preview, delete_records_only, .flags = FIELD_ALWAYS, .text = "As asked."),
    FIELD(cleanup_preview, tracked, .flags = FIELD_ALWAYS, .text = "Rows."),
    FIELD(cleanup_preview, tracked_bytes, .flags = FIELD_ALWAYS, .text = "What they hold."),
    FIELD(cleanup_preview, keys, .flags = FIELD_ALWAYS, .text = "The first 100 of them."),
    FIELD(cleanup_preview, discovered_by_pattern, .flags = FIELD_ALWAYS,
          .text = "Objects without a row that a pattern would find."),
    FIELD(cleanup_preview, discovered_bytes, .flags = FIELD_ALWAYS, .text = "What they hold."),
    FIELD(cleanup_preview, discovered_keys, .flags = FIELD_ALWAYS,
          .text = "The first 100 of them."),
    FIELD_DOCS(cleanup_preview, errors, cleanup_error, .text = "What would be left, and why."),
    FIELD(cleanup_preview, incomplete, .text = "There was no time to look at every object."),
};
const struct doc cleanup_preview_doc = DOC(cleanup_preview, preview_fields);
