/* Asks again and again, at ease where nothing changes: the gateway answers 304 then. */
#include "gateway/ctl/watch.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "gateway/ctl/show.h"

/* A gateway that restarts is waited for. */
enum {
    ASK_MS = 250,
    ASK_SLOWLY_MS = 1000,
    QUICK_ASKS = 40,
    PATIENCE_MS = 60000,
    BAR_WIDTH = 30,
    LINE_LEN = 256
};

/* What is known of the job; `arena` holds the last answer that changed something. */
struct view {
    struct arena arena;
    struct client_answer answer;
    struct job_view job;
    char line[LINE_LEN]; /* shown last */
};

/* Progress as show_progress has it, cut to what fits. */
static void describe(const struct job_view *job, char line[LINE_LEN])
{
    CLEANUP(fclose_at) FILE *out = fmemopen(line, LINE_LEN, "w");
    line[0] = '\0';
    if (out)
        show_progress(out, job);
}

/* What is left beside the bar: a line that wraps would not be overwritten. */
static int room(void)
{
    struct winsize size = {.ws_col = 0};
    int columns =
        ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
    return columns > BAR_WIDTH + 4 ? columns - BAR_WIDTH - 4 : 1;
}

static void draw_bar(const struct job_view *job, const char *line)
{
    int filled = (int)(job->percent * BAR_WIDTH / 100);
    char bar[BAR_WIDTH + 1];
    memset(bar, '.', BAR_WIDTH);
    memset(bar, '#', (size_t)(filled < 0 ? 0 : filled > BAR_WIDTH ? BAR_WIDTH : filled));
    bar[BAR_WIDTH] = '\0';
    printf("\r[%s] %.*s\033[K", bar, room(), line);
}

/* Not all that changes in a job is shown. */
static void print(const struct watch *watch, struct view *view, bool terminal)
{
    char line[LINE_LEN];
    describe(&view->job, line);
    bool same = strcmp(line, view->line) == 0;
    memcpy(view->line, line, sizeof line);
    if (watch->json)
        puts(view->answer.json.at);
    else if (terminal)
        draw_bar(&view->job, line);
    else if (!same)
        puts(line);
    fflush(stdout);
}

/* 1: the job changed, 0: it did not. */
static int ask(struct client *client, const char *path, struct view *view, struct err *err)
{
    struct view fresh = {.arena = {0}};
    struct client_request request = {.method = "GET",
                                     .path = path,
                                     .etag = view->answer.etag,
                                     .patience_ms = PATIENCE_MS,
                                     .answer_doc = &job_view_doc};
    if (client_call(client, &request, &fresh.arena, &fresh.answer, &fresh.job, err) ||
        fresh.answer.unchanged) {
        int failed = fresh.answer.unchanged ? 0 : -1;
        arena_release(&fresh.arena);
        return failed;
    }
    arena_release(&view->arena);
    memcpy(fresh.line, view->line, sizeof fresh.line);
    *view = fresh;
    return 1;
}

static bool has_ended(const struct job_view *job)
{
    return job->state == JOB_SUCCEEDED || job->state == JOB_FAILED || job->state == JOB_CANCELLED;
}

static int follow(struct client *client, const struct watch *watch, struct view *view,
                  struct err *err)
{
    char path[128];
    const bool terminal = isatty(STDOUT_FILENO);
    const int64_t limit_ms = watch->timeout_s ? watch->timeout_s * 1000 : JOB_DEADLINE_MS;
    const int64_t end = clock_mono_ms() + limit_ms;
    snprintf(path, sizeof path, "/api/v1/jobs/%s", watch->job);
    for (int asked = 0; !has_ended(&view->job); asked++) {
        if (asked > 0)
            clock_sleep_ms(asked < QUICK_ASKS ? ASK_MS : ASK_SLOWLY_MS);
        int changed = ask(client, path, view, err);
        if (changed < 0)
            return -1;
        if (changed && !watch->quiet)
            print(watch, view, terminal);
        if (!has_ended(&view->job) && clock_mono_ms() > end)
            return err_set(err, ERR_TIMEOUT, "job %s has not ended", watch->job);
    }
    if (terminal && !watch->json && !watch->quiet)
        putchar('\n');
    return 0;
}

int watch_run(struct client *client, const struct watch *watch, enum job_state *end,
              struct err *err)
{
    struct view view = {.arena = {0}};
    int failed = follow(client, watch, &view, err);
    if (!failed) {
        *end = view.job.state;
        if (!watch->json && !watch->quiet)
            show_end(stdout, &view.job);
    }
    arena_release(&view.arena);
    return failed;
}
