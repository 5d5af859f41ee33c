/* Duplicates: rows in the order of their checksums, a page at a time; neighbours of the same one
 * are of the same content. */
#include <stdio.h>
#include <string.h>

#include "common/store_sum.h"
#include "proto/file_path.h"
#include "worker/storage/report.h"

enum { PAGE = 1000 };

struct counting {
    struct run *run;
    struct file_path filter;
    struct storage_result *result;
    struct arena page; /* of one page */
    char after[65];
};

/* The list stays sorted, the most wasteful first. */
static void keep(struct storage_groups *list, const struct storage_group *group,
                 struct arena *arena)
{
    size_t at = list->len;
    if (at == STORAGE_TOLD_MAX && list->at[at - 1].saved_bytes >= group->saved_bytes)
        return;
    if (at == STORAGE_TOLD_MAX)
        at = --list->len;
    for (; at > 0 && list->at[at - 1].saved_bytes < group->saved_bytes; at--)
        list->at[at] = list->at[at - 1];
    list->at[at] = *group;
    list->at[at].sha256 = arena_strdup(arena, group->sha256);
    list->len++;
}

static void add_group(struct counting *all, const struct file_path *first, int64_t objects,
                      int64_t total)
{
    const struct storage_group group = {.sha256 = first->sha256,
                                        .objects = objects,
                                        .size_bytes = first->size_bytes,
                                        .saved_bytes = total - first->size_bytes};
    all->result->objects += objects;
    all->result->bytes += total;
    if (objects < 2)
        return;
    all->result->groups++;
    all->result->duplicates += objects - 1;
    all->result->saved_bytes += group.saved_bytes;
    keep(&all->result->group_list, &group, run_arena(all->run));
}

/* The last group of a page may go on behind it: the store counts it. */
static int add_last_group(struct counting *all, const struct file_path *first, struct err *err)
{
    struct file_path filter = all->filter;
    struct store_sum *sum;
    size_t len;
    filter.sha256 = first->sha256;
    if (store_sum(run_store(all->run), FILE_PATH_COLLECTION, &file_path_doc, &filter, NULL,
                  "size_bytes", 1, &all->page, &sum, &len, err))
        return -1;
    if (len > 0) /* none: deleted in the meantime */
        add_group(all, first, sum->count, sum->total);
    return 0;
}

static int add_page(struct counting *all, const struct file_path *rows, size_t len, struct err *err)
{
    size_t first = 0;
    int64_t total = 0;
    for (size_t i = 0; i < len; i++) {
        if (strcmp(rows[i].sha256, rows[first].sha256) != 0) {
            add_group(all, &rows[first], (int64_t)(i - first), total);
            first = i;
            total = 0;
        }
        total += rows[i].size_bytes;
    }
    snprintf(all->after, sizeof all->after, "%s", rows[len - 1].sha256);
    return add_last_group(all, &rows[first], err);
}

static int count_all(struct counting *all, struct err *err)
{
    struct store_page page = {
        .filter = &all->filter, .after = all->after, .limit = PAGE, .order = "sha256"};
    char message[96];
    void *rows;
    size_t len;
    do {
        if (run_stopped(all->run))
            return run_stop_error(all->run, err);
        arena_reset(&all->page);
        if (store_find(run_store(all->run), FILE_PATH_COLLECTION, &file_path_doc, &page, &all->page,
                       &rows, &len, err))
            return -1;
        if (len > 0 && add_page(all, rows, len, err))
            return -1;
        snprintf(message, sizeof message, "%lld objects, %lld groups",
                 (long long)all->result->objects, (long long)all->result->groups);
        run_progress(all->run, 0, message);
    } while (len == PAGE);
    return 0;
}

int storage_duplicates(struct run *run, const void *in, void *out, struct err *err)
{
    const struct storage_params *params = in;
    struct bucket *bucket;
    if (run_bucket(run, &bucket, err))
        return -1;
    struct counting all = {.run = run, .result = out};
    all.filter = (struct file_path){.backend = bucket_backend(bucket),
                                    .project_id = params->duplicates.project_id,
                                    .state = FILE_STORED};
    all.result->group_list.at =
        arena_alloc_array(run_arena(run), STORAGE_TOLD_MAX, sizeof *all.result->group_list.at);
    int failed = count_all(&all, err);
    arena_release(&all.page);
    return failed;
}
