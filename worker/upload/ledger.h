/* The rows of r2_file_paths of one upload: pending before, stored after. */
#ifndef WORKER_UPLOAD_LEDGER_H
#define WORKER_UPLOAD_LEDGER_H

#include "worker/upload/files.h"

enum { LEDGER_BATCH = 500 };

/* Marks the files that are stored already, whoever stored them: a row of that key, and an object of the same size whose
 * checksum the row tells, or the object itself. Others keep the time when their row was made. prefix: of all their keys. */
int ledger_recognise(struct run *run, struct bucket *bucket, const char *prefix, struct upload_files *files,
                     struct err *err);
/* Writes the rows of files[0 … len) in that state, but for those that say so already; etags[i] may be NULL. One bulk for
 * 500. */
int ledger_write(struct run *run, struct bucket *bucket, struct upload_file *files, size_t len,
                 enum file_state state, const char *const *etags, struct err *err);

#endif
