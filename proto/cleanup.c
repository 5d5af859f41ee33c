/* The tables of cleanup. */
#include "proto/cleanup.h"

static const struct field params[] = {
    FIELD(cleanup_params, job, .flags = FIELD_REQUIRED, .max = 26, .text = "The job whose objects go."),
    FIELD(cleanup_params, prefix, .flags = FIELD_REQUIRED, .max = 1024, .text = "Where its objects lie."),
    FIELD(cleanup_params, forget, .text = "Delete the rows too (second pass)."),
};
const struct doc cleanup_params_doc = DOC(cleanup_params, params);

static const struct field result[] = {
    FIELD(cleanup_result, tracked, .text = "Rows found."),
    FIELD(cleanup_result, deleted, .text = "Objects deleted."),
    FIELD(cleanup_result, already_missing, .text = "Rows whose object was not there."),
    FIELD(cleanup_result, failed, .text = "Objects that could not be deleted."),
    FIELD(cleanup_result, records_deleted, .text = "Rows deleted."),
};
const struct doc cleanup_result_doc = DOC(cleanup_result, result);
