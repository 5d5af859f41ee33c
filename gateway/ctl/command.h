/* The commands of mediafleetctl: what each takes, does and exits with. */
#ifndef GATEWAY_CTL_COMMAND_H
#define GATEWAY_CTL_COMMAND_H

#include "common/arena.h"
#include "gateway/ctl/client.h"
#include "gateway/ctl/options.h"
#include "proto/answer.h"

/* Exit statuses, told in --help; EXIT_SUCCESS: the job succeeded, or the answer was printed. */
enum { EXIT_JOB_FAILED = 1, EXIT_USAGE = 2, EXIT_JOB_CANCELLED = 3, EXIT_NO_ANSWER = 4 };

struct command;

struct session {
    const struct command *command;
    struct client client;
    struct arena arena;
    const char *argument; /* the URL or id, if the command takes one */
    struct common_options common;
    void *options; /* the struct of command->options */
};

struct command {
    const char *name;     /* one word or two: "jobs", "storage reconcile" */
    const char *argument; /* what it is called, or NULL: it takes none */
    int (*run)(struct session *session, struct err *err); /* an exit status, or -1 */
    const struct doc *options;                            /* its own, or NULL */
    const char *text;
    /* For run_work: where the options are posted to, and what tells its result; an exit status. */
    const char *path;
    int (*show)(struct session *session, const struct job_view *job, struct err *err);
};

extern const struct command command_table[]; /* ends with a row without name */
/* The row whose name the first words are; *taken: how many of them. NULL if there is none. */
const struct command *command_find(const char *const *words, size_t len, size_t *taken);
/* An exit status, or -1. */
int command_run(struct session *session, struct err *err);

/* Posts the options as a document, follows the job and shows its result: for work that makes a job. */
int run_work(struct session *session, struct err *err);
/* Calls and, with --json, prints the answer as it came: 1 if there is nothing left to print. */
int command_call(struct session *session, const struct client_request *request, void *out,
                 struct err *err);

#endif
