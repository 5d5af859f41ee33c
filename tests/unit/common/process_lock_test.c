/* Tests of common/process_lock.c. */
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
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

/* Locks, opens a connection, and waits to be killed. */
static pid_t start_connected(int connection[2])
{
    struct err err = {0};
    char byte;
    CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM, 0, connection), 0);
    pid_t child = fork();
    if (child == 0) {
        int fd, late;
        int ok = process_lock(path, &fd, &err) == 0 && (late = dup(connection[1])) >= 0;
        close(connection[0]);
        close(connection[1]);
        ok = ok && write(late, "x", 1) == 1;
        while (ok)
            pause();
        _exit(1);
    }
    close(connection[1]);
    CHECK_INT(read(connection[0], &byte, 1), 1);
    return child;
}

/* A broker hands on what was the dead one's as soon as its connection ends. On one processor
 * whoever waited for that goes on before the dead one has given up the rest. */
static void who_sees_its_connection_end_finds_it_dead(void)
{
    cpu_set_t before, one;
    CHECK_INT(sched_getaffinity(0, sizeof before, &before), 0);
    CPU_ZERO(&one);
    CPU_SET((size_t)sched_getcpu(), &one);
    CHECK_INT(sched_setaffinity(0, sizeof one, &one), 0);
    for (int i = 0; i < 30; i++) {
        struct err err = {0};
        int connection[2];
        char byte;
        pid_t child = start_connected(connection);
        kill(child, SIGKILL);
        CHECK_INT(read(connection[0], &byte, 1), 0);
        CHECK_INT(process_locked(path, &err), 0);
        CHECK_INT(waitpid(child, NULL, 0), child);
        close(connection[0]);
    }
    unlink(path);
    CHECK_INT(sched_setaffinity(0, sizeof before, &before), 0);
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
    RUN(who_sees_its_connection_end_finds_it_dead);
    RUN(a_program_started_here_does_not_keep_the_lock);
    RUN(unlocking_spares_a_file_that_is_another_ones);
    RUN(a_link_is_not_followed);
    rmdir(dir);
}
