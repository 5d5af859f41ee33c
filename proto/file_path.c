/* The table of r2_file_paths, and the rules of names and keys. */
#include "proto/file_path.h"

#include <stdio.h>
#include <string.h>

#define IMMUTABLE "public, max-age=31536000, immutable"

const char *const file_type_names[] = {NULL,      "source",    "playlist", "init",
                                       "segment", "thumbnail", "document", NULL};
const char *const file_state_names[] = {NULL, "pending", "stored", "deleting", NULL};

/* clang-format off */
static const struct field fields[] = {
    FIELD(file_path, id, .flags = FIELD_ID, .text = "SHA-256 of backend and object key."),
    FIELD(file_path, project_id, .text = "Project that the object belongs to."),
    FIELD(file_path, object_key, .text = "Exact path in the bucket."),
    FIELD(file_path, scene_id, .text = "Scene that the object belongs to."),
    FIELD(file_path, file_type, .names = file_type_names, .text = "source, playlist, init, segment, thumbnail or document."),
    FIELD(file_path, user_id, .text = "User who asked for it."),
    FIELD(file_path, size_bytes, .text = "Size of the object."),
    FIELD(file_path, content_type, .text = "MIME type."),
    FIELD(file_path, metadata, .text = "What the client sent along."),
    FIELD(file_path, created_at, .flags = FIELD_TIME, .text = "When the row was made, before the upload."),
    FIELD(file_path, updated_at, .flags = FIELD_TIME, .text = "When the row last changed."),
    FIELD(file_path, tenant, .flags = FIELD_HIDDEN, .text = "Whose it is."),
    FIELD(file_path, job, .text = "Job that stored it."),
    FIELD(file_path, backend, .text = "local, minio, s3 or r2."),
    FIELD(file_path, bucket, .text = "Name of the bucket."),
    FIELD(file_path, etag, .text = "ETag of the stored object."),
    FIELD(file_path, sha256, .text = "SHA-256 of the content, hex."),
    FIELD(file_path, state, .names = file_state_names, .text = "pending before the upload, stored after it, deleting until the second delete."),
};
/* clang-format on */
const struct doc file_path_doc = DOC(file_path, fields);

int file_path_by_key(const void *left, const void *right)
{
    const struct file_path *a = left, *b = right;
    return strcmp(a->object_key, b->object_key);
}

static const struct file_kind file_kinds[] = {
    {".m3u8", FILE_PLAYLIST, "application/vnd.apple.mpegurl", IMMUTABLE},
    {".mp4", FILE_INIT, "video/mp4", IMMUTABLE},
    {".m4s", FILE_SEGMENT, "video/iso.segment", IMMUTABLE},
    {".ts", FILE_SEGMENT, "video/mp2t", IMMUTABLE},
    {".vtt", FILE_SEGMENT, "text/vtt", IMMUTABLE},
    {".jpg", FILE_THUMBNAIL, "image/jpeg", IMMUTABLE},
    {".jpeg", FILE_THUMBNAIL, "image/jpeg", IMMUTABLE},
    {".json", FILE_DOCUMENT, "application/json", IMMUTABLE},
    {".txt", FILE_DOCUMENT, "text/plain; charset=utf-8", IMMUTABLE},
};

/* The file as it came in: "source.<extension>", whose type by content the download's result tells.
 */
static const struct file_kind source_kinds[] = {
    {".mp4", FILE_SOURCE, "video/mp4", IMMUTABLE},
    {".mov", FILE_SOURCE, "video/quicktime", IMMUTABLE},
    {".webm", FILE_SOURCE, "video/webm", IMMUTABLE},
    {".mkv", FILE_SOURCE, "video/x-matroska", IMMUTABLE},
    {".avi", FILE_SOURCE, "video/x-msvideo", IMMUTABLE},
    {".ts", FILE_SOURCE, "video/mp2t", IMMUTABLE},
    {".flv", FILE_SOURCE, "video/x-flv", IMMUTABLE},
    {".ogv", FILE_SOURCE, "video/ogg", IMMUTABLE},
    {".ogg", FILE_SOURCE, "audio/ogg", IMMUTABLE},
    {".m4a", FILE_SOURCE, "audio/mp4", IMMUTABLE},
    {".mp3", FILE_SOURCE, "audio/mpeg", IMMUTABLE},
    {".aac", FILE_SOURCE, "audio/aac", IMMUTABLE},
    {".flac", FILE_SOURCE, "audio/flac", IMMUTABLE},
    {".wav", FILE_SOURCE, "audio/wav", IMMUTABLE},
    {".jpg", FILE_SOURCE, "image/jpeg", IMMUTABLE},
};
static const struct file_kind unknown = {"", FILE_SOURCE, "application/octet-stream", IMMUTABLE};

static const struct file_kind *find(const struct file_kind *kinds, size_t len, const char *name)
{
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; dot && i < len; i++)
        if (strcmp(dot, kinds[i].extension) == 0)
            return &kinds[i];
    return NULL;
}

const struct file_kind *file_kind(const char *name)
{
    const char *slash = strrchr(name, '/');
    const char *base = slash ? slash + 1 : name;
    const struct file_kind *kind = NULL;
    if (strncmp(base, "source.", 7) == 0)
        kind = find(source_kinds, sizeof source_kinds / sizeof source_kinds[0], base);
    else
        kind = find(file_kinds, sizeof file_kinds / sizeof file_kinds[0], base);
    return kind ? kind : &unknown;
}

static bool is_ident_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
}

/* Length of the key component at `at`: 0 if there is none, or none that may be in a key. */
static size_t component_len(const char *at)
{
    size_t len = 0;
    while (is_ident_char(at[len]))
        len++;
    bool dots = (len == 1 || len == 2) && at[0] == '.' && at[len - 1] == '.';
    return dots || (at[len] != '\0' && at[len] != '/') ? 0 : len;
}

enum error ident_check(const char *value, const char **why)
{
    size_t len = component_len(value);
    if (len > 0 && len <= IDENT_MAX && value[len] == '\0')
        return ERR_NONE;
    *why = "must be 1 to 128 of A-Z a-z 0-9 . _ - and not '.' or '..'";
    return ERR_INVALID_FORMAT;
}

static enum error chars_check(const char *value, const char *allowed, size_t len)
{
    return strspn(value, allowed) == len && value[len] == '\0' ? ERR_NONE : ERR_INVALID_ID;
}

enum error oid_check(const char *value, const char **why)
{
    *why = "must be 24 hex digits";
    return chars_check(value, "0123456789abcdefABCDEF", 24);
}

enum error ulid_check(const char *value, const char **why)
{
    *why = "must be a ULID: 26 characters, upper case";
    if (value[0] > '7') /* 26 characters hold 130 bits, a ULID 128 */
        return ERR_INVALID_ID;
    return chars_check(value, "0123456789ABCDEFGHJKMNPQRSTVWXYZ", 26);
}

int file_prefix(const char *project, const char *scene, const char *job,
                char out[OBJECT_KEY_MAX + 1])
{
    int len = snprintf(out, OBJECT_KEY_MAX + 1, "projects/%s/scenes/%s/%s/", project, scene, job);
    return len > 0 && len <= OBJECT_KEY_MAX && file_prefix_len(out) == (size_t)len ? 0 : -1;
}

bool object_key_valid(const char *key)
{
    const char *at = key;
    for (;;) {
        size_t len = component_len(at);
        if (len == 0)
            return false;
        at += len;
        if (*at == '\0')
            return at - key <= OBJECT_KEY_MAX;
        at++;
    }
}

enum error key_prefix_check(const char *value, const char **why)
{
    char key[OBJECT_KEY_MAX + 1];
    size_t len = strlen(value);
    *why = "must be the beginning of an object key";
    if (len == 0 || len >= OBJECT_KEY_MAX)
        return ERR_INVALID_FORMAT;
    memcpy(key, value, len);
    memcpy(key + len, "x", 2);
    return object_key_valid(key) ? ERR_NONE : ERR_INVALID_FORMAT;
}

/* Each is a word, or NULL for any identifier. */
static const char *const prefix_form[] = {"projects", NULL, "scenes", NULL, NULL};

size_t file_prefix_len(const char *key)
{
    const char *at = key;
    for (size_t i = 0; i < sizeof prefix_form / sizeof prefix_form[0]; i++) {
        const char *word = prefix_form[i];
        size_t len = component_len(at);
        if (len == 0 || len > IDENT_MAX || at[len] != '/' ||
            (word && (strlen(word) != len || strncmp(at, word, len) != 0)))
            return 0;
        at += len + 1;
    }
    return (size_t)(at - key);
}

bool file_key_job(const char *key, char job[27])
{
    enum { ULID_LEN = 26 };
    char id[ULID_LEN + 1] = "";
    const char *why;
    size_t len = file_prefix_len(key);
    if (len < ULID_LEN + 2 || key[len - ULID_LEN - 2] != '/')
        return false;
    memcpy(id, key + len - ULID_LEN - 1, ULID_LEN);
    if (ulid_check(id, &why) != ERR_NONE)
        return false;
    memcpy(job, id, sizeof id);
    return true;
}
