/* How much a tenant stores, as the ledger has it: what is asked and told. */
#ifndef PROTO_LEDGER_USAGE_H
#define PROTO_LEDGER_USAGE_H

#include "proto/file_path.h"

enum { USAGE_ROWS_MAX = 1000 };

/* GET /api/v1/storage/usage */
enum usage_by { USAGE_TOTAL, USAGE_BY_PROJECT, USAGE_BY_USER, USAGE_BY_FILE_TYPE };
extern const char *const usage_by_names[];
struct ledger_usage_search {
    enum usage_by by;
    const char *project_id;
    int64_t limit;
};
struct ledger_usage_row {
    const char *key;
    int64_t size_bytes, object_count;
};
struct ledger_usage {
    int64_t total_size_bytes, object_count;
    struct {
        struct ledger_usage_row *at;
        size_t len;
    } rows;
    bool more;
};

extern const struct doc ledger_usage_search_doc, ledger_usage_row_doc, ledger_usage_doc;

#endif
