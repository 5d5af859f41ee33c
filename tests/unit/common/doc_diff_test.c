/* What a change of a job looks like as an update. */
#include "common/doc_diff.h"

#include "check.h"
#include "common/doc_bson.h"
#include "proto/job.h"
#include "proto/transcode.h"

/* The difference as relaxed JSON, "set | unset". */
static char *diff(const struct doc *doc, const void *before, const void *after,
                  const char *const *skip, size_t should)
{
    static char text[1024];
    bson_t set = BSON_INITIALIZER, unset = BSON_INITIALIZER;
    CHECK_INT(doc_diff(doc, before, after, skip, NULL, &set, &unset), should);
    char *a = bson_as_relaxed_extended_json(&set, NULL);
    char *b = bson_as_relaxed_extended_json(&unset, NULL);
    snprintf(text, sizeof text, "%s | %s", a, b);
    bson_free(a);
    bson_free(b);
    bson_destroy(&set);
    bson_destroy(&unset);
    return text;
}

static void test_scalars(void)
{
    struct job before = {.id = "a", .tenant = "t", .priority = 3, .run_at = 5, .rev = 4};
    struct job after = before;
    CHECK_STR(diff(&job_doc, &before, &after, NULL, 0), "{ } | { }");
    after.id = "b"; /* never written */
    after.tenant = "u";
    after.owner = "me";
    after.priority = 0;
    after.run_at = 0;
    after.rev = 0;
    after.state = JOB_RUNNING;
    after.simple = true;
    CHECK_STR(diff(&job_doc, &before, &after, NULL, 7),
              "{ \"tenant\" : \"u\", \"owner\" : \"me\", \"state\" : \"running\", \"rev\" : 0, "
              "\"simple\" : true } | { \"priority\" : 1, \"run_at\" : 1 }");
    const char *const skip[] = {"rev", "tenant", "owner", "state", "run_at", NULL};
    CHECK_STR(diff(&job_doc, &before, &after, skip, 2),
              "{ \"simple\" : true } | { \"priority\" : 1 }");
}

static void test_same_text_elsewhere(void)
{
    char tenant[] = "t";
    struct job before = {.tenant = "t"}, after = {.tenant = tenant};
    CHECK_STR(diff(&job_doc, &before, &after, NULL, 0), "{ } | { }");
}

static void test_documents(void)
{
    struct job before = {0}, after = {.stop = {ERR_CANCELLED, "me", 7}};
    CHECK_STR(diff(&job_doc, &before, &after, NULL, 1),
              "{ \"stop\" : { \"code\" : \"cancelled\", \"by\" : \"me\", \"at\" : { \"$date\" : "
              "\"1970-01-01T00:00:00.007Z\" } } } | { }");
    CHECK_STR(diff(&job_doc, &after, &before, NULL, 1), "{ } | { \"stop\" : 1 }");
    struct job other = {.stop = {ERR_CANCELLED, NULL, 7}};
    CHECK_STR(diff(&job_doc, &after, &other, NULL, 1), "{ } | { \"stop.by\" : 1 }");
}

static void test_tasks(void)
{
    const char *needs[] = {"download", "thumbnail"};
    struct task was[3] = {{.name = "a", .state = TASK_QUEUED},
                          {.name = "b", .state = TASK_WAITING, .needs = {needs, 1}},
                          {.name = "c", .state = TASK_RUNNING, .percent = 5, .worker = "w"}};
    struct task is[3];
    memcpy(is, was, sizeof is);
    struct job before = {.tasks = {was, 3}}, after = {.tasks = {is, 3}};
    is[1].needs.len = 2;
    is[2].state = TASK_QUEUED;
    is[2].worker = NULL;
    is[2].error.code = ERR_TIMEOUT;
    is[2].usage.bytes_in = 9;
    CHECK_STR(
        diff(&job_doc, &before, &after, NULL, 5),
        "{ \"tasks.1.needs\" : [ \"download\", \"thumbnail\" ], \"tasks.2.state\" : \"queued\", "
        "\"tasks.2.error\" : { \"code\" : \"timeout\" }, \"tasks.2.usage\" : { \"bytes_in\" : 9 } "
        "} "
        "| { \"tasks.2.worker\" : 1 }");
}

static bool named_b(const struct field *list, const void *before, const void *after)
{
    const struct task *was = before, *is = after;
    CHECK(list->doc == &task_doc);
    CHECK_STR(was->name, is->name);
    return strcmp(is->name, "b") == 0;
}

static void test_whole_elements(void)
{
    struct task was[2] = {{.name = "a", .percent = 1, .worker = "w"},
                          {.name = "b", .percent = 1, .worker = "w"}};
    struct task is[2] = {{.name = "a", .percent = 2}, {.name = "b", .percent = 2}};
    struct job before = {.tasks = {was, 2}}, after = {.tasks = {is, 2}};
    bson_t set = BSON_INITIALIZER, unset = BSON_INITIALIZER;
    CHECK_INT(doc_diff(&job_doc, &before, &after, NULL, named_b, &set, &unset), 3);
    char *text = bson_as_relaxed_extended_json(&set, NULL);
    CHECK_STR(text,
              "{ \"tasks.0.percent\" : 2, \"tasks.1\" : { \"name\" : \"b\", \"percent\" : 2 } }");
    CHECK_INT(bson_count_keys(&unset), 1);
    bson_iter_t iter;
    CHECK(bson_iter_init_find(&iter, &unset, "tasks.0.worker"));
    bson_free(text);
    bson_destroy(&set);
    bson_destroy(&unset);
}

static void test_lengths(void)
{
    struct task tasks[2] = {{.name = "a"}, {.name = "b"}};
    struct job none = {0}, one = {.tasks = {tasks, 1}}, two = {.tasks = {tasks, 2}};
    CHECK_STR(diff(&job_doc, &none, &one, NULL, 1),
              "{ \"tasks\" : [ { \"name\" : \"a\" } ] } | { }");
    CHECK_STR(diff(&job_doc, &one, &two, NULL, 1),
              "{ \"tasks\" : [ { \"name\" : \"a\" }, { \"name\" : \"b\" } ] } | { }");
    CHECK_STR(diff(&job_doc, &two, &one, NULL, 1),
              "{ \"tasks\" : [ { \"name\" : \"a\" } ] } | { }");
    CHECK_STR(diff(&job_doc, &two, &none, NULL, 1), "{ } | { \"tasks\" : 1 }");
}

static void test_free_form(void)
{
    struct arena arena = {0};
    struct raw one = doc_bson_pack(&usage_doc, &(struct usage){.cpu_ms = 1}, &arena);
    struct raw same = doc_bson_pack(&usage_doc, &(struct usage){.cpu_ms = 1}, &arena);
    struct raw two = doc_bson_pack(&usage_doc, &(struct usage){.cpu_ms = 2}, &arena);
    struct task none = {0}, a = {.result = one}, b = {.result = same}, c = {.result = two};
    CHECK_STR(diff(&task_doc, &a, &b, NULL, 0), "{ } | { }");
    CHECK_STR(diff(&task_doc, &a, &c, NULL, 1), "{ \"result\" : { \"cpu_ms\" : 2 } } | { }");
    CHECK_STR(diff(&task_doc, &none, &a, NULL, 1), "{ \"result\" : { \"cpu_ms\" : 1 } } | { }");
    CHECK_STR(diff(&task_doc, &a, &none, NULL, 1), "{ } | { \"result\" : 1 }");
    arena_release(&arena);
}

static void test_doubles(void)
{
    struct transcode_result a = {.duration_s = 0.5, .width = 1}, b = {.duration_s = 0.5},
                            c = {.width = 1};
    CHECK_STR(diff(&transcode_result_doc, &a, &b, NULL, 1), "{ } | { \"width\" : 1 }");
    CHECK_STR(diff(&transcode_result_doc, &c, &a, NULL, 1), "{ \"duration_s\" : 0.5 } | { }");
}

int main(void)
{
    RUN(test_scalars);
    RUN(test_same_text_elsewhere);
    RUN(test_documents);
    RUN(test_tasks);
    RUN(test_whole_elements);
    RUN(test_lengths);
    RUN(test_free_form);
    RUN(test_doubles);
    return 0;
}
