/* Jobs by their alarm, from the real store. Skipped without MONGODB_URL. */
#include "store_fixture.h"

static struct store *store;

static void test_due(void)
{
    struct arena arena = {0};
    struct err err = {0};
    struct job jobs[3];
    for (int i = 0; i < 3; i++) {
        jobs[i] = fixture_job(&arena);
        jobs[i].alarm_at = 30 - 10 * i; /* long before anybody else's */
        fixture_insert(store, &jobs[i]);
    }
    struct job *due;
    size_t len;
    CHECK_INT(store_due(store, 20, 10, &arena, &due, &len, &err), 0);
    CHECK_INT(len, 2);
    CHECK_STR(due[0].id, jobs[2].id);
    CHECK_STR(due[1].id, jobs[1].id);
    CHECK_INT(store_due(store, 30, 1, &arena, &due, &len, &err), 0);
    CHECK_INT(len, 1);
    for (int i = 0; i < 3; i++)
        fixture_delete(store, jobs[i].id);
    CHECK_INT(store_due(store, 30, 1, &arena, &due, &len, &err), 0);
    CHECK_INT(len, 0);
    arena_release(&arena);
}

/* Counted and found by kind, by how long they wait, by nudges and from an alarm on; never when they
 * run or have ended. */
static void test_waiting(void)
{
    enum { ANCIENT = 1000 }; /* long before anybody else's */
    struct arena arena = {0};
    struct err err = {0};
    struct job jobs[4], *found;
    size_t len;
    int64_t count;
    for (int i = 0; i < 4; i++) {
        jobs[i] = fixture_job(&arena);
        jobs[i].tasks.at[0].due_at = ANCIENT + i;
        jobs[i].alarm_at = 9000 - i;
        jobs[i].nudges = i;
    }
    jobs[2].tasks.at[0].state = TASK_RUNNING;
    jobs[3].alarm_at = 0;
    for (int i = 0; i < 4; i++)
        fixture_insert(store, &jobs[i]);
    enum kind kind = jobs[0].tasks.at[0].kind;
    CHECK_INT(store_count_waiting(store, kind, ANCIENT + 3, &count, &err), 0);
    CHECK_INT(count, 2);
    CHECK_INT(store_count_waiting(store, kind, ANCIENT, &count, &err), 0);
    CHECK_INT(count, 1);
    CHECK_INT(store_count_waiting(store, KIND_TRANSCODE, ANCIENT + 3, &count, &err), 0);
    CHECK_INT(count, 0);
    struct store_waiting query = {.kind = kind, .due = ANCIENT + 3, .from = 1, .limit = 10};
    CHECK_INT(store_waiting(store, &query, &arena, &found, &len, &err), 0);
    CHECK_INT(len, 2);
    CHECK_STR(found[0].id, jobs[1].id);
    query.nudges = 1;
    CHECK_INT(store_waiting(store, &query, &arena, &found, &len, &err), 0);
    CHECK_INT(len, 1);
    CHECK_STR(found[0].id, jobs[1].id);
    query = (struct store_waiting){.kind = kind, .due = ANCIENT + 3, .from = 9000, .limit = 10};
    CHECK_INT(store_waiting(store, &query, &arena, &found, &len, &err), 0);
    CHECK_INT(len, 1);
    CHECK_STR(found[0].id, jobs[0].id);
    for (int i = 0; i < 4; i++)
        fixture_delete(store, jobs[i].id);
    arena_release(&arena);
}

int main(void)
{
    const char *url = fixture_url();
    if (!url)
        return 0;
    store = fixture_open(url);
    RUN(test_due);
    RUN(test_waiting);
    store_free(store);
    return 0;
}
