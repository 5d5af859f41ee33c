/* fork, waitpid, backoff, forward SIGTERM. */
#include "worker/supervise.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"

enum { PROCESSES_MAX = 256, PAUSE_MIN_MS = 100, PAUSE_MAX_MS = 10000, YOUNG_MS = 60000 };

struct child {
    pid_t pid; /* 0: to be started at start_mono */
    int64_t born_mono, start_mono, pause_ms;
};

static volatile sig_atomic_t signals;

static void on_signal(int signal)
{
    if (signal != SIGCHLD)
        signals++;
}

static void catch_signals(sigset_t *before)
{
    struct sigaction action = {.sa_handler = on_signal};
    sigset_t blocked;
    sigemptyset(&blocked);
    const int caught[] = {SIGTERM, SIGINT, SIGCHLD};
    for (size_t i = 0; i < sizeof caught / sizeof caught[0]; i++) {
        sigaction(caught[i], &action, NULL);
        sigaddset(&blocked, caught[i]);
    }
    /* Seen only while waiting, so that none is lost between a look and a wait. */
    sigprocmask(SIG_BLOCK, &blocked, before);
}

/* The child: ends with its parent, also if that died before it could say so. Signals stay blocked
 * until runtime_run catches them, so that no stop is lost. */
static void run_child(const struct worker *worker, const struct worker_config *config, pid_t parent)
{
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent)
        _exit(0);
    exit(runtime_run(worker, config));
}

static void start(struct child *child, const struct worker *worker,
                  const struct worker_config *config)
{
    pid_t parent = getpid();
    child->born_mono = clock_mono_ms();
    child->pid = fork();
    if (child->pid == 0)
        run_child(worker, config, parent);
    if (child->pid < 0) {
        log_event(LOG_ERROR, "fork-failed", "detail", strerror(errno), NULL);
        child->pid = 0;
        child->start_mono = clock_mono_ms() + PAUSE_MAX_MS;
    }
}

static void describe(int status, char *out, size_t size)
{
    if (WIFSIGNALED(status))
        snprintf(out, size, "signal %d", WTERMSIG(status));
    else
        snprintf(out, size, "exit %d", WEXITSTATUS(status));
}

/* Writes down a death; true if it makes no sense to go on. */
static bool bury(struct child *children, size_t len, pid_t pid, int status)
{
    for (size_t i = 0; i < len; i++) {
        struct child *child = &children[i];
        if (child->pid != pid)
            continue;
        char how[32], who[16];
        int64_t now = clock_mono_ms();
        describe(status, how, sizeof how);
        snprintf(who, sizeof who, "%d", (int)pid);
        log_event(signals ? LOG_INFO : LOG_WARN, "child-ended", "child", who, "how", how, NULL);
        bool young = now - child->born_mono < YOUNG_MS;
        child->pause_ms = !young || !child->pause_ms ? PAUSE_MIN_MS : child->pause_ms * 2;
        if (child->pause_ms > PAUSE_MAX_MS)
            child->pause_ms = PAUSE_MAX_MS;
        child->pid = 0;
        child->start_mono = now + child->pause_ms;
        return WIFEXITED(status) && WEXITSTATUS(status) == EX_CONFIG;
    }
    return false;
}

static size_t alive(const struct child *children, size_t len)
{
    size_t n = 0;
    for (size_t i = 0; i < len; i++)
        n += children[i].pid != 0;
    return n;
}

static void forward(const struct child *children, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (children[i].pid)
            kill(children[i].pid, SIGTERM);
}

/* Sleeps until a signal, or until the next child is to be started. */
static void wait_signal(const struct child *children, size_t len, const sigset_t *mask)
{
    int64_t until = INT64_MAX, now = clock_mono_ms();
    for (size_t i = 0; i < len && !signals; i++)
        if (!children[i].pid && children[i].start_mono < until)
            until = children[i].start_mono;
    int64_t left = until == INT64_MAX ? 60000 : until > now ? until - now : 0;
    struct timespec pause = {.tv_sec = left / 1000, .tv_nsec = left % 1000 * 1000000};
    pselect(0, NULL, NULL, NULL, &pause, mask);
}

int supervise(const struct worker *worker, const struct worker_config *config)
{
    struct child children[PROCESSES_MAX] = {{0}};
    size_t len = (size_t)config->worker.processes;
    sigset_t mask;
    bool hopeless = false;
    int forwarded = 0;
    catch_signals(&mask);
    while ((!signals && !hopeless) || alive(children, len)) {
        for (size_t i = 0; i < len && !signals && !hopeless; i++)
            if (!children[i].pid && children[i].start_mono <= clock_mono_ms())
                start(&children[i], worker, config);
        wait_signal(children, len, &mask);
        int wanted = hopeless && !signals ? 1 : signals;
        for (; forwarded < wanted; forwarded++)
            forward(children, len);
        int status;
        for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;)
            hopeless |= bury(children, len, pid, status);
    }
    return hopeless ? EX_CONFIG : 0;
}
