/* The tables of cleanup. */
#include "proto/cleanup.h"

#include "proto/file_path.h"

const char *const cleanup_phase_names[] = {NULL, "tracked", "pattern", "done", NULL};

static const struct field params[] = {
    FIELD(cleanup_params, job, .max = 26, .text = "The job whose objects go."),
    FIELD(cleanup_params, prefix, .max = 1024, .text = "Where its objects lie."),
    FIELD(cleanup_params, forget, .text = "Delete the rows too (second pass)."),
    FIELD(cleanup_params, project_id, .max = IDENT_MAX, .check = ident_check,
          .text = "Or: the project whose objects go."),
    FIELD(cleanup_params, gone,
          .text = "The project was deleted: its jobs are stopped, its scenes removed."),
    FIELD(cleanup_params, again, .text = "The second pass over a deleted project."),
    FIELD(cleanup_params, delete_records_only, .text = "Delete rows, leave objects."),
};
const struct doc cleanup_params_doc = DOC(cleanup_params, params);

static const struct field error_fields[] = {
    FIELD(cleanup_error, key, .text = "Object key; absent: of several."),
    FIELD(cleanup_error, code, .names = error_names, .text = "Why it is still there."),
    FIELD(cleanup_error, detail, .text = "The same, for people."),
};
const struct doc cleanup_error_doc = DOC(cleanup_error, error_fields);

static const struct field state_fields[] = {
    FIELD(cleanup_state, phase, .names = cleanup_phase_names, .text = "What it is at."),
    FIELD(cleanup_state, pattern, .text = "Which pattern."),
    FIELD(cleanup_state, after, .text = "The last key that is done."),
    FIELD(cleanup_state, until, .text = "The last key of the batch that was begun."),
    FIELD(cleanup_state, count, .text = "How many keys that batch has."),
    FIELD(cleanup_state, missing, .text = "How many of them have no object."),
    FIELD(cleanup_state, bytes, .text = "How much the others hold."),
};
const struct doc cleanup_state_doc = DOC(cleanup_state, state_fields);

static const struct field result[] = {
    FIELD(cleanup_result, tracked, .flags = FIELD_ALWAYS, .text = "Rows found."),
    FIELD(cleanup_result, deleted, .flags = FIELD_ALWAYS, .text = "Objects deleted."),
    FIELD(cleanup_result, already_missing, .flags = FIELD_ALWAYS,
          .text = "Rows whose object was not there."),
    FIELD(cleanup_result, failed, .flags = FIELD_ALWAYS,
          .text = "Objects that could not be deleted."),
    FIELD(cleanup_result, discovered_by_pattern, .flags = FIELD_ALWAYS,
          .text = "Objects without a row, found by how their key begins, and deleted."),
    FIELD(cleanup_result, records_deleted, .flags = FIELD_ALWAYS, .text = "Rows deleted."),
    FIELD(cleanup_result, bytes_freed, .flags = FIELD_ALWAYS,
          .text = "What the deleted objects held."),
    FIELD(cleanup_result, used_fallback, .flags = FIELD_ALWAYS,
          .text = "Whether objects were looked for by pattern."),
    FIELD(cleanup_result, fallback_reason, .text = "Why."),
    FIELD(cleanup_result, discovered_failed, .text = "Found by pattern, but not deleted."),
    FIELD(cleanup_result, unclear,
          .text = "Found by pattern and left: nobody knows whose they are."),
    FIELD(cleanup_result, jobs_stopped, .text = "Jobs of the project that were stopped."),
    FIELD(cleanup_result, scenes_removed, .text = "Scenes removed."),
    FIELD(cleanup_result, duration_ms, .text = "From the first claim to the end."),
    FIELD_DOCS(cleanup_result, errors, cleanup_error, .text = "The first 100."),
    FIELD_DOC(cleanup_result, state, cleanup_state,
              .text = "How far it has come; absent at the end."),
};
const struct doc cleanup_result_doc = DOC(cleanup_result, result);
