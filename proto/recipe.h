/* Recipes: which tasks a job of a type has, and which need which. */
#ifndef PROTO_RECIPE_H
#define PROTO_RECIPE_H

#include "proto/job.h"

enum { RECIPE_TASKS_MAX = 8, RECIPE_NEEDS_MAX = 4 };

struct recipe_task {
    const char *name;
    enum kind kind;
    const char *needs[RECIPE_NEEDS_MAX];
    bool optional;
    int64_t weight; /* share of the job's percent */
};

struct recipe {
    const char *name;          /* wire name: job.recipe */
    const struct doc *params;  /* of job.params */
    bool simple;               /* no scene, no workspace, no objects: the last settle is terminal */
    bool admin;                /* only an administrator may ask for the same again */
    struct recipe_task tasks[RECIPE_TASKS_MAX];
    size_t len;
};

/* NULL if there is none of that name. */
const struct recipe *recipe_find(const char *name);
extern const struct recipe recipes[];
extern const size_t recipes_len;

/* Fills job->recipe, ->simple and job->tasks (and the kinds' bounds) into the caller's tasks[RECIPE_TASKS_MAX] and
 * needs[RECIPE_TASKS_MAX][RECIPE_NEEDS_MAX]; then job_start makes it live. */
void recipe_plan(const struct recipe *recipe, struct job *job, struct task *tasks,
                 const char *needs[RECIPE_TASKS_MAX][RECIPE_NEEDS_MAX]);

#endif
