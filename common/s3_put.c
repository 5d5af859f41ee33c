/* Storing many files at once: which step runs next, and what follows when one fails. */
#include <string.h>

#include "common/clock.h"
#include "common/s3_ops.h"
#include "common/s3_upload.h"

enum {
    LEARN_BYTES = 64 << 20, /* from so many on, what they cost less is more than a request */
    ABORT_TRIES = 2,        /* the cleanup aborts by prefix what is left */
    ABORT_MS = 5000,
    ABORT_STOPPED_MS = 700
};

/* One transfer under way, or waiting for its next try. */
struct slot {
    struct s3_upload *upload; /* NULL: free */
    enum s3_step step;
    int part, tries;
    bool flying;
    int64_t due_ms;
    struct arena arena; /* of one try: memory does not grow with the number of parts */
    struct s3_call call;
};

struct sender {
    struct s3 *s3;
    const struct bucket_watch *watch;
    struct arena *arena;
    struct s3_upload *uploads;
    size_t len, first; /* first: all before it have ended */
    struct slot slots[S3_PARALLEL_MAX];
    struct err fatal; /* why nothing more is begun */
};

/* Whether the trouble is this file's own, so that the others go on. */
static bool is_own(enum error code)
{
    return code == ERR_IO_ERROR || code == ERR_STORAGE_MISMATCH || code == ERR_OBJECT_TOO_LARGE;
}

static void fail(struct sender *sender, struct s3_upload *upload, const struct err *err)
{
    struct bucket_put *put = upload->put;
    if (put->err.code == ERR_NONE)
        put->err = *err;
    put->etag = NULL;
    upload->next = upload->id ? STEP_ABORT : STEP_END;
    if (!is_own(err->code) && sender->fatal.code == ERR_NONE)
        sender->fatal = *err;
}

static void complete(struct sender *sender, struct s3_upload *upload)
{
    struct err err = {0};
    upload->next = STEP_COMPLETE;
    if (s3_upload_check(upload, &err))
        fail(sender, upload, &err);
}

/* The step that a free slot may take for this upload, STEP_END if none now. */
static enum s3_step pick(struct sender *sender, struct s3_upload *upload, int *part)
{
    bool wanted = upload->next != STEP_ABORT && upload->next != STEP_END;
    if (sender->fatal.code != ERR_NONE && wanted)
        fail(sender, upload, &sender->fatal);
    if (upload->next == STEP_OPEN) {
        struct err err = {0};
        upload->sums = sender->s3->checks == S3_CHECKS_SUMS;
        if (s3_upload_open(upload, sender->arena, &err))
            fail(sender, upload, &err);
    }
    if (upload->next == STEP_PART && upload->next_part < upload->parts) {
        *part = upload->next_part++;
        return STEP_PART;
    }
    if (upload->busy > 0)
        return STEP_END;
    if (upload->next == STEP_PART)
        complete(sender, upload);
    if (upload->next == STEP_END)
        s3_upload_close(upload);
    return upload->next;
}

static void release(struct slot *slot)
{
    slot->upload->busy--;
    slot->upload = NULL;
    slot->flying = false;
}

/* Starts the slot's next try; NULL if not even that was possible. */
static struct http_request *launch(struct sender *sender, struct slot *slot)
{
    struct err err = {0};
    struct s3_call *call = &slot->call;
    int64_t reported = slot->tries > 0 ? call->reported : 0;
    bool abort = slot->step == STEP_ABORT; /* what is done when somebody stops us */
    arena_reset(&slot->arena);
    *call = (struct s3_call){
        .watch = abort ? NULL : sender->watch, .arena = &slot->arena, .reported = reported};
    s3_upload_describe(slot->upload, slot->step, slot->part, call);
    call->reread = slot->tries > 0; /* is it the file that changed? */
    if (slot->step == STEP_PART && slot->tries == 0)
        call->also = slot->upload->whole;
    if (s3_prepare(sender->s3, call, &err)) {
        fail(sender, slot->upload, &err);
        release(slot);
        return NULL;
    }
    if (abort)
        call->http.total_timeout_ms =
            sender->fatal.code == ERR_CANCELLED ? ABORT_STOPPED_MS : ABORT_MS;
    call->http.fresh = slot->tries > 0;
    if (slot->tries > 0)
        s3_note_retry(sender->s3);
    slot->tries++;
    slot->flying = true;
    return &call->http;
}

/* A slot between two tries goes on when its time has come, or is given up when there is no point
 * any more. */
static struct http_request *resume(struct sender *sender, struct slot *slot, int64_t *wait_ms)
{
    int64_t left = slot->due_ms - clock_mono_ms();
    bool failed = slot->upload->put->err.code != ERR_NONE;
    if ((failed || sender->fatal.code != ERR_NONE) && slot->step != STEP_ABORT) {
        if (!failed)
            fail(sender, slot->upload, &sender->fatal);
        release(slot);
        return NULL;
    }
    if (left <= 0)
        return launch(sender, slot);
    if (*wait_ms == 0 || left < *wait_ms)
        *wait_ms = left;
    return NULL;
}

static struct http_request *begin(struct sender *sender, struct slot *slot)
{
    for (size_t i = sender->first; i < sender->len;) {
        struct s3_upload *upload = &sender->uploads[i];
        int part = 0;
        enum s3_step step = pick(sender, upload, &part);
        if (step == STEP_END) {
            i++;
            continue;
        }
        slot->upload = upload;
        slot->step = step;
        slot->part = part;
        slot->tries = 0;
        upload->busy++;
        struct http_request *request = launch(sender, slot);
        if (request)
            return request; /* else the same upload is asked what it needs now */
    }
    return NULL;
}

static void look_around(struct sender *sender)
{
    const struct bucket_watch *watch = sender->watch;
    if (sender->fatal.code == ERR_NONE && watch && watch->stopped && watch->stopped(watch->arg))
        err_set(&sender->fatal, ERR_CANCELLED, "storing was stopped");
    for (; sender->first < sender->len; sender->first++) {
        struct s3_upload *upload = &sender->uploads[sender->first];
        if (upload->next != STEP_END || upload->busy > 0)
            return;
        s3_upload_close(upload);
    }
}

static struct http_request *next(void *arg, int64_t *wait_ms)
{
    struct sender *sender = arg;
    struct slot *idle = NULL;
    look_around(sender);
    for (int i = 0; i < sender->s3->parallel; i++) {
        struct slot *slot = &sender->slots[i];
        struct http_request *request = NULL;
        if (slot->upload && !slot->flying)
            request = resume(sender, slot, wait_ms);
        if (request)
            return request;
        if (!slot->upload)
            idle = slot;
    }
    return idle ? begin(sender, idle) : NULL;
}

/* The last word on a step that had its tries, or that no other try would help. */
static void give_up(struct sender *sender, struct slot *slot, struct err *err)
{
    struct s3_upload *upload = slot->upload;
    bool unknown_upload = strcmp(slot->call.code, "NoSuchUpload") == 0;
    bool invalid_part = strcmp(slot->call.code, "InvalidPart") == 0;
    if (slot->step == STEP_ABORT) {
        upload->id = NULL;
        upload->next = STEP_END;
    } else if (slot->step == STEP_COMPLETE && unknown_upload) {
        /* The answer to an earlier try may have been lost: then the object is there. */
        upload->next = STEP_VERIFY;
    } else if (slot->step == STEP_COMPLETE && invalid_part && !upload->doubted) {
        upload->doubted = true;
        upload->next = STEP_PART;
        upload->next_part = 0;
    } else {
        if (slot->step == STEP_VERIFY && err->code == ERR_OBJECT_NOT_FOUND)
            err->code = ERR_STORAGE_MISMATCH;
        fail(sender, upload, err);
    }
}

/* A server that compares the sum of a PUT need not take those of parts, or may refuse an upload
 * that announces them: then it begins anew without. again: what came of the beginning. */
static bool forgo_sums(const struct slot *slot, int again)
{
    struct s3_upload *upload = slot->upload;
    bool taken = again == 0 && slot->call.takes_sums;
    if (slot->step != STEP_BEGIN || !upload->sums || again > 0 || taken)
        return false;
    upload->strays = upload->strays || again == 0;
    upload->sums = false;
    upload->next = STEP_BEGIN;
    return true;
}

static void done(void *arg, struct http_request *request)
{
    struct sender *sender = arg;
    struct slot *slot = (struct slot *)((char *)request->arg - offsetof(struct slot, call));
    struct s3_upload *upload = slot->upload;
    struct err err = {0};
    bool summed = upload->sums;
    slot->flying = false;
    if (upload->put->err.code != ERR_NONE && slot->step != STEP_ABORT) {
        release(slot); /* another part has failed meanwhile */
        return;
    }
    int again = s3_judge(&slot->call, &err);
    upload->strays = upload->strays || (slot->step == STEP_BEGIN && slot->tries > 1);
    if (again == 0)
        again = s3_upload_take(upload, slot->step, slot->part, &slot->call, sender->arena, &err);
    if (forgo_sums(slot, again))
        again = 0;
    if (summed && !upload->sums) /* nor does any other file get them */
        sender->s3->checks = S3_CHECKS_SHA256;
    int tries = slot->step == STEP_ABORT ? ABORT_TRIES : S3_TRIES;
    int64_t pause_ms = s3_pause_ms(slot->tries, err.retry_after_ms);
    if (again > 0 && slot->tries < tries && pause_ms >= 0) {
        slot->due_ms = clock_mono_ms() + pause_ms;
        return;
    }
    if (again != 0)
        give_up(sender, slot, &err);
    release(slot);
}

/* Where the answer to a beginning was lost, an upload is open that nobody knows: of an object that
 * is whole, every open one is too many. Those of failed ones are found by the next run, or by the
 * cleanup. */
static void abort_strays(struct sender *sender)
{
    for (size_t i = 0; i < sender->len; i++) {
        struct bucket_put *put = sender->uploads[i].put;
        size_t aborted = 0;
        if (!sender->uploads[i].strays || put->err.code != ERR_NONE)
            continue;
        if (s3_abort_uploads(&sender->s3->bucket, put->key, &aborted, &put->err))
            put->etag = NULL;
    }
}

int s3_put(struct bucket *bucket, struct bucket_put *puts, size_t len,
           const struct bucket_watch *watch, struct arena *arena, struct err *err)
{
    struct sender *sender = arena_alloc(arena, sizeof *sender);
    *sender =
        (struct sender){.s3 = (struct s3 *)bucket, .watch = watch, .arena = arena, .len = len};
    sender->uploads = arena_alloc_array(arena, len, sizeof *sender->uploads);
    for (size_t i = 0; i < len; i++) {
        sender->uploads[i] = (struct s3_upload){.put = &puts[i], .fd = -1};
        sender->s3->put_bytes += puts[i].size_bytes;
    }
    if (sender->s3->checks == S3_CHECKS_UNKNOWN && sender->s3->put_bytes >= LEARN_BYTES)
        s3_learn(sender->s3, watch);
    const struct http_batch batch = {next, done, sender, sender->s3->parallel};
    int failed = http_perform_all(sender->s3->http, &batch, err);
    for (int i = 0; i < S3_PARALLEL_MAX; i++)
        arena_release(&sender->slots[i].arena);
    for (size_t i = 0; i < len; i++)
        s3_upload_close(&sender->uploads[i]);
    if (failed)
        return -1;
    abort_strays(sender);
    return bucket_first_error(puts, len, err);
}
