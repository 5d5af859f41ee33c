/* The recipes. */
#include "proto/recipe.h"

#include <string.h>

#include "proto/cleanup.h"
#include "proto/hello.h"
#include "proto/scene.h"
#include "proto/storage_job.h"

const struct recipe recipes[] = {
    {.name = "hello",
     .params = &hello_params_doc,
     .simple = true,
     .tasks = {{.name = "hello", .kind = KIND_HELLO, .weight = 1}},
     .len = 1},
    {.name = "media.store",
     .params = &media_store_doc,
     .tasks = {{.name = "download", .kind = KIND_DOWNLOAD, .weight = 20},
               {.name = "transcode", .kind = KIND_TRANSCODE, .needs = {"download"}, .weight = 60},
               {.name = "thumbnail",
                .kind = KIND_THUMBNAIL,
                .needs = {"download"},
                .optional = true,
                .weight = 5},
               {.name = "upload",
                .kind = KIND_UPLOAD,
                .needs = {"download", "transcode", "thumbnail"},
                .weight = 15}},
     .len = 4},
    /* What a failed job left in the bucket: deleted at once, and again when no late PUT can come
       any more. */
    {.name = "job.cleanup",
     .params = &cleanup_params_doc,
     .simple = true,
     .tasks = {{.name = "cleanup", .kind = KIND_CLEANUP, .weight = 1}},
     .len = 1},
    /* Everything that a project has stored. */
    {.name = "project.cleanup",
     .params = &cleanup_params_doc,
     .simple = true,
     .tasks = {{.name = "cleanup", .kind = KIND_CLEANUP, .weight = 1}},
     .len = 1},
    {.name = "storage.reconcile",
     .params = &storage_reconcile_doc,
     .simple = true,
     .admin = true,
     .tasks = {{.name = "reconcile", .kind = KIND_STORAGE, .weight = 1}},
     .len = 1},
    {.name = "storage.migrate",
     .params = &storage_migrate_doc,
     .simple = true,
     .admin = true,
     .tasks = {{.name = "migrate", .kind = KIND_STORAGE, .weight = 1}},
     .len = 1},
    {.name = "storage.expire",
     .params = &storage_expire_doc,
     .simple = true,
     .admin = true,
     .tasks = {{.name = "expire", .kind = KIND_STORAGE, .weight = 1}},
     .len = 1},
    {.name = "storage.duplicates",
     .params = &storage_duplicates_doc,
     .simple = true,
     .admin = true,
     .tasks = {{.name = "duplicates", .kind = KIND_STORAGE, .weight = 1}},
     .len = 1},
};
const size_t recipes_len = sizeof recipes / sizeof recipes[0];

const struct recipe *recipe_find(const char *name)
{
    for (size_t i = 0; i < recipes_len; i++)
        if (strcmp(recipes[i].name, name) == 0)
            return &recipes[i];
    return NULL;
}

void recipe_plan(const struct recipe *recipe, struct job *job, struct task *tasks,
                 const char *needs[RECIPE_TASKS_MAX][RECIPE_NEEDS_MAX])
{
    job->recipe = recipe->name;
    job->simple = recipe->simple;
    job->tasks = (struct tasks){tasks, recipe->len};
    for (size_t i = 0; i < recipe->len; i++) {
        const struct recipe_task *row = &recipe->tasks[i];
        const struct kind_row *kind = &kinds[row->kind];
        tasks[i] = (struct task){.name = row->name,
                                 .kind = row->kind,
                                 .state = TASK_WAITING,
                                 .optional = row->optional,
                                 .weight = row->weight,
                                 .max_attempts = kind->max_attempts,
                                 .timeout_s = kind->timeout_s};
        size_t n = 0;
        while (n < RECIPE_NEEDS_MAX && row->needs[n]) {
            needs[i][n] = row->needs[n];
            n++;
        }
        tasks[i].needs = (struct strs){needs[i], n};
    }
}
