/* Directories of runs, and the proof of death. */
#include "check.h"

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "worker/workspace.h"

static char root[] = "/tmp/workspace-test-XXXXXX";

static void makes_and_removes_a_tree(void)
{
    struct arena arena = {0};
    struct err err = {0};
    char *dir = workspace_dir(root, "job", "download", 2, &arena);
    struct stat info;
    CHECK_STR(dir + strlen(root), "/job/download.2");
    CHECK_INT(workspace_make(arena_printf(&arena, "%s/deep/er", dir), &err), 0);
    CHECK_INT(workspace_make(dir, &err), 0);
    FILE *file = fopen(arena_printf(&arena, "%s/deep/file", dir), "w");
    CHECK(file);
    fclose(file);
    CHECK_INT(symlink("/", arena_printf(&arena, "%s/link", dir)), 0);
    CHECK_INT(workspace_remove(arena_printf(&arena, "%s/job", root), &err), 0);
    CHECK(stat(dir, &info) != 0);
    CHECK(stat("/usr", &info) == 0); /* the link was not followed */
    CHECK_INT(workspace_remove(arena_printf(&arena, "%s/job", root), &err), 0);
    CHECK(workspace_free_bytes(root) > 0);
    arena_release(&arena);
}

static void says_what_cannot_be_made(void)
{
    struct err err = {0};
    CHECK_INT(workspace_make("/proc/nothing/here", &err), -1);
    CHECK_INT(err.code, ERR_IO_ERROR);
    CHECK(strstr(err.detail, "/proc/nothing"));
}

/* A child locks as that worker, tells through the pipe, and waits to be killed. */
static pid_t live_as(const char *worker)
{
    int told[2];
    CHECK_INT(pipe(told), 0);
    pid_t pid = fork();
    if (pid == 0) {
        struct err err = {0};
        int fd;
        char answer = workspace_lock(root, worker, &fd, &err) ? 'n' : 'y';
        if (write(told[1], &answer, 1) == 1)
            pause();
        _exit(0);
    }
    char answer = 0;
    CHECK_INT(read(told[0], &answer, 1), 1);
    CHECK_INT(answer, 'y');
    close(told[0]);
    close(told[1]);
    return pid;
}

static void a_free_lock_proves_the_death(void)
{
    pid_t pid = live_as("host.hello.1.a");
    CHECK(!workspace_dead(root, "host.hello.1.a", "host"));
    CHECK_INT(workspace_living(root, "host", "hello"), 1);
    CHECK_INT(workspace_living(root, "host", "hell"), 0);
    CHECK_INT(kill(pid, SIGKILL), 0);
    CHECK_INT(waitpid(pid, NULL, 0), pid);
    CHECK(workspace_dead(root, "host.hello.1.a", "host"));
    CHECK_INT(workspace_living(root, "host", "hello"), 0);
}

static void nothing_else_proves_it(void)
{
    CHECK(!workspace_dead(root, "host.hello.2.b", "host"));          /* never seen here */
    CHECK(!workspace_dead(root, "host.hello.1.a", "hos"));           /* another host's name */
    CHECK(!workspace_dead(root, "host.hello.1.a", "other"));         /* another host */
    CHECK(!workspace_dead(root, "host./../host.hello.1.a", "host")); /* no path */
}

/* Its lock is not of this machine, however the names look. */
static void a_longer_hosts_name_is_another_host(void)
{
    struct err err = {0};
    int fd;
    CHECK_INT(workspace_lock(root, "host.eu.hello.1.a", &fd, &err), 0);
    close(fd);
    CHECK(workspace_dead(root, "host.eu.hello.1.a", "host.eu"));
    CHECK(!workspace_dead(root, "host.eu.hello.1.a", "host"));
}

static void an_end_in_order_leaves_no_file(void)
{
    struct err err = {0};
    int fd;
    CHECK_INT(workspace_lock(root, "host.hello.3.c", &fd, &err), 0);
    workspace_unlock(root, "host.hello.3.c", fd);
    CHECK(!workspace_dead(root, "host.hello.3.c", "host"));
    workspace_forget_dead(root, "host");
    CHECK(workspace_dead(root, "host.hello.1.a", "host")); /* too young to be forgotten */
}

static void a_last_word_says_that_nobody_crashed(void)
{
    struct err err = {0};
    int fd;
    CHECK_INT(workspace_lock(root, "host.hello.4.d", &fd, &err), 0);
    CHECK(!workspace_left(root, "host.hello.4.d"));
    workspace_leave(fd);
    CHECK(workspace_left(root, "host.hello.4.d"));
    CHECK(!workspace_dead(root, "host.hello.4.d", "host")); /* not before it is gone */
    close(fd);
    CHECK(workspace_dead(root, "host.hello.4.d", "host"));
    CHECK(!workspace_left(root, "host.hello.1.a"));
    CHECK(!workspace_left(root, "host.hello.9.nobody"));
}

/* A run that nobody waits for any more takes its job's directory with it, if it is the last. */
static void the_last_run_to_be_forgotten_leaves_no_directory(void)
{
    struct arena arena = {0};
    struct err err = {0};
    const char *first = workspace_dir(root, "job2", "download", 1, &arena);
    const char *second = workspace_dir(root, "job2", "download", 2, &arena);
    CHECK_INT(workspace_make(first, &err), 0);
    CHECK_INT(workspace_make(second, &err), 0);
    CHECK_INT(workspace_forget(first, &err), 0);
    CHECK_INT(access(second, F_OK), 0);
    CHECK_INT(workspace_forget(second, &err), 0);
    CHECK_INT(access(arena_printf(&arena, "%s/job2", root), F_OK), -1);
    CHECK_INT(workspace_forget(second, &err), 0);
    CHECK_INT(access(root, F_OK), 0);
    arena_release(&arena);
}

int main(void)
{
    struct err err = {0};
    CHECK(mkdtemp(root));
    RUN(makes_and_removes_a_tree);
    RUN(says_what_cannot_be_made);
    RUN(a_free_lock_proves_the_death);
    RUN(nothing_else_proves_it);
    RUN(a_longer_hosts_name_is_another_host);
    RUN(an_end_in_order_leaves_no_file);
    RUN(a_last_word_says_that_nobody_crashed);
    RUN(the_last_run_to_be_forgotten_leaves_no_directory);
    CHECK_INT(workspace_remove(root, &err), 0);
    return 0;
}
