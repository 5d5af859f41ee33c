/* The commands of mediafleetctl: what each takes, does and exits with. */
#ifndef GATEWAY_CTL_COMMAND_H
#define GATEWAY_CTL_COMMAND_H

#include "common/arena.h"
#include "gateway/ctl/client.h"

/* Exit statuses, told in --help; EXIT_SUCCESS: the job succeeded, or the answer was printed. */
enum { EXIT_JOB_FAILED = 1, EXIT_USAGE = 2, EXIT_JOB_CANCELLED = 3, EXIT_NO_ANSWER = 4 };

struct session {
    struct client client;
    struct arena arena;
    const char *argument; /* the URL or id, if the command takes one */
    bool json, wait;
    const char *project, *state, *scene;
    int64_t limit, timeout_s; /* 0: not given */
};

struct command {
    const char *name, *argument;                          /* argument: what it is called, or NULL */
    int (*run)(struct session *session, struct err *err); /* an exit status, or -1 */
    const char *text;
};

extern const struct command command_table[]; /* ends with a row without name */
const struct command *command_find(const char *name);
/* An exit status, or -1. */
int command_run(const struct command *command, struct session *session, struct err *err);

#endif
