/* What the gateway answers about a project's files. */
#ifndef PROTO_PROJECT_VIEW_H
#define PROTO_PROJECT_VIEW_H

#include "proto/cleanup.h"
#include "proto/file_path.h"

enum { PROJECT_FILES_MAX = 1000, PREVIEW_KEYS_MAX = 100 };

struct file_view { /* a row of r2_file_paths */
    const char *id, *object_key, *scene_id;
    enum file_type file_type;
    const char *user_id;
    int64_t size_bytes;
    const char *content_type;
    struct raw metadata;
    enum file_state state;
    int64_t created_at, updated_at;
};
struct file_views {
    struct file_view *at;
    size_t len;
};
struct file_page {
    const char *project_id;
    int64_t count, total_size_bytes; /* of the whole project */
    struct file_views files;
    const char *next;
};
struct file_search { /* GET /api/v1/debug/r2-file-paths/{project_id}?… */
    int64_t limit;
    const char *cursor;
};

enum yes_no { YES_NO_NONE, YES, NO };
extern const char *const yes_no_names[]; /* true, false */
struct cleanup_request { /* POST /api/v1/debug/cleanup-project/{project_id}?… */
    enum yes_no dry_run, delete_records_only; /* absent: true, false */
};
struct cleanup_preview { /* of a dry run */
    const char *project_id;
    bool dry_run, delete_records_only;
    int64_t tracked, tracked_bytes;
    struct strs keys; /* the first ones */
    int64_t discovered_by_pattern, discovered_bytes;
    struct strs discovered_keys;
    struct cleanup_errors errors; /* what would be left, and why */
    bool incomplete;              /* there was no time to look at everything */
};
extern const struct doc file_view_doc, file_page_doc, file_search_doc, cleanup_request_doc, cleanup_preview_doc;

#endif
