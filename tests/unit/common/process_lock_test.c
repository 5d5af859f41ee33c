/* Tests of common/process_lock.c. */
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "common/process.h"

static char dir[] = "/tmp/process_lock_test.XXXXXX", path[64];

static void a_lock_is_seen_and_gone_with_its_file(void)
{
    struct err err = {0};
    int fd = -1, second = -1;
    CHECK_INT(process_locked(path, &err), -1);
    CHECK_INT(process_lock(path, &fd, &err), 0);
    CHECK_INT(process_locked(path, &err), 1);
    CHECK_INT(process_lock(path, &second, &err), -1);
    CHECK_INT(second, -1);
    process_unlock(path, fd);
    CHECK_INT(process_locked(path, &err), -1);
}

static void a_killed_owner_is_proven_dead(void)
{
    struct err err = {0};
    int ready[2], fd;
    char byte;
    CHECK_INT(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0) {
        int ok = process_lock(path, &fd, &err) == 0 && write(ready[1], "x", 1) == 1;
        while (ok)
            pause();
        _exit(1);
    }
    CHECK_INT(read(ready[0], &byte, 1), 1);
    CHECK_INT(process_locked(path, &err), 1);
    kill(child, SIGKILL);
    CHECK_INT(waitpid(child, NULL, 0), child);
    CHECK_INT(process_locked(path, &err), 0);
    CHECK_INT(process_lock(path, &fd, &err), 0);
    process_unlock(path, fd);
    close(ready[0]);
    close(ready[1]);
}

static void a_program_started_here_does_not_keep_the_lock(void)
{
    const char *const argv[] = {"sleep", "100", NULL};
    struct process_spec spec = {.argv = argv, .in = -1, .out = -1, .err = -1};
    struct err err = {0};
    int fd, status;
    pid_t pid;
    CHECK_INT(process_lock(path, &fd, &err), 0);
    CHECK_INT(process_start(&spec, &pid, &err), 0);
    close(fd);
    CHECK_INT(process_locked(path, &err), 0);
    CHECK_INT(process_stop(pid, 1000, &status, &err), 0);
    unlink(path);
}

static void unlocking_spares_a_file_that_is_another_ones(void)
{
    struct err err = {0};
    int ours, theirs;
    CHECK_INT(process_lock(path, &ours, &err), 0);
    unlink(path);
    CHECK_INT(process_lock(path, &theirs, &err), 0);
    process_unlock(path, ours);
    CHECK_INT(process_locked(path, &err), 1);
    process_unlock(path, theirs);
}

static void a_link_is_not_followed(void)
{
    struct err err = {0};
    int fd;
    CHECK_INT(symlink("/tmp/elsewhere", path), 0);
    CHECK_INT(process_lock(path, &fd, &err), -1);
    CHECK_INT(process_locked(path, &err), -1);
    unlink(path);
}

int main(void)
{
    CHECK(mkdtemp(dir) != NULL);
    snprintf(path, sizeof path, "%s/worker", dir);
    RUN(a_lock_is_seen_and_gone_with_its_file);
    RUN(a_killed_owner_is_proven_dead);
    RUN(a_program_started_here_does_not_keep_the_lock);
    RUN(unlocking_spares_a_file_that_is_another_ones);
    RUN(a_link_is_not_followed);
    rmdir(dir);
}
