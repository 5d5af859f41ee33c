/* The tables of storage. */
#include "proto/storage_job.h"

#include "proto/file_path.h"

const char *const storage_action_names[] = {NULL, "reconcile", "migrate", "duplicates", "expire", NULL};

static const struct field reconcile[] = {
    FIELD(storage_reconcile, prefix, .max = OBJECT_KEY_MAX, .check = key_prefix_check, .text = "Only keys that begin so; without it the whole bucket."),
    FIELD(storage_reconcile, dry_run, .text = "Change nothing, only count what would be done."),
    FIELD(storage_reconcile, adopt, .text = "Write rows for objects without one whose key tells what they are."),
    FIELD(storage_reconcile, delete_orphans, .text = "Delete objects without a row that are old enough."),
    FIELD(storage_reconcile, forget_ghosts, .text = "Delete rows whose object is gone."),
    FIELD(storage_reconcile, older_than_s, .min = 1, .max = 10 * 365 * 86400, .text = "How old an object must be to be deleted, in s; a day without it."),
};
const struct doc storage_reconcile_doc = DOC(storage_reconcile, reconcile);

static const struct field migrate[] = {
    FIELD(storage_migrate, from, .flags = FIELD_REQUIRED, .names = backend_names, .text = "The backend that objects are taken from."),
    FIELD(storage_migrate, to, .flags = FIELD_REQUIRED, .names = backend_names, .text = "The backend that they go to."),
    FIELD(storage_migrate, project_id, .max = IDENT_MAX, .check = ident_check, .text = "Only this project's."),
    FIELD(storage_migrate, rate_bytes, .min = 1, .max = INT64_C(1) << 40, .text = "At most so many bytes a second."),
};
const struct doc storage_migrate_doc = DOC(storage_migrate, migrate);

static const struct field duplicates[] = {
    FIELD(storage_duplicates, project_id, .max = IDENT_MAX, .check = ident_check, .text = "Only this project's."),
};
const struct doc storage_duplicates_doc = DOC(storage_duplicates, duplicates);

static const struct field expire[] = {
    FIELD(storage_expire, older_than_s, .min = 1, .max = 10 * 365 * 86400, .text = "What changed since is left alone, in s; a day without it."),
    FIELD(storage_expire, dry_run, .text = "Change nothing, only count what would be done."),
};
const struct doc storage_expire_doc = DOC(storage_expire, expire);

static const struct field params[] = {
    FIELD(storage_params, action, .flags = FIELD_REQUIRED, .names = storage_action_names, .text = "What to do."),
    FIELD_DOC(storage_params, reconcile, storage_reconcile, .text = "For reconcile."),
    FIELD_DOC(storage_params, migrate, storage_migrate, .text = "For migrate."),
    FIELD_DOC(storage_params, duplicates, storage_duplicates, .text = "For duplicates."),
    FIELD_DOC(storage_params, expire, storage_expire, .text = "For expire."),
};
const struct doc storage_params_doc = DOC(storage_params, params);

static const struct field item[] = {
    FIELD(storage_item, key, .text = "The object's key."),
    FIELD(storage_item, size_bytes, .flags = FIELD_ALWAYS, .text = "Size of the object; where there is none, of its row."),
    FIELD(storage_item, row_bytes, .text = "Size that the row tells, where it differs."),
};
const struct doc storage_item_doc = DOC(storage_item, item);

static const struct field group[] = {
    FIELD(storage_group, sha256, .text = "SHA-256 of the content, hex."),
    FIELD(storage_group, objects, .text = "Objects with that content."),
    FIELD(storage_group, size_bytes, .text = "Size of one of them."),
    FIELD(storage_group, saved_bytes, .text = "Size of all but one."),
};
const struct doc storage_group_doc = DOC(storage_group, group);

static const struct field result[] = {
    FIELD(storage_result, dry_run, .text = "Nothing was changed; adopted, deleted and forgotten tell what would have been."),
    FIELD(storage_result, after, .text = "While it runs: the key up to which it is done."),
    FIELD(storage_result, objects, .text = "Objects looked at."),
    FIELD(storage_result, rows, .text = "Rows looked at."),
    FIELD(storage_result, bytes, .text = "Size of the objects looked at."),
    FIELD(storage_result, orphans, .text = "Objects without a row."),
    FIELD(storage_result, orphan_bytes, .text = "Their size."),
    FIELD(storage_result, ghosts, .text = "Rows without an object."),
    FIELD(storage_result, mismatches, .text = "Objects of another size than their row tells."),
    FIELD(storage_result, living, .text = "Rows and objects of jobs that have not ended, of which nothing is said."),
    FIELD(storage_result, adopted, .text = "Orphans that got a row."),
    FIELD(storage_result, deleted, .text = "Orphans, migrated sources, or objects of failed uploads, that were deleted."),
    FIELD(storage_result, forgotten, .text = "Ghosts, or objects of failed uploads, whose row was deleted."),
    FIELD(storage_result, failed, .text = "Objects with which that did not succeed."),
    FIELD(storage_result, copied, .text = "Objects copied to the other backend."),
    FIELD(storage_result, switched, .text = "Rows that tell the other backend now."),
    FIELD(storage_result, groups, .text = "Contents that there are several objects of."),
    FIELD(storage_result, duplicates, .text = "Objects that are not the first of their content."),
    FIELD(storage_result, saved_bytes, .text = "Their size: what could be saved."),
    FIELD(storage_result, directories, .text = "Directories of the workspace that were removed."),
    FIELD(storage_result, uploads, .text = "Unfinished multipart uploads that were aborted."),
    FIELD(storage_result, expired_jobs, .text = "Records of jobs past their time that were deleted."),
    FIELD_DOCS(storage_result, orphan_list, storage_item, .text = "The first orphans."),
    FIELD_DOCS(storage_result, ghost_list, storage_item, .text = "The first ghosts."),
    FIELD_DOCS(storage_result, mismatch_list, storage_item, .text = "The first mismatches."),
    FIELD_DOCS(storage_result, failed_list, storage_item, .text = "The first that failed."),
    FIELD_DOCS(storage_result, group_list, storage_group, .text = "The first groups, those that waste most before the others."),
};
const struct doc storage_result_doc = DOC(storage_result, result);
