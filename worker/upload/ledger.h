/* The rows of r2_file_paths of one upload: pending before, stored after. */
#ifndef WORKER_UPLOAD_LEDGER_H
#define WORKER_UPLOAD_LEDGER_H

#include "worker/upload/files.h"

enum { LEDGER_BATCH = 500 };

/* Marks the files that an earlier run has stored already: a `stored` row of the same key, size and checksum, and an object
 * of that size in the bucket. Others keep the time when their row was made. */
int ledger_recognise(struct run *run, struct bucket *bucket, struct upload_files *files, struct err *err);
/* Writes the rows of files[0 … len) in that state; etags[i] may be NULL. One bulk for 500. */
int ledger_write(struct run *run, struct bucket *bucket, struct upload_file *files, size_t len,
                 enum file_state state, const char *const *etags, struct err *err);

#endif
