/* The tables of the ledger's usage. */
#include "proto/ledger_usage.h"

const char *const usage_by_names[] = {NULL, "project", "user", "file_type", NULL};

/* clang-format off */
static const struct field ledger_search_fields[] = {
    FIELD(ledger_usage_search, by, .names = usage_by_names, .text = "project, user or file_type; without it the total only."),
    FIELD(ledger_usage_search, project_id, .check = ident_check, .text = "Of one project only."),
    FIELD(ledger_usage_search, limit, .min = 1, .max = USAGE_ROWS_MAX, .text = "Rows; 100 unless told."),
};
const struct doc ledger_usage_search_doc = DOC(ledger_usage_search, ledger_search_fields);

static const struct field ledger_row_fields[] = {
    FIELD(ledger_usage_row, key, .text = "Project, user or type; absent: of objects without one."),
    FIELD(ledger_usage_row, size_bytes, .flags = FIELD_ALWAYS, .text = "Bytes of its objects."),
    FIELD(ledger_usage_row, object_count, .flags = FIELD_ALWAYS, .text = "Their number."),
};
const struct doc ledger_usage_row_doc = DOC(ledger_usage_row, ledger_row_fields);

static const struct field ledger_fields[] = {
    FIELD(ledger_usage, total_size_bytes, .flags = FIELD_ALWAYS, .text = "Bytes of all objects that are stored or about to be."),
    FIELD(ledger_usage, object_count, .flags = FIELD_ALWAYS, .text = "Their number."),
    FIELD_DOCS(ledger_usage, rows, ledger_usage_row, .flags = FIELD_ALWAYS, .text = "The largest first."),
    FIELD(ledger_usage, more, .flags = FIELD_ALWAYS, .text = "There are more rows than these."),
};
const struct doc ledger_usage_doc = DOC(ledger_usage, ledger_fields);
/* clang-format on */
