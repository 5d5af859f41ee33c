/* Pattern by pattern, page by page of the bucket's listing. */
#include <string.h>

#include "worker/cleanup/project.h"

struct page {
    struct discoveries found;
    const char **keys; /* those to be deleted */
    int64_t *sizes, bytes;
    size_t len;
    struct err *errs;
};

static int read_page(struct project_run *project, struct arena *arena, struct page *page,
                     struct err *err)
{
    const struct cleanup_state *state = &project->result->state;
    *page = (struct page){0};
    if (discover_page(project->discover, (enum project_pattern)state->pattern, state->after,
                      PROJECT_BATCH, arena, &page->found, err))
        return -1;
    page->keys = arena_alloc_array(arena, page->found.len + 1, sizeof *page->keys);
    page->sizes = arena_alloc_array(arena, page->found.len + 1, sizeof *page->sizes);
    page->errs = arena_alloc_array(arena, page->found.len + 1, sizeof *page->errs);
    while (state->until && page->found.len > 0 &&
           strcmp(page->found.at[page->found.len - 1].object.key, state->until) > 0)
        page->found.len--;
    for (size_t i = 0; i < page->found.len; i++) {
        const struct discovered *found = &page->found.at[i];
        if (found->code == ERR_NONE) {
            page->sizes[page->len] = found->object.size_bytes;
            page->bytes += found->object.size_bytes;
            page->keys[page->len++] = found->object.key;
        }
    }
    return 0;
}

static void tell_left(struct project_run *project, const struct page *page)
{
    struct cleanup_result *result = project->result;
    for (size_t i = 0; i < page->found.len; i++) {
        const struct discovered *found = &page->found.at[i];
        if (found->code == ERR_NONE)
            continue;
        *(found->code == ERR_OWNER_UNCLEAR ? &result->unclear : &result->discovered_failed) += 1;
        project_note(project, found->object.key, found->code, found->detail);
    }
}

static void count(struct project_run *project, const struct page *page)
{
    struct cleanup_result *result = project->result;
    const struct cleanup_state *state = &result->state;
    int64_t failed = 0, failed_bytes = 0;
    for (size_t i = 0; i < page->len; i++) {
        if (page->errs[i].code == ERR_NONE)
            continue;
        failed++;
        failed_bytes += page->sizes[i];
        project_note(project, page->keys[i], page->errs[i].code, page->errs[i].detail);
    }
    result->discovered_by_pattern += state->count > failed ? state->count - failed : 0;
    result->discovered_failed += failed;
    result->bytes_freed += state->bytes > failed_bytes ? state->bytes - failed_bytes : 0;
}

/* 1: a page is done; 0: there is none left; -1. */
static int clean_page(struct project_run *project, struct arena *arena, struct err *err)
{
    const struct cleanup_state *state = &project->result->state;
    struct page page;
    if (read_page(project, arena, &page, err))
        return -1;
    const char *last = state->until ? state->until : page.found.last;
    if (!last)
        return 0;
    if (!state->until && page.len > 0 &&
        project_announce(project, last, (int64_t)page.len, 0, page.bytes, err))
        return -1;
    if (project_delete(project, page.keys, page.len, page.errs, err))
        return -1;
    count(project, &page);
    tell_left(project, &page);
    return project_settle(project, last, err) ? -1 : 1;
}

static int clean_pattern(struct project_run *project, struct err *err)
{
    int more;
    do {
        struct arena arena = {0};
        if (run_stopped(project->run))
            return run_stop_error(project->run, err);
        more = clean_page(project, &arena, err);
        arena_release(&arena);
    } while (more == 1);
    return more;
}

int project_pattern_run(struct project_run *project, struct err *err)
{
    struct cleanup_state *state = &project->result->state;
    while (state->pattern < PATTERN_COUNT) {
        if (clean_pattern(project, err))
            return -1;
        *state = (struct cleanup_state){.phase = CLEANUP_PATTERN, .pattern = state->pattern + 1};
    }
    return 0;
}
