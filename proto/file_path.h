/* r2_file_paths: a row for every object in the bucket; and how object keys are built and read. */
#ifndef PROTO_FILE_PATH_H
#define PROTO_FILE_PATH_H

#include "proto/doc.h"

#define FILE_PATH_COLLECTION "r2_file_paths"
enum { OBJECT_KEY_MAX = 1024, IDENT_MAX = 128 };

enum file_type { FILE_NONE, FILE_SOURCE, FILE_PLAYLIST, FILE_INIT, FILE_SEGMENT, FILE_THUMBNAIL, FILE_DOCUMENT };
enum file_state { FILE_STATE_NONE, FILE_PENDING, FILE_STORED, FILE_DELETING };
extern const char *const file_type_names[], *const file_state_names[];

/* The row is `pending` before the upload begins and `stored` once the object is whole; `deleting` from the first
 * delete until the second one, so that a late PUT cannot leave an orphan. */
struct file_path {
    const char *id; /* SHA-256 hex of "<backend>\n<object_key>": unique by construction, upserts need no index */
    const char *project_id, *object_key, *scene_id;
    enum file_type file_type;
    const char *user_id;
    int64_t size_bytes;
    const char *content_type;
    struct raw metadata;
    int64_t created_at, updated_at;
    const char *tenant, *job, *backend, *bucket, *etag, *sha256;
    enum file_state state;
};
extern const struct doc file_path_doc;
/* Orders rows by their object key, for qsort and bsearch. */
int file_path_by_key(const void *left, const void *right);

/* What a file's name says: type, Content-Type, Cache-Control (Apple HLS authoring spec 10.4; jobs are in the key, so
 * that everything is immutable). Names without a known extension are `source`, application/octet-stream. */
struct file_kind {
    const char *extension;
    enum file_type type;
    const char *content_type;
    const char *cache_control;
};
const struct file_kind *file_kind(const char *name);

/* [A-Za-z0-9._-]{1,128}, not "." or "..": the check of identifiers that become part of a key. */
enum error ident_check(const char *value, const char **why);
/* 24 hex digits; 26 characters of a ULID (Crockford's base 32, upper case). ERR_INVALID_ID. */
enum error oid_check(const char *value, const char **why);
enum error ulid_check(const char *value, const char **why);

/* "projects/{project}/scenes/{scene}/{job}/": what all objects of a job begin with. -1 if it does not fit. */
int file_prefix(const char *project, const char *scene, const char *job, char out[OBJECT_KEY_MAX + 1]);
/* Whether a key is made of valid components: no empty, "." or ".." segment, no leading '/', ≤ 1,024 bytes. */
bool object_key_valid(const char *key);
/* What is a prefix becomes a key by adding something. */
enum error key_prefix_check(const char *value, const char **why);
/* Length of the job's prefix at the start of a key of ours, 0 if the key is not of that form. */
size_t file_prefix_len(const char *key);
/* The id of the job that made a key of ours, a ULID; false if it is none of ours, `job` is untouched then. */
bool file_key_job(const char *key, char job[27]);

#endif
