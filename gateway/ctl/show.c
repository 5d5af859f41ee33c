/* Answers as lines and tables. */
#include "gateway/ctl/show.h"

#include <inttypes.h>
#include <string.h>

#include "common/clock.h"

void show_text(FILE *out, const char *text)
{
    if (!text || !*text)
        text = "-";
    for (; *text; text++)
        putc((unsigned char)*text < ' ' || *text == 0x7f ? '?' : *text, out);
}

/* Left-aligned in `width` columns, and two blanks. Other scripts may shift the column behind. */
static void cell(FILE *out, const char *text, int width)
{
    int len = text && *text ? (int)strnlen(text, 4096) : 1;
    show_text(out, text);
    fprintf(out, "%*s", len < width ? width - len + 2 : 2, "");
}

static void time_cell(FILE *out, int64_t ms)
{
    char text[CLOCK_RFC3339_LEN + 1] = "";
    if (ms)
        clock_format(ms, text);
    cell(out, text, CLOCK_RFC3339_LEN);
}

static void line(FILE *out, const char *name, const char *text)
{
    if (!text)
        return;
    fprintf(out, "%-12s ", name);
    show_text(out, text);
    putc('\n', out);
}

static void time_line(FILE *out, const char *name, int64_t ms)
{
    char text[CLOCK_RFC3339_LEN + 1];
    if (ms == 0)
        return;
    clock_format(ms, text);
    line(out, name, text);
}

void show_accepted(FILE *out, const struct accepted *accepted)
{
    line(out, "job", accepted->task_id);
    line(out, "mongo_db_id", accepted->mongo_db_id);
    line(out, "status_url", accepted->status_url);
    line(out, "queued", accepted->queued ? "yes" : "not yet");
}

static void show_task(FILE *out, const struct task_view *task)
{
    fprintf(out, "  ");
    cell(out, task->name, 12);
    cell(out, task_state_names[task->state], 10);
    fprintf(out, "%3" PRId64 " %%  attempt %" PRId64 "/%" PRId64 "  ", task->percent, task->attempt,
            task->max_attempts);
    show_text(out, task->error.detail ? task->error.detail : task->message);
    putc('\n', out);
}

void show_job(FILE *out, const struct job_view *job)
{
    line(out, "job", job->id);
    line(out, "recipe", job->recipe);
    line(out, "state", job_state_names[job->state]);
    line(out, "phase", job->phase);
    fprintf(out, "%-12s %" PRId64 " %%\n", "progress", job->percent);
    line(out, "message", job->message);
    line(out, "error", job->error.code ? error_name(job->error.code) : NULL);
    line(out, "detail", job->error.detail);
    line(out, "project", job->project_id);
    line(out, "mongo_db_id", job->mongo_db_id);
    line(out, "retry_of", job->retry_of);
    time_line(out, "created", job->created_at);
    time_line(out, "started", job->started_at);
    time_line(out, "finished", job->finished_at);
    for (size_t i = 0; i < job->tasks.len; i++)
        show_task(out, &job->tasks.at[i]);
}

void show_jobs(FILE *out, const struct job_page *page)
{
    for (size_t i = 0; i < page->jobs.len; i++) {
        const struct job_view *job = &page->jobs.at[i];
        cell(out, job->id, 26);
        cell(out, job_state_names[job->state], 10);
        fprintf(out, "%3" PRId64 " %%  ", job->percent);
        cell(out, job->phase, 20);
        cell(out, job->recipe, 12);
        time_cell(out, job->created_at);
        show_text(out, job->project_id);
        putc('\n', out);
    }
}

/* The names are the row's own. */
static const char *state_name(enum worker_state state)
{
    return doc_field(&worker_view_doc, "state")->names[state];
}

void show_workers(FILE *out, const struct worker_page *page)
{
    for (size_t i = 0; i < page->workers.len; i++) {
        const struct worker_view *worker = &page->workers.at[i];
        cell(out, worker->id, 40);
        cell(out, state_name(worker->state), 8);
        fprintf(out,
                "busy %" PRId64 "/%" PRId64 "  succeeded %" PRId64 "  failed %" PRId64 "  %" PRId64
                " MiB\n",
                worker->busy, worker->slots, worker->succeeded, worker->failed,
                worker->rss_bytes >> 20);
    }
}

void show_queues(FILE *out, const struct queue_page *page)
{
    for (size_t i = 0; i < page->queues.len; i++) {
        const struct queue_view *queue = &page->queues.at[i];
        cell(out, kind_names[queue->kind], 10);
        if (queue->known)
            fprintf(out, "ready %" PRId64 "  unacked %" PRId64 "  consumers %" PRId64, queue->ready,
                    queue->unacked, queue->consumers);
        else
            fputs("the broker does not answer", out);
        if (queue->oldest_ms > 0)
            fprintf(out, "  oldest %" PRId64 " s", queue->oldest_ms / 1000);
        putc('\n', out);
    }
}

/* The task that people wait for: the first one that runs or will run again. */
static const struct task_view *current_task(const struct job_view *job)
{
    for (size_t i = 0; i < job->tasks.len; i++)
        if (job->tasks.at[i].state == TASK_RUNNING)
            return &job->tasks.at[i];
    for (size_t i = 0; i < job->tasks.len; i++)
        if (job->tasks.at[i].state == TASK_QUEUED)
            return &job->tasks.at[i];
    return NULL;
}

void show_progress(FILE *out, const struct job_view *job)
{
    const struct task_view *task = current_task(job);
    fprintf(out, "%3" PRId64 " %%  ", job->percent);
    show_text(out, job->phase);
    if (task)
        fprintf(out, "  attempt %" PRId64 "/%" PRId64, task->attempt, task->max_attempts);
    if (job->message) {
        fputs("  ", out);
        show_text(out, job->message);
    }
}

void show_end(FILE *out, const struct job_view *job)
{
    fputs(job_state_names[job->state], out);
    if (job->error.code)
        fprintf(out, ": %s", error_name(job->error.code));
    if (job->error.detail) {
        fputs(": ", out);
        show_text(out, job->error.detail);
    }
    if (job->error.task) {
        fputs(" (", out);
        show_text(out, job->error.task);
        putc(')', out);
    }
    putc('\n', out);
}
