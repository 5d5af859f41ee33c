/* Downloads URLs at once as the download worker does, a slot for each: bench-download WORKSPACE
 * URL... The settings are the environment's. Prints how many bytes of how many files; exit 1 prints
 * the errors' names. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "alone.h"
#include "proto/download.h"
#include "worker/download/download.h"

struct fetcher {
    pthread_t thread;
    struct slot slot;
    struct alone *alone;
    const char *url;
    size_t number;
    int64_t bytes;
    int failed;
};

static void *fetch(void *arg)
{
    struct fetcher *fetcher = arg;
    struct arena arena = {0};
    struct err err = {0};
    struct download_result result;
    const struct download_params params = {.url = fetcher->url};
    struct task task = {.name = "download",
                        .kind = KIND_DOWNLOAD,
                        .state = TASK_RUNNING,
                        .run = 1,
                        .lease_until = INT64_C(4102444800000)};
    struct job job = {.id = arena_printf(&arena, "01J%023zu", fetcher->number),
                      .tasks = {&task, 1}};
    struct run *run = alone_run(fetcher->alone, &fetcher->slot, &job, 0);
    fetcher->failed = download_handle(run, &params, &result, &err);
    if (fetcher->failed)
        printf("%s: %s: %s\n", fetcher->url, error_name(err.code), err.detail);
    else
        fetcher->bytes = result.size_bytes;
    run_free(run);
    arena_release(&arena);
    return NULL;
}

int main(int argc, char **argv)
{
    struct alone alone = {0};
    int64_t bytes = 0;
    int failed = 0;
    if (argc < 3) {
        fprintf(stderr, "usage: bench-download WORKSPACE URL...\n");
        return 64;
    }
    if (alone_open(&alone, argv[1]))
        return 78;
    size_t len = (size_t)argc - 2;
    struct fetcher *fetchers = calloc(len, sizeof *fetchers);
    if (!fetchers)
        abort();
    for (size_t i = 0; i < len; i++) {
        fetchers[i] = (struct fetcher){.alone = &alone, .url = argv[i + 2], .number = i};
        if (pthread_create(&fetchers[i].thread, NULL, fetch, &fetchers[i]))
            abort();
    }
    for (size_t i = 0; i < len; i++) {
        pthread_join(fetchers[i].thread, NULL);
        bytes += fetchers[i].bytes;
        failed |= fetchers[i].failed;
    }
    if (!failed)
        printf("%" PRId64 " bytes %zu files\n", bytes, len);
    free(fetchers);
    alone_close(&alone);
    return failed ? 1 : 0;
}
