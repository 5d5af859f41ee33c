/* main of every worker program: flags, settings, checks, then the supervisor. */
#include "worker/worker.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/bucket_admin.h"
#include "common/doc_env.h"
#include "common/log.h"
#include "worker/runtime.h"
#include "worker/supervise.h"
#include "worker/workspace.h"

enum {
    OPTION_HELP = 256,
    OPTION_VERSION,
    OPTION_CHECK,
    OPTION_HEALTH,
    OPTION_PROCESSES,
    OPTION_SLOTS
};

static const struct option options[] = {
    {"help", no_argument, NULL, OPTION_HELP},
    {"version", no_argument, NULL, OPTION_VERSION},
    {"check", no_argument, NULL, OPTION_CHECK},
    {"health", no_argument, NULL, OPTION_HEALTH},
    {"processes", required_argument, NULL, OPTION_PROCESSES},
    {"slots", required_argument, NULL, OPTION_SLOTS},
    {NULL, 0, NULL, 0},
};

/* The documents of a worker's settings, with the struct that each fills. */
struct part {
    const struct doc *doc;
    void *into;
};
enum { PARTS = 5 };

static void parts(const struct worker *worker, struct worker_config *config, void *kind,
                  struct part out[PARTS])
{
    out[0] = (struct part){&fleet_settings_doc, &config->fleet};
    out[1] = (struct part){&store_settings_doc, &config->store};
    out[2] = (struct part){&worker_settings_doc, &config->worker};
    out[3] = (struct part){&bucket_settings_doc, &config->bucket};
    out[4] = (struct part){worker->settings, kind};
}

static size_t read_settings(const struct worker *worker, struct worker_config *config,
                            struct arena *arena, struct text *problems)
{
    struct part part[PARTS];
    void *kind = worker->settings ? arena_alloc(arena, worker->settings->size) : NULL;
    size_t wrong = 0;
    parts(worker, config, kind, part);
    for (int i = 0; i < PARTS; i++)
        if (part[i].doc)
            wrong += doc_env_read(part[i].doc, arena, part[i].into, problems);
    config->kind = kind;
    return wrong;
}

static int print_help(const struct worker *worker)
{
    struct arena arena = {0};
    struct text text = {.arena = &arena};
    struct worker_config config;
    struct part part[PARTS];
    text_printf(&text,
                "usage: mediafleet-%s [--processes N] [--slots N] [--check | --health | --version "
                "| --help]\n\n"
                "Takes %s tasks from the queue %s. Everything is set by environment variables:\n\n",
                kinds[worker->kind].name, kinds[worker->kind].name, kinds[worker->kind].queue);
    parts(worker, &config, NULL, part);
    for (int i = 0; i < PARTS; i++)
        if (part[i].doc)
            doc_env_help(part[i].doc, &text);
    fputs(text.at, stdout);
    arena_release(&arena);
    return 0;
}

static int said(const char *what, int failed, const struct err *err)
{
    if (failed)
        printf("%s: %s: %s\n", what, error_name(err->code), err->detail);
    else
        printf("%s: ok\n", what);
    return failed ? 1 : 0;
}

static int check_bucket(const struct worker_config *config, struct err *err)
{
    struct bucket *bucket = NULL;
    int failed = bucket_open(&bucket, &config->bucket, err) || bucket_check(bucket, err);
    bucket_free(bucket);
    return failed;
}

static int check_store(const struct worker_config *config, struct err *err)
{
    struct store *store = NULL;
    int failed = store_open(&store, &config->store, "check", err) || store_ping(store, err);
    store_free(store);
    return failed;
}

static int check_broker(const struct worker *worker, const struct worker_config *config,
                        struct err *err)
{
    struct broker *broker = NULL;
    struct delivery none;
    if (broker_open(&broker, config->fleet.amqp_url, kinds[worker->kind].queue, 1, "check", err))
        return -1;
    int failed = broker_next(broker, &none, 0, 1000, 0, err) < 0;
    broker_free(broker);
    return failed;
}

/* --check: every setting by name, every service by what it answers. */
static int check(const struct worker *worker, const struct worker_config *config)
{
    struct err err[4] = {{0}};
    int wrong = said("workspace", workspace_make(config->fleet.workspace, &err[0]), &err[0]);
    wrong += said("store", check_store(config, &err[1]), &err[1]);
    wrong += said("broker", check_broker(worker, config, &err[2]), &err[2]);
    wrong += said("bucket", check_bucket(config, &err[3]), &err[3]);
    return wrong ? EX_UNAVAILABLE : 0;
}

/* --health, for container checks: some process of this kind lives on this host. */
static int health(const struct worker *worker, const struct worker_config *config)
{
    char host[65] = "";
    gethostname(host, sizeof host - 1);
    int living = workspace_living(config->fleet.workspace, host, kinds[worker->kind].name);
    printf("%d living processes\n", living);
    return living > 0 ? 0 : 1;
}

static enum log_level log_level(const struct worker_config *config)
{
    return config->fleet.log_level ? (enum log_level)(config->fleet.log_level - LOGS_DEBUG)
                                   : LOG_INFO;
}

/* The option that asks for something else than work, 0 if none, -1 if it is wrong. */
static int read_options(int argc, char **argv)
{
    int asked = 0, option;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == '?')
            return -1;
        if (option == OPTION_PROCESSES)
            setenv("MEDIAFLEET_PROCESSES", optarg, 1);
        else if (option == OPTION_SLOTS)
            setenv("MEDIAFLEET_SLOTS", optarg, 1);
        else
            asked = option;
    }
    return optind < argc ? -1 : asked;
}

static int work(const struct worker *worker, const struct worker_config *config)
{
    log_open(kinds[worker->kind].name, log_level(config));
    return supervise(worker, config);
}

int worker_main(const struct worker *worker, int argc, char **argv)
{
    struct arena arena = {0};
    struct worker_config config = {0};
    struct text problems = {.arena = &arena};
    int asked = read_options(argc, argv);
    if (asked < 0) {
        fprintf(stderr, "see mediafleet-%s --help\n", kinds[worker->kind].name);
        return EX_USAGE;
    }
    if (asked == OPTION_HELP)
        return print_help(worker);
    if (asked == OPTION_VERSION) {
        puts(MEDIAFLEET_VERSION);
        return 0;
    }
    int code = EX_CONFIG;
    if (read_settings(worker, &config, &arena, &problems))
        fputs(problems.at, stderr);
    else if (asked == OPTION_CHECK)
        code = check(worker, &config);
    else if (asked == OPTION_HEALTH)
        code = health(worker, &config);
    else
        code = work(worker, &config);
    arena_release(&arena);
    return code;
}
