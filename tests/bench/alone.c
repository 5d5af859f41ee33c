/* What handlers ask of their run: files, settings, arena, bucket. */
#include "alone.h"

#include <malloc.h>
#include <stdio.h>

#include "common/doc_env.h"

int alone_open(struct alone *alone, const char *workspace)
{
    mallopt(M_ARENA_MAX, 2); /* as worker/runtime has it */
    struct text problems = {.arena = &alone->arena};
    size_t wrong =
        doc_env_read(&bucket_settings_doc, &alone->arena, &alone->config.bucket, &problems) +
        doc_env_read(&egress_settings_doc, &alone->arena, &alone->egress, &problems);
    if (wrong) {
        fprintf(stderr, "%s", problems.at);
        return -1;
    }
    alone->config.fleet.workspace = workspace;
    alone->config.kind = &alone->egress;
    alone->runtime.config = &alone->config;
    return 0;
}

void alone_close(struct alone *alone)
{
    arena_release(&alone->arena);
}

struct run *alone_run(struct alone *alone, struct slot *slot, struct job *job, size_t task)
{
    static const struct delivery none;
    struct lot *lot = lot_new();
    struct run *run = run_new(&alone->runtime, lot, job, task, &none);
    lot_drop(lot);
    *slot = (struct slot){.runtime = &alone->runtime, .bucket = slot->bucket};
    run->slot = slot;
    return run;
}
