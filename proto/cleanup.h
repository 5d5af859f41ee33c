/* cleanup: deletes the objects and rows that a job left behind. */
#ifndef PROTO_CLEANUP_H
#define PROTO_CLEANUP_H

#include "proto/doc.h"

struct cleanup_params {
    const char *job;    /* whose objects: those with a row of that job, and what lies under the prefix */
    const char *prefix; /* "projects/{project}/scenes/{scene}/{job}/", never shorter */
    bool forget;        /* the second pass: rows go, too */
};
struct cleanup_result {
    int64_t tracked, deleted, already_missing, failed, records_deleted;
};
extern const struct doc cleanup_params_doc, cleanup_result_doc;

#endif
