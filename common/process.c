/* Processes: programs are started by posix_spawn, since a fork of a threaded program may only exec.
 */
#include "common/process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"

enum { POLL_MS = 5 };

/* --- programs --- */

static int place_descriptor(posix_spawn_file_actions_t *actions, int from, int to)
{
    if (from < 0)
        return posix_spawn_file_actions_addopen(actions, to, "/dev/null", O_RDWR, 0);
    return posix_spawn_file_actions_adddup2(actions, from, to);
}

static int fill_actions(posix_spawn_file_actions_t *actions, const struct process_spec *spec)
{
    int number = 0;
    if (spec->cwd)
        number = posix_spawn_file_actions_addchdir_np(actions, spec->cwd);
    const int from[] = {spec->in, spec->out, spec->err};
    for (int to = 0; to < 3 && number == 0; to++)
        number = place_descriptor(actions, from[to], to);
    return number ? number : posix_spawn_file_actions_addclosefrom_np(actions, 3);
}

static int fill_attributes(posix_spawnattr_t *attributes)
{
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    short flags = POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
    int number = posix_spawnattr_setpgroup(attributes, 0);
    number = number ? number : posix_spawnattr_setsigmask(attributes, &none);
    number = number ? number : posix_spawnattr_setsigdefault(attributes, &all);
    return number ? number : posix_spawnattr_setflags(attributes, flags);
}

int process_start(const struct process_spec *spec, pid_t *pid, struct err *err)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    pid_t started = 0;
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    int number = fill_actions(&actions, spec);
    number = number ? number : fill_attributes(&attributes);
    /* Both take arrays that they do not change: the missing const is history. */
    char *const *argv = (char *const *)(uintptr_t)spec->argv;
    char *const *env = spec->env ? (char *const *)(uintptr_t)spec->env : environ;
    number = number ? number : posix_spawnp(&started, argv[0], &actions, &attributes, argv, env);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    if (number != 0)
        return err_errno(err, number, "start '%s'", spec->argv[0]);
    *pid = started;
    return 0;
}

int process_wait(pid_t pid, int64_t timeout_ms, int *status, struct err *err)
{
    int64_t until = clock_mono_ms() + timeout_ms;
    for (;;) {
        int found;
        pid_t ended = waitpid(pid, &found, WNOHANG);
        if (ended == pid) {
            *status = found;
            return 0;
        }
        if (ended < 0 && errno != EINTR)
            return err_errno(err, errno, "wait for process %d", (int)pid);
        int64_t left = until - clock_mono_ms();
        if (left <= 0)
            return 1;
        clock_sleep_ms(left < POLL_MS ? left : POLL_MS);
    }
}

int process_stop(pid_t pid, int64_t grace_ms, int *status, struct err *err)
{
    /* The group is gone when its last member was waited for: a failing kill says no more than that.
     */
    kill(-pid, SIGTERM);
    int running = process_wait(pid, grace_ms, status, err);
    kill(-pid, SIGKILL);
    while (running == 1)
        running = process_wait(pid, 1000, status, err);
    return running;
}

/* --- this process --- */

int64_t process_rss_bytes(void)
{
    CLEANUP(fclose_at) FILE *file = fopen("/proc/self/statm", "re");
    int64_t size, resident;
    if (!file || fscanf(file, "%" SCNd64 " %" SCNd64, &size, &resident) != 2)
        return 0;
    return resident * sysconf(_SC_PAGESIZE);
}

int64_t process_fds(void)
{
    CLEANUP(closedir_at) DIR *dir = opendir("/proc/self/fd");
    int64_t count = 0;
    if (!dir)
        return 0;
    for (const struct dirent *entry; (entry = readdir(dir));)
        count += entry->d_name[0] != '.';
    return count - 1; /* the directory itself */
}
