/* A page, its objects, the next page; sums by type, and by project in a table that stays small. */
#include "common/usage_scan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/bucket_admin.h"
#include "common/cleanup.h"
#include "proto/key_owner.h"

enum { PAGE = 1000, PROJECTS = 512, TYPES = FILE_DOCUMENT + 1 };

struct sum {
    char project[IDENT_MAX + 1];
    uint64_t hash;
    int64_t size_bytes, object_count;
};

struct tally {
    struct sum types[TYPES];
    struct sum projects[PROJECTS];
    size_t len;
    struct sum now; /* of the project whose objects come now */
    int64_t size_bytes, object_count;
};

static uint64_t hash_of(const char *text)
{
    uint64_t hash = UINT64_C(0xCBF29CE484222325);
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001B3);
    return hash;
}

/* The project's place in the table; the smallest one's if it has none. */
static struct sum *place_of(struct tally *tally, const struct sum *sum)
{
    struct sum *smallest = &tally->projects[0];
    for (size_t i = 0; i < tally->len; i++) {
        struct sum *at = &tally->projects[i];
        if (at->hash == sum->hash && strcmp(at->project, sum->project) == 0)
            return at;
        if (at->size_bytes < smallest->size_bytes)
            smallest = at;
    }
    return tally->len < PROJECTS ? &tally->projects[tally->len++] : smallest;
}

/* The objects of the project that came last are all there, at least those with keys of one form. */
static void close_project(struct tally *tally)
{
    struct sum *now = &tally->now;
    if (now->object_count == 0)
        return;
    now->hash = hash_of(now->project);
    struct sum *place = place_of(tally, now);
    if (place->object_count == 0 || strcmp(place->project, now->project) != 0) {
        if (place->object_count == 0 || place->size_bytes < now->size_bytes)
            *place = *now;
    } else {
        place->size_bytes += now->size_bytes;
        place->object_count += now->object_count;
    }
    *now = (struct sum){0};
}

static void add(struct sum *sum, int64_t size_bytes)
{
    sum->size_bytes += size_bytes;
    sum->object_count++;
}

static void count(struct tally *tally, const struct object *object)
{
    struct key_owner owner;
    key_owner_read(object->key, &owner);
    if (strcmp(owner.project, tally->now.project) != 0) {
        close_project(tally);
        memcpy(tally->now.project, owner.project, sizeof owner.project);
    }
    add(&tally->now, object->size_bytes);
    add(&tally->types[owner.type], object->size_bytes);
    tally->size_bytes += object->size_bytes;
    tally->object_count++;
}

/* The largest first; of the same size by name, so that two scans of the same say the same. */
static int by_size(const void *left, const void *right)
{
    const struct sum *a = left, *b = right;
    if (a->size_bytes != b->size_bytes)
        return a->size_bytes < b->size_bytes ? 1 : -1;
    return strcmp(a->project, b->project);
}

static void tell_projects(struct tally *tally, struct arena *arena, struct usage_projects *out)
{
    qsort(tally->projects, tally->len, sizeof *tally->projects, by_size);
    out->len = tally->len < USAGE_PROJECTS_MAX ? tally->len : USAGE_PROJECTS_MAX;
    out->at = arena_alloc_array(arena, out->len, sizeof *out->at);
    for (size_t i = 0; i < out->len; i++) {
        const struct sum *sum = &tally->projects[i];
        out->at[i] = (struct usage_project){
            .project_id = sum->project[0] ? arena_strdup(arena, sum->project) : NULL,
            .size_bytes = sum->size_bytes,
            .object_count = sum->object_count,
        };
    }
}

static int by_type_size(const void *left, const void *right)
{
    const struct usage_type *a = left, *b = right;
    if (a->size_bytes != b->size_bytes)
        return a->size_bytes < b->size_bytes ? 1 : -1;
    return (a->file_type > b->file_type) - (a->file_type < b->file_type);
}

static void tell_types(const struct tally *tally, struct arena *arena, struct usage_types *out)
{
    *out = (struct usage_types){.at = arena_alloc_array(arena, TYPES, sizeof *out->at)};
    for (unsigned type = 0; type < TYPES; type++)
        if (tally->types[type].object_count > 0)
            out->at[out->len++] = (struct usage_type){
                .file_type = (enum file_type)type,
                .size_bytes = tally->types[type].size_bytes,
                .object_count = tally->types[type].object_count,
            };
    qsort(out->at, out->len, sizeof *out->at, by_type_size);
}

static int scan_pages(struct bucket *bucket, const struct usage_watch *watch, struct tally *tally,
                      struct arena *page, struct err *err)
{
    char after[OBJECT_KEY_MAX + 1];
    struct objects objects = {0};
    do {
        bool first = objects.len == 0;
        arena_reset(page);
        if ((watch && watch->step(watch->arg, err)) ||
            bucket_list(bucket, "", first ? NULL : after, PAGE, page, &objects, err))
            return -1;
        for (size_t i = 0; i < objects.len; i++)
            count(tally, &objects.at[i]);
        if (objects.len > 0)
            snprintf(after, sizeof after, "%s", objects.at[objects.len - 1].key);
    } while (objects.len == PAGE);
    close_project(tally);
    return 0;
}

int usage_scan(struct bucket *bucket, const struct usage_watch *watch, struct arena *arena,
               struct bucket_usage *out, struct err *err)
{
    struct arena page = {0};
    struct tally *tally = arena_alloc(arena, sizeof *tally);
    int failed = scan_pages(bucket, watch, tally, &page, err);
    arena_release(&page);
    if (failed || bucket_count_uploads(bucket, &out->multipart_uploads_open, err))
        return -1;
    out->total_size_bytes = tally->size_bytes;
    out->object_count = tally->object_count;
    tell_types(tally, arena, &out->by_file_type);
    tell_projects(tally, arena, &out->by_project);
    return 0;
}
