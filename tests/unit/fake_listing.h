/* A bucket that only lists: what a test has put into `fake_listing`, sorted, or what it makes up. For programs of one
 * file. */
#ifndef TESTS_FAKE_LISTING_H
#define TESTS_FAKE_LISTING_H

#include "check.h"

#include "common/bucket_admin.h"

static struct {
    /* Object number `i`; false: there are no more. Keys ascend. */
    bool (*object)(size_t i, struct object *out, struct arena *arena);
    size_t next; /* the one after the last page */
    int pages, fail_at; /* fail_at: the page that cannot be had, from 1 on */
    size_t most_bytes;  /* of a page's arena */
    int64_t uploads;
} fake_listing;

int bucket_list(struct bucket *bucket, const char *prefix, const char *after, size_t limit, struct arena *arena,
                struct objects *out, struct err *err)
{
    (void)bucket;
    CHECK_STR(prefix, "");
    if (++fake_listing.pages == fake_listing.fail_at)
        return err_set(err, ERR_STORAGE_TIMEOUT, "no answer");
    if (!after)
        fake_listing.next = 0;
    *out = (struct objects){.at = arena_alloc_array(arena, limit, sizeof *out->at)};
    while (out->len < limit && fake_listing.object(fake_listing.next, &out->at[out->len], arena)) {
        CHECK(!after || strcmp(out->at[out->len].key, after) > 0);
        fake_listing.next++;
        out->len++;
    }
    if (arena->bytes > fake_listing.most_bytes)
        fake_listing.most_bytes = arena->bytes;
    return 0;
}

int bucket_count_uploads(struct bucket *bucket, int64_t *out, struct err *err)
{
    (void)bucket, (void)err;
    *out = fake_listing.uploads;
    return 0;
}

const char *bucket_backend(const struct bucket *bucket)
{
    (void)bucket;
    return "fake";
}

#endif
