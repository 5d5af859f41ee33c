/* The steps of storing one file: whole below 16 MiB, else in equal parts. */
#include "common/s3_upload.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/s3_xml.h"
#include "proto/file_path.h"

#define MIB (INT64_C(1) << 20)
#define SIZE_MAX_BYTES (INT64_C(5) << 40) /* of an object, everywhere */

enum {
    PART_MIB = 16,    /* AWS's advice for speed: 8 to 16; smaller files are sent whole */
    PARTS_MAX = 10000 /* AWS, R2 and MinIO */
};

int s3_upload_open(struct s3_upload *upload, struct arena *arena, struct err *err)
{
    const struct bucket_put *put = upload->put;
    struct stat file;
    if (put->size_bytes > SIZE_MAX_BYTES)
        return err_set(err, ERR_OBJECT_TOO_LARGE, "'%.200s' has more than 5 TiB", put->key);
    upload->fd = open(put->path, O_RDONLY | O_CLOEXEC);
    if (upload->fd < 0 || fstat(upload->fd, &file))
        return err_errno(err, errno, "open the file of '%.200s'", put->key);
    if (!S_ISREG(file.st_mode) || file.st_size != put->size_bytes)
        return err_set(err, ERR_STORAGE_MISMATCH, "the file of '%.200s' has not %lld bytes",
                       put->key, (long long)put->size_bytes);
    if (put->size_bytes < PART_MIB * MIB) {
        upload->next = STEP_PUT;
        return 0;
    }
    /* Equal parts but for the last: R2 insists. */
    int64_t least = (put->size_bytes + PARTS_MAX - 1) / PARTS_MAX;
    int64_t mib = (least + MIB - 1) / MIB;
    upload->part_bytes = (mib > PART_MIB ? mib : PART_MIB) * MIB;
    upload->parts = (int)((put->size_bytes + upload->part_bytes - 1) / upload->part_bytes);
    upload->etags = arena_alloc_array(arena, (size_t)upload->parts, sizeof *upload->etags);
    upload->whole = put->sha256 ? digest_begin() : NULL;
    upload->next = STEP_BEGIN;
    return 0;
}

void s3_upload_close(struct s3_upload *upload)
{
    if (upload->fd >= 0)
        close(upload->fd);
    upload->fd = -1;
    if (upload->whole)
        digest_end(upload->whole, NULL);
    upload->whole = NULL;
}

int s3_upload_check(struct s3_upload *upload, struct err *err)
{
    uint8_t sum[DIGEST_LEN];
    char hex[DIGEST_HEX_LEN + 1];
    if (!upload->whole)
        return 0;
    digest_end(upload->whole, sum);
    upload->whole = NULL;
    digest_hex(sum, hex);
    if (strcmp(hex, upload->put->sha256) == 0)
        return 0;
    return err_set(err, ERR_STORAGE_MISMATCH, "the file of '%.200s' is not what it was",
                   upload->put->key);
}

static void describe_object(struct s3_call *call, const struct bucket_put *put)
{
    const struct file_kind *kind = file_kind(put->key);
    s3_header(call, "content-type", put->content_type ? put->content_type : kind->content_type);
    s3_header(call, "cache-control", put->cache_control ? put->cache_control : kind->cache_control);
    s3_header(call, "x-amz-meta-sha256", put->sha256);
}

static void describe_part(struct s3_call *call, const struct s3_upload *upload, int part)
{
    int64_t left = upload->put->size_bytes - part * upload->part_bytes;
    call->body_fd = upload->fd;
    call->body_offset = part * upload->part_bytes;
    call->body_len = left < upload->part_bytes ? left : upload->part_bytes;
    call->named = !upload->doubted; /* the completion must repeat it */
    call->summed = upload->sums;
    s3_query(call, "partNumber", arena_printf(call->arena, "%d", part + 1));
}

static void describe_completion(struct s3_call *call, const struct s3_upload *upload)
{
    struct text text = {.arena = call->arena};
    text_puts(&text, "<CompleteMultipartUpload>");
    for (int i = 0; i < upload->parts; i++)
        text_printf(&text, "<Part><PartNumber>%d</PartNumber>%s</Part>", i + 1, upload->etags[i]);
    text_puts(&text, "</CompleteMultipartUpload>");
    call->body = text.at;
    call->body_len = (int64_t)text.len;
    call->patient = true;
}

void s3_upload_describe(const struct s3_upload *upload, enum s3_step step, int part,
                        struct s3_call *call)
{
    static const char *const methods[] = {
        [STEP_PUT] = "PUT",       [STEP_BEGIN] = "POST",  [STEP_PART] = "PUT",
        [STEP_COMPLETE] = "POST", [STEP_VERIFY] = "HEAD", [STEP_ABORT] = "DELETE",
    };
    call->method = methods[step];
    call->key = upload->put->key;
    if (step == STEP_PART || step == STEP_COMPLETE || step == STEP_ABORT)
        s3_query(call, "uploadId", upload->id);
    if (step == STEP_PUT) {
        call->body_fd = upload->fd;
        call->body_len = upload->put->size_bytes;
        call->body_sha256 = upload->put->sha256;
        call->summed = call->named = upload->sums;
        describe_object(call, upload->put);
    } else if (step == STEP_BEGIN) {
        s3_query(call, "uploads", "");
        s3_header(call, "x-amz-checksum-algorithm", upload->sums ? "SHA256" : NULL);
        describe_object(call, upload->put);
    } else if (step == STEP_PART) {
        describe_part(call, upload, part);
    } else if (step == STEP_COMPLETE) {
        describe_completion(call, upload);
    }
}

struct initiated {
    struct arena *arena;
    const char *id;
};

static int read_upload_id(void *arg, const char *path, const char *text)
{
    struct initiated *initiated = arg;
    if (strcmp(path, "InitiateMultipartUploadResult/UploadId") == 0)
        initiated->id = arena_strdup(initiated->arena, text);
    return 0;
}

static int take_upload_id(struct s3_upload *upload, const struct s3_call *call, struct arena *arena,
                          struct err *err)
{
    struct initiated initiated = {.arena = arena};
    const struct text *text = &call->http.text;
    if (s3_xml_read(text->len ? text->at : "", text->len, "InitiateMultipartUploadResult",
                    read_upload_id, &initiated, err))
        return -1;
    if (!initiated.id || !*initiated.id)
        return err_set(err, ERR_STORAGE_UNAVAILABLE, "the storage gave no upload id");
    upload->id = initiated.id;
    upload->next = STEP_PART;
    return 0;
}

/* An ETag of 32 hex digits is the content's MD5, unless the server encrypts with keys of its own.
 */
static int check_etag(const struct s3_call *call, const char *etag, struct err *err)
{
    if (!etag || !call->md5[0] || call->foreign_etag || strlen(etag) != 32 ||
        strspn(etag, "0123456789abcdef") != 32 || strcmp(etag, call->md5) == 0)
        return 0;
    err_set(err, ERR_STORAGE_MISMATCH, "what arrived of '%.200s' is not what was sent", call->key);
    return 1;
}

/* Whoever does not repeat a sum gets none any more, and says by the ETag what arrived. */
static int take_file(struct s3_upload *upload, const struct s3_call *call, const char *etag,
                     struct err *err)
{
    if (check_etag(call, etag, err))
        return 1;
    upload->sums = upload->sums && call->told_sum;
    if (call->summed && (!call->told_sum || strcmp(call->told_sum, call->sum) != 0)) {
        err_set(err, ERR_STORAGE_MISMATCH, "'%.200s' is not said to have arrived as it was sent",
                call->key);
        return 1;
    }
    upload->put->etag = etag;
    upload->next = STEP_END;
    return 0;
}

static int take_part(struct s3_upload *upload, int part, const struct s3_call *call,
                     const char *etag, struct arena *arena, struct err *err)
{
    if (!etag)
        return err_set(err, ERR_STORAGE_UNAVAILABLE, "a part was stored without an ETag"), 1;
    if (check_etag(call, etag, err))
        return 1;
    const char *sum = "";
    if (upload->sums)
        sum = arena_printf(arena, "<ChecksumSHA256>%s</ChecksumSHA256>", call->sum);
    upload->etags[part] = arena_printf(arena, "<ETag>&quot;%s&quot;</ETag>%s", etag, sum);
    return 0;
}

static int take_verification(struct s3_upload *upload, const struct s3_call *call, const char *etag,
                             struct err *err)
{
    struct bucket_put *put = upload->put;
    if (call->http.content_length != put->size_bytes ||
        (put->sha256 && call->sha256 && strcmp(put->sha256, call->sha256) != 0))
        return err_set(err, ERR_STORAGE_MISMATCH, "'%.200s' is not stored as it was sent",
                       put->key);
    put->etag = etag;
    upload->id = NULL;
    upload->next = STEP_END;
    return 0;
}

int s3_upload_take(struct s3_upload *upload, enum s3_step step, int part,
                   const struct s3_call *call, struct arena *arena, struct err *err)
{
    const char *etag = s3_etag(call->http.etag, arena);
    switch (step) {
    case STEP_PUT:
        return take_file(upload, call, etag, err);
    case STEP_BEGIN:
        return take_upload_id(upload, call, arena, err);
    case STEP_PART:
        return take_part(upload, part, call, etag, arena, err);
    case STEP_COMPLETE:
        upload->next = STEP_VERIFY;
        return 0;
    case STEP_VERIFY:
        return take_verification(upload, call, etag, err);
    default: /* aborted */
        upload->id = NULL;
        upload->next = STEP_END;
        return 0;
    }
}
