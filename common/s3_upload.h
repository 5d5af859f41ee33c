/* Inside common/bucket: the steps of storing one file. Nobody but s3_put.c and s3_upload.c includes
 * it. */
#ifndef COMMON_S3_UPLOAD_H
#define COMMON_S3_UPLOAD_H

#include "common/s3.h"

/* What an upload does next. All but parts need the one before to have ended. */
enum s3_step {
    STEP_OPEN,
    STEP_PUT,
    STEP_BEGIN,
    STEP_PART,
    STEP_COMPLETE,
    STEP_VERIFY,
    STEP_ABORT,
    STEP_END
};

struct s3_upload {
    struct bucket_put *put;
    enum s3_step next;
    int fd, busy;   /* busy: slots at work on it */
    const char *id; /* of a multipart upload that is open */
    bool strays;    /* its beginning was asked for twice: there may be one more */
    int64_t part_bytes;
    int parts, next_part; /* from 0 */
    bool doubted;         /* an ETag was no part's: they are sent again, and each is compared */
    bool sums;            /* what is sent is summed; the answer, or the completion, repeats that */
    const char **etags;   /* by part, with their sums, as they stand in XML */
    struct digest *whole; /* of the parts, which are hashed in order; NULL: nobody said what it must be */
};

/* Opens the file and decides how it is sent. */
int s3_upload_open(struct s3_upload *upload, struct arena *arena, struct err *err);
void s3_upload_close(struct s3_upload *upload);
/* All parts are sent: ERR_STORAGE_MISMATCH unless they are the file that was announced. */
int s3_upload_check(struct s3_upload *upload, struct err *err);
/* Adds to a call (whose arena is set) what the step needs. */
void s3_upload_describe(const struct s3_upload *upload, enum s3_step step, int part,
                        struct s3_call *call);
/* Takes over what the answer to a successful step says: 0, or as s3_judge. Strings that stay are
 * the arena's. */
int s3_upload_take(struct s3_upload *upload, enum s3_step step, int part,
                   const struct s3_call *call, struct arena *arena, struct err *err);

#endif
