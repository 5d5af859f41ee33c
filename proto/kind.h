/* The kinds of task: what each worker program does, with which parameters, bounds and delays. */
#ifndef PROTO_KIND_H
#define PROTO_KIND_H

#include "proto/doc.h"

enum kind { KIND_NONE, KIND_HELLO, KIND_DOWNLOAD, KIND_TRANSCODE, KIND_THUMBNAIL, KIND_UPLOAD, KIND_CLEANUP, KIND_STORAGE, KIND_COUNT };

struct kind_row {
    const char *name;
    const char *queue;        /* "mediafleet.<name>" */
    const struct doc *params; /* of task.params */
    const struct doc *result; /* of task.result */
    int64_t max_attempts;
    int64_t timeout_s; /* from the claim */
    int64_t slots;     /* default --slots of a worker process */
    int64_t room_percent; /* of MEDIAFLEET_MIN_FREE_BYTES that must be free for a claim: what begins jobs leaves room for
                             what ends them */
    bool batched;      /* short tasks: claims and settles gathered */
};

extern const struct kind_row kinds[KIND_COUNT]; /* [KIND_NONE] is empty */
extern const char *const kind_names[];

/* Pause before run `failures` + 1 after a transient failure, before jitter: 5 s, 30 s, 2 min, 10 min, 1 h. */
int64_t kind_backoff_ms(int64_t failures);

#endif
