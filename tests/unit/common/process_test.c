/* Tests of common/process.c. */
#include "common/process.h"

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "common/clock.h"

/* Runs `sh -c script` and reads what it writes. */
static pid_t start(const char *script, const char *cwd, const char *const *env, char *out,
                   size_t size)
{
    const char *const argv[] = {"sh", "-c", script, NULL};
    int ends[2];
    pid_t pid;
    struct err err = {0};
    CHECK_INT(pipe2(ends, O_CLOEXEC), 0);
    struct process_spec spec = {
        .argv = argv, .env = env, .cwd = cwd, .in = -1, .out = ends[1], .err = 2};
    CHECK_INT(process_start(&spec, &pid, &err), 0);
    close(ends[1]);
    size_t len = 0;
    for (ssize_t n; out && len < size - 1 && (n = read(ends[0], out + len, size - 1 - len)) > 0;)
        len += (size_t)n;
    if (out)
        out[len] = '\0';
    close(ends[0]);
    return pid;
}

static void a_program_gets_what_it_was_given(void)
{
    static const char *const env[] = {"PATH=/usr/bin:/bin", "WORD=hello", NULL};
    char out[256];
    struct err err = {0};
    int status = -1;
    pid_t pid =
        start("pwd; echo $WORD; read line || echo nothing; exit 7", "/", env, out, sizeof out);
    CHECK_STR(out, "/\nhello\nnothing\n");
    CHECK_INT(process_wait(pid, 10000, &status, &err), 0);
    CHECK(WIFEXITED(status));
    CHECK_INT(WEXITSTATUS(status), 7);
}

static void it_has_no_descriptor_of_ours_and_its_own_group(void)
{
    char out[256];
    struct err err = {0};
    int status, leak = dup(2); /* not close-on-exec */
    pid_t pid = start(
        "ls /proc/self/fd | wc -l; ps -o pgid= -p $$ 2>/dev/null || cut -d' ' -f5 /proc/$$/stat",
        NULL, NULL, out, sizeof out);
    CHECK_INT(process_wait(pid, 10000, &status, &err), 0);
    CHECK_INT(strtol(out, NULL, 10), 4); /* 0, 1, 2 and the directory */
    CHECK_INT(strtol(strchr(out, '\n'), NULL, 10), pid);
    close(leak);
}

static void what_does_not_start_is_told(void)
{
    const char *const argv[] = {"/no/such/program", NULL};
    struct process_spec spec = {.argv = argv, .in = -1, .out = -1, .err = -1};
    struct err err = {0};
    pid_t pid = 42;
    CHECK_INT(process_start(&spec, &pid, &err), -1);
    CHECK_INT(err.code, ERR_IO_ERROR);
    CHECK_INT(pid, 42);
}

static void waiting_has_an_end_and_stop_kills_the_group(void)
{
    struct err err = {0};
    int status = 0;
    char out[64];
    pid_t pid =
        start("trap '' TERM; (trap '' TERM; exec sleep 100) >/dev/null & echo $!; exec >&-; wait",
              NULL, NULL, out, sizeof out);
    pid_t grandchild = (pid_t)strtol(out, NULL, 10);
    CHECK(grandchild > 1);
    CHECK_INT(process_wait(pid, 10, &status, &err), 1);
    CHECK_INT(process_stop(pid, 20, &status, &err), 0);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    /* It is a zombie of somebody else at most. */
    for (int i = 0; i < 1000; i++) {
        char path[64], state[512] = "";
        snprintf(path, sizeof path, "/proc/%d/stat", (int)grandchild);
        int fd = open(path, O_RDONLY);
        ssize_t n = fd < 0 ? 0 : read(fd, state, sizeof state - 1);
        if (fd >= 0)
            close(fd);
        if (n <= 0 || strstr(state, ") Z"))
            return;
        clock_sleep_ms(5);
    }
    bool grandchild_is_dead = false;
    CHECK(grandchild_is_dead);
}

static void what_this_process_uses(void)
{
    CHECK(process_rss_bytes() > 100000);
    int64_t before = process_fds();
    int fd = dup(2);
    CHECK_INT(process_fds(), before + 1);
    close(fd);
}

int main(void)
{
    RUN(a_program_gets_what_it_was_given);
    RUN(it_has_no_descriptor_of_ours_and_its_own_group);
    RUN(what_does_not_start_is_told);
    RUN(waiting_has_an_end_and_stop_kills_the_group);
    RUN(what_this_process_uses);
}
