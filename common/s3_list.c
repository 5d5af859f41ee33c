/* Many objects in one call: listing and deleting. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/s3_ops.h"
#include "common/s3_xml.h"

enum {
    PAGE = 1000,      /* S3's own bound */
    DELETE_PAGE = 500 /* R2 takes 1,000; half keeps the answers small */
};

/* A page of ListObjectsV2 while it is read. */
struct page {
    struct arena *arena;
    struct object *at, now;
    size_t len, limit;
    bool truncated, encoded;
};

static int read_size(const char *text, int64_t *out)
{
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 18 || text[digits] != '\0')
        return -1;
    *out = strtoll(text, NULL, 10);
    return 0;
}

static int read_object(struct page *page, const char *name, const char *text)
{
    struct object *now = &page->now;
    if (strcmp(name, "Size") == 0)
        return read_size(text, &now->size_bytes);
    if (strcmp(name, "Key") == 0)
        now->key = arena_strdup(page->arena, text);
    else if (strcmp(name, "ETag") == 0)
        now->etag = s3_etag(text, page->arena);
    else if (strcmp(name, "LastModified") == 0 && clock_parse(text, &now->modified_at))
        now->modified_at = 0;
    return 0;
}

static int read_page(void *arg, const char *path, const char *text)
{
    static const char object[] = "ListBucketResult/Contents";
    struct page *page = arg;
    if (strcmp(path, "ListBucketResult/IsTruncated") == 0)
        page->truncated = strcmp(text, "true") == 0;
    if (strcmp(path, "ListBucketResult/EncodingType") == 0)
        page->encoded = strcmp(text, "url") == 0;
    if (strncmp(path, object, sizeof object - 1) != 0)
        return 0;
    if (path[sizeof object - 1] == '/')
        return read_object(page, path + sizeof object, text);
    if (!page->now.key || page->len == page->limit) /* more than was asked for */
        return -1;
    page->at[page->len++] = page->now;
    page->now = (struct object){0};
    return 0;
}

static int digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* In place. '+' is a space: so AWS, MinIO and R2 write it. */
static void decode(char *key)
{
    char *to = key;
    for (const char *c = key; *c; c++) {
        if (*c == '%' && digit(c[1]) >= 0 && digit(c[2]) >= 0 && (c[1] != '0' || c[2] != '0')) {
            *to++ = (char)(digit(c[1]) * 16 + digit(c[2]));
            c += 2;
        } else {
            *to++ = *c == '+' ? ' ' : *c;
        }
    }
    *to = '\0';
}

/* Whoever asks for the next page must come further: a key that was mangled on its way would be
 * listed for ever. */
static int check_order(struct page *page, const char *after, struct err *err)
{
    for (size_t i = 0; i < page->len; i++) {
        const char *before = i > 0 ? page->at[i - 1].key : after;
        if (before && strcmp(before, page->at[i].key) >= 0)
            return err_set(err, ERR_STORAGE_UNAVAILABLE,
                           "the storage listed '%.200s' after '%.200s'", page->at[i].key, before);
    }
    return 0;
}

static int list_page(struct s3 *s3, const char *prefix, const char *after, struct page *page,
                     struct err *err)
{
    struct s3_call call = {.method = "GET", .arena = page->arena, .max_bytes = S3_ANSWER_BYTES};
    s3_query(&call, "list-type", "2");
    s3_query(&call, "encoding-type", "url"); /* XML cannot hold every key */
    s3_query(&call, "prefix", prefix);
    s3_query(&call, "max-keys", arena_printf(page->arena, "%zu", page->limit));
    if (after)
        s3_query(&call, "start-after", after);
    if (s3_perform(s3, &call, err))
        return err->code == ERR_OBJECT_NOT_FOUND ? (err->code = ERR_STORAGE_BUCKET, -1) : -1;
    const struct text *text = &call.http.text;
    if (s3_xml_read(text->len ? text->at : "", text->len, "ListBucketResult", read_page, page, err))
        return -1;
    if (page->truncated && page->len == 0)
        return err_set(err, ERR_STORAGE_UNAVAILABLE,
                       "the storage listed nothing, but there is more");
    for (size_t i = 0; page->encoded && i < page->len; i++)
        decode((char *)page->at[i].key);
    return check_order(page, after, err);
}

int s3_list(struct bucket *bucket, const char *prefix, const char *after, size_t limit,
            struct arena *arena, struct objects *out, struct err *err)
{
    struct objects found = {0};
    size_t room = 0;
    for (bool more = true; more && found.len < limit;) {
        size_t left = limit - found.len;
        struct page page = {.arena = arena, .limit = left < PAGE ? left : PAGE};
        page.at = arena_alloc_array(arena, page.limit, sizeof *page.at);
        if (list_page((struct s3 *)bucket, prefix, after, &page, err))
            return -1;
        more = page.truncated;
        if (found.len + page.len > room) {
            room = 2 * room + page.len;
            struct object *at = arena_alloc_array(arena, room, sizeof *at);
            if (found.len > 0)
                memcpy(at, found.at, found.len * sizeof *at);
            found.at = at;
        }
        if (page.len > 0)
            memcpy(found.at + found.len, page.at, page.len * sizeof *page.at);
        found.len += page.len;
        if (page.len > 0)
            after = page.at[page.len - 1].key;
    }
    *out = found;
    return 0;
}

/* The answer to DeleteObjects names the keys that failed. */
struct deletion {
    const char *const *keys;
    size_t len;
    struct err *errs, first;
    char key[1025], code[64];
};

static void deletion_failed(struct deletion *deletion)
{
    struct err err = {0};
    enum error error;
    if (strcmp(deletion->code, "NoSuchKey") == 0)
        return;
    (void)s3_code_error(deletion->code, 500, &error);
    err_set(&err, error, "delete '%.200s': %s", deletion->key, deletion->code);
    if (deletion->first.code == ERR_NONE)
        deletion->first = err;
    for (size_t i = 0; deletion->errs && i < deletion->len; i++)
        if (strcmp(deletion->keys[i], deletion->key) == 0)
            deletion->errs[i] = err;
}

static int read_deletion(void *arg, const char *path, const char *text)
{
    struct deletion *deletion = arg;
    if (strcmp(path, "DeleteResult/Error/Key") == 0)
        snprintf(deletion->key, sizeof deletion->key, "%s", text);
    else if (strcmp(path, "DeleteResult/Error/Code") == 0)
        snprintf(deletion->code, sizeof deletion->code, "%s", text);
    else if (strcmp(path, "DeleteResult/Error") == 0)
        deletion_failed(deletion);
    return 0;
}

static int delete_page(struct s3 *s3, struct deletion *deletion, struct arena *arena,
                       struct err *err)
{
    struct text body = {.arena = arena};
    struct s3_call call = {.method = "POST", .arena = arena, .max_bytes = S3_ANSWER_BYTES};
    text_puts(&body, "<Delete><Quiet>true</Quiet>");
    for (size_t i = 0; i < deletion->len; i++) /* valid keys have nothing to escape */
        text_printf(&body, "<Object><Key>%s</Key></Object>", deletion->keys[i]);
    text_puts(&body, "</Delete>");
    call.body = body.at;
    call.body_len = (int64_t)body.len;
    s3_query(&call, "delete", "");
    s3_header(&call, "content-type", "application/xml");
    if (s3_perform(s3, &call, err))
        return -1;
    const struct text *text = &call.http.text;
    if (text->len > 0 &&
        s3_xml_read(text->at, text->len, "DeleteResult", read_deletion, deletion, err))
        return -1;
    if (deletion->first.code == ERR_NONE)
        return 0;
    *err = deletion->first;
    return -1;
}

int s3_delete(struct bucket *bucket, const char *const *keys, size_t len, struct err *errs,
              struct err *err)
{
    int result = 0;
    for (size_t at = 0; at < len; at += DELETE_PAGE) {
        struct arena arena = {0};
        struct err own = {0};
        size_t page = len - at < DELETE_PAGE ? len - at : DELETE_PAGE;
        struct deletion deletion = {
            .keys = keys + at, .len = page, .errs = errs ? errs + at : NULL};
        int failed = delete_page((struct s3 *)bucket, &deletion, &arena, &own);
        arena_release(&arena);
        if (!failed)
            continue;
        for (size_t i = at; errs && deletion.first.code == ERR_NONE && i < at + page; i++)
            errs[i] = own; /* the call itself failed: nobody knows of any key */
        if (result == 0)
            *err = own;
        result = -1;
    }
    return result;
}
