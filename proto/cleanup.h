/* cleanup: deletes the objects and rows that a job, or a whole project, left behind. */
#ifndef PROTO_CLEANUP_H
#define PROTO_CLEANUP_H

#include "proto/doc.h"

enum { CLEANUP_ERRORS_MAX = 100 };

/* Of a job.cleanup: job, prefix, forget. Of a project.cleanup: project_id and the rest. */
struct cleanup_params {
    const char *job;    /* whose objects: those with a row of that job, and what lies under the prefix */
    const char *prefix; /* "projects/{project}/scenes/{scene}/{job}/", never shorter */
    bool forget;        /* the second pass: rows go, too */

    const char *project_id;
    bool gone;                /* the project was deleted: its jobs are stopped, its scenes go */
    bool again;               /* the second pass, when no late PUT can come any more */
    bool delete_records_only; /* rows go, objects stay */
};

/* How far a project's cleanup has come: saved before a batch is deleted and after it. */
enum cleanup_phase { CLEANUP_BEGUN, CLEANUP_TRACKED, CLEANUP_PATTERN, CLEANUP_DONE };
extern const char *const cleanup_phase_names[];
struct cleanup_state {
    enum cleanup_phase phase;
    int64_t pattern;           /* which one */
    const char *after, *until; /* keys: done so far; the last of the batch that was begun (NULL: none) */
    int64_t count, missing, bytes; /* of that batch: keys; those without an object; what the others hold */
};
struct cleanup_error {
    const char *key;
    enum error code;
    const char *detail;
};
struct cleanup_errors {
    struct cleanup_error *at;
    size_t len;
};
/* tracked is deleted + already_missing + failed, at every time and through every crash. */
struct cleanup_result {
    int64_t tracked, deleted, already_missing, failed;
    int64_t discovered_by_pattern, records_deleted, bytes_freed;
    bool used_fallback;
    const char *fallback_reason;
    int64_t discovered_failed, unclear; /* objects found by pattern: not deleted; left, because nobody knows whose */
    int64_t jobs_stopped, scenes_removed, duration_ms;
    struct cleanup_errors errors; /* the first ones */
    struct cleanup_state state;
};
extern const struct doc cleanup_params_doc, cleanup_result_doc, cleanup_state_doc, cleanup_error_doc;

#endif
