/* The table of kinds. */
#include "proto/kind.h"

#include "proto/cleanup.h"
#include "proto/download.h"
#include "proto/hello.h"
#include "proto/storage_job.h"
#include "proto/thumbnail.h"
#include "proto/transcode.h"
#include "proto/upload.h"

#define KIND(word)                                                                                 \
    .name = #word, .queue = "mediafleet." #word, .params = &word##_params_doc,                     \
    .result = &word##_result_doc

/* Attempts and slots: DESIGN; timeouts: the longest work that is still honest work for 6 h of
 * video. */
const struct kind_row kinds[KIND_COUNT] = {
    [KIND_HELLO] = {KIND(hello), .max_attempts = 3, .timeout_s = 3700, .slots = 64,
                    .batched = true},
    [KIND_DOWNLOAD] = {KIND(download), .max_attempts = 3, .timeout_s = 6 * 3600, .slots = 100,
                       .room_percent = 100},
    [KIND_TRANSCODE] = {KIND(transcode), .max_attempts = 2, .timeout_s = 24 * 3600, .slots = 1,
                        .room_percent = 25},
    [KIND_THUMBNAIL] = {KIND(thumbnail), .max_attempts = 2, .timeout_s = 600, .slots = 1,
                        .room_percent = 25},
    [KIND_UPLOAD] = {KIND(upload), .max_attempts = 3, .timeout_s = 6 * 3600, .slots = 4},
    [KIND_CLEANUP] = {KIND(cleanup), .max_attempts = 5, .timeout_s = 6 * 3600, .slots = 2},
    [KIND_STORAGE] = {KIND(storage), .max_attempts = 5, .timeout_s = 24 * 3600, .slots = 2},
};

const char *const kind_names[] = {NULL,        "hello",  "download", "transcode",
                                  "thumbnail", "upload", "cleanup",  "storage", NULL};

int64_t kind_backoff_ms(int64_t failures)
{
    static const int64_t steps_s[] = {5, 30, 120, 600, 3600};
    const int64_t last = (int64_t)(sizeof steps_s / sizeof steps_s[0]) - 1;
    int64_t step = failures < 1 ? 0 : failures - 1;
    return steps_s[step > last ? last : step] * 1000;
}
