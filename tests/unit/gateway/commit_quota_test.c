/* Quotas held against a batch, over sums that a test makes up. */
#include "check.h"
#include "fake_store.h"

#include "gateway/commit_quota.h"

enum { MANY = 4 };

static struct arena arena;
static struct job jobs[MANY];
static struct scene scenes[MANY];
static struct commit commits[MANY];
static struct commit_item items[MANY];
static struct fleet_settings settings;
static int asked;
static size_t among;

static void seen(const struct store_sums *query)
{
    asked++;
    among = query->among.len;
}

static void prepare(size_t i, const char *tenant, const char *project, const char *user,
                    int64_t quota)
{
    jobs[i] = (struct job){.tenant = tenant, .project_id = project};
    scenes[i] = (struct scene){.user_id = user};
    commits[i] = (struct commit){.job = &jobs[i], .scene = &scenes[i]};
    items[i] = (struct commit_item){.commit = &commits[i], .job = &jobs[i], .quota_bytes = quota};
}

static void check(size_t len)
{
    struct err err = {0};
    asked = 0;
    CHECK_INT(commit_quota_check(NULL, &settings, items, len, &arena, &err), 0);
}

static enum error code(size_t i)
{
    return items[i].result.err.code;
}

static void without_a_quota_nothing_is_asked(void)
{
    for (size_t i = 0; i < MANY; i++)
        prepare(i, "t", "p", "u", 0);
    check(MANY);
    CHECK_INT(asked, 0);
}

static void a_batch_is_one_question(void)
{
    static struct store_sum sums[] = {{"full", 1, 100}, {"half", 1, 50}};
    fake_sums = sums;
    fake_sums_len = 2;
    prepare(0, "t", "full", NULL, 100);
    prepare(1, "t", "half", NULL, 100);
    prepare(2, "t", "empty", NULL, 1);
    prepare(3, "t", "full", NULL, 101);
    check(MANY);
    CHECK_INT(asked, 1);
    CHECK_INT(among, 4);
    CHECK_INT(code(0), ERR_QUOTA_EXCEEDED);
    CHECK_INT(code(1), ERR_NONE);
    CHECK_INT(code(2), ERR_NONE);
    CHECK_INT(code(3), ERR_NONE);
}

static void tenants_are_asked_for_apart(void)
{
    for (size_t i = 0; i < MANY; i++)
        prepare(i, i % 2 ? "t" : "s", "half", NULL, i == 3 ? 0 : 100);
    check(MANY);
    CHECK_INT(asked, 2);
    CHECK_INT(among, 1); /* the second one has one with a quota */
}

static void users_are_a_question_of_their_own(void)
{
    static struct store_sum sums[] = {{"greedy", 1, 70}};
    fake_sums = sums;
    fake_sums_len = 1;
    settings.quota_user_bytes = 70;
    prepare(0, "t", "p", "greedy", 0);
    prepare(1, "t", "p", "modest", 0);
    prepare(2, "t", "p", NULL, 0);
    commits[2].scene = NULL;
    check(3);
    CHECK_INT(asked, 1);
    CHECK_INT(among, 2);
    CHECK_INT(code(0), ERR_QUOTA_EXCEEDED);
    CHECK_INT(code(1), ERR_NONE);
    CHECK_INT(code(2), ERR_NONE);
    settings.quota_user_bytes = 0;
}

static void what_stores_nothing_new_is_not_asked_for(void)
{
    prepare(0, "t", "p", NULL, 1);
    items[0].result.existing = true;
    prepare(1, "t", "p", NULL, 1);
    jobs[1].simple = true;
    prepare(2, "t", NULL, NULL, 1);
    prepare(3, "t", "p", NULL, 1);
    items[3].result.err.code = ERR_PROJECT_DELETED;
    check(MANY);
    CHECK_INT(asked, 0);
    CHECK_INT(code(3), ERR_PROJECT_DELETED);
}

static void a_store_that_is_away_fails_it(void)
{
    struct err err = {0};
    prepare(0, "t", "p", NULL, 1);
    fake_store.away = 1;
    CHECK_INT(commit_quota_check(NULL, &settings, items, 1, &arena, &err), -1);
    CHECK_INT(err.code, ERR_STORE_UNAVAILABLE);
}

int main(void)
{
    fake_seen_sum = seen;
    RUN(without_a_quota_nothing_is_asked);
    RUN(a_batch_is_one_question);
    RUN(tenants_are_asked_for_apart);
    RUN(users_are_a_question_of_their_own);
    RUN(what_stores_nothing_new_is_not_asked_for);
    RUN(a_store_that_is_away_fails_it);
    arena_release(&arena);
    return 0;
}
