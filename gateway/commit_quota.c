/* Gathers what has a quota, tenant by tenant, and sums it up. */
#include "gateway/commit_quota.h"

#include <string.h>

#include "common/quota.h"

/* One of the two questions that are asked of a batch. */
struct question {
    struct store *store;
    const struct fleet_settings *settings;
    enum quota_by by;
    struct arena *arena;
};

static bool is_new(const struct commit_item *item)
{
    return item->result.err.code == ERR_NONE && !item->result.existing && item->job->project_id &&
           !item->job->simple;
}

static const char *name_of(const struct question *question, const struct commit_item *item)
{
    if (question->by == QUOTA_PROJECTS)
        return item->job->project_id;
    return item->commit->scene ? item->commit->scene->user_id : NULL;
}

static int64_t quota_for(const struct question *question, const struct commit_item *item)
{
    return question->by == QUOTA_PROJECTS ? item->quota_bytes
                                          : question->settings->quota_user_bytes;
}

static void judge(const struct question *question, struct commit_item *item, int64_t used)
{
    const char *whose =
        arena_printf(question->arena, "the %s %s",
                     question->by == QUOTA_PROJECTS ? "project" : "user", name_of(question, item));
    (void)quota_check(whose, quota_for(question, item), used, 0, &item->result.err);
}

/* items: of one tenant. */
static int ask_tenant(const struct question *question, struct commit_item **items, size_t len,
                      struct err *err)
{
    struct quota_used *used = arena_alloc_array(question->arena, len, sizeof *used);
    for (size_t i = 0; i < len; i++)
        used[i].name = name_of(question, items[i]);
    if (quota_sum(question->store, items[0]->job->tenant, question->by, NULL, used, len,
                  question->arena, err))
        return -1;
    for (size_t i = 0; i < len; i++)
        judge(question, items[i], used[i].bytes);
    return 0;
}

static int ask(const struct question *question, struct commit_item *items, size_t len,
               struct err *err)
{
    bool *asked = arena_alloc_array(question->arena, len, sizeof *asked);
    struct commit_item **same =
        arena_alloc_array(question->arena, len, sizeof(struct commit_item *));
    for (size_t i = 0; i < len; i++) {
        size_t count = 0;
        for (size_t j = i; j < len; j++) {
            struct commit_item *item = &items[j];
            if (asked[j] || !is_new(item) || !name_of(question, item) ||
                quota_for(question, item) == 0 ||
                (count > 0 && strcmp(item->job->tenant, same[0]->job->tenant) != 0))
                continue;
            asked[j] = true;
            same[count++] = item;
        }
        if (count > 0 && ask_tenant(question, same, count, err))
            return -1;
    }
    return 0;
}

int commit_quota_check(struct store *store, const struct fleet_settings *settings,
                       struct commit_item *items, size_t len, struct arena *arena, struct err *err)
{
    struct question question = {store, settings, QUOTA_PROJECTS, arena};
    if (ask(&question, items, len, err))
        return -1;
    question.by = QUOTA_USERS;
    return ask(&question, items, len, err);
}
