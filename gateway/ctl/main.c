/* mediafleetctl: jobs, workers and queues from the command line; a client of the gateway's API. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/doc_env.h"
#include "gateway/ctl/command.h"

enum { LIMIT_MAX = 1000, TIMEOUT_MAX_S = 30 * 86400 };
enum {
    OPTION_HELP = 256,
    OPTION_VERSION,
    OPTION_JSON,
    OPTION_WAIT,
    OPTION_PROJECT,
    OPTION_SCENE,
    OPTION_STATE,
    OPTION_LIMIT,
    OPTION_TIMEOUT
};

static const struct option options[] = {
    {"help", no_argument, NULL, OPTION_HELP},
    {"version", no_argument, NULL, OPTION_VERSION},
    {"json", no_argument, NULL, OPTION_JSON},
    {"wait", no_argument, NULL, OPTION_WAIT},
    {"project", required_argument, NULL, OPTION_PROJECT},
    {"scene", required_argument, NULL, OPTION_SCENE},
    {"state", required_argument, NULL, OPTION_STATE},
    {"limit", required_argument, NULL, OPTION_LIMIT},
    {"timeout", required_argument, NULL, OPTION_TIMEOUT},
    {NULL, 0, NULL, 0},
};

static int usage(const char *problem)
{
    fprintf(stderr, "mediafleetctl: %s; see mediafleetctl --help\n", problem);
    return EXIT_USAGE;
}

static int print_help(void)
{
    struct arena arena = {0};
    struct text text = {.arena = &arena};
    text_puts(&text, "usage: mediafleetctl COMMAND [ARGUMENT] [OPTION...]\n\n");
    for (const struct command *row = command_table; row->name; row++)
        text_printf(&text, "  %-7s %-4s  %s\n", row->name, row->argument ? row->argument : "",
                    row->text);
    text_printf(&text,
                "\n--json prints what the gateway answers; watch prints each change as a line.\n"
                "Exit status: 0 done, and with watch or --wait the job succeeded; %d the job "
                "failed;\n%d wrong usage; %d the job was cancelled; %d the gateway refused or did "
                "not answer.\n\n",
                EXIT_JOB_FAILED, EXIT_USAGE, EXIT_JOB_CANCELLED, EXIT_NO_ANSWER);
    doc_env_help(&client_settings_doc, &text);
    fputs(text.at, stdout);
    arena_release(&arena);
    return EXIT_SUCCESS;
}

/* A whole number from 1 to max, or 0. */
static int64_t number(const char *text, int64_t max)
{
    char *end;
    long long value = strtoll(text, &end, 10);
    return *end == '\0' && value > 0 && value <= max ? value : 0;
}

/* 0, or the option that asks for something else, or -1 if it is wrong. */
static int take_option(struct session *session, int option)
{
    switch (option) {
    case OPTION_JSON:
        session->json = true;
        return 0;
    case OPTION_WAIT:
        session->wait = true;
        return 0;
    case OPTION_PROJECT:
        session->project = optarg;
        return 0;
    case OPTION_SCENE:
        session->scene = optarg;
        return 0;
    case OPTION_STATE:
        session->state = optarg;
        return 0;
    case OPTION_LIMIT:
        return (session->limit = number(optarg, LIMIT_MAX)) ? 0 : -1;
    case OPTION_TIMEOUT:
        return (session->timeout_s = number(optarg, TIMEOUT_MAX_S)) ? 0 : -1;
    default:
        return option == '?' ? -1 : option;
    }
}

static int run(struct session *session, const struct command *command)
{
    struct text problems = {.arena = &session->arena};
    struct client_settings settings;
    struct err err = {0};
    if (doc_env_read(&client_settings_doc, &session->arena, &settings, &problems)) {
        fputs(problems.at, stderr);
        return EXIT_USAGE;
    }
    int status = client_open(&session->client, &settings, &err);
    if (status == 0)
        status = command_run(command, session, &err);
    client_release(&session->client);
    if (status >= 0)
        return status;
    fprintf(stderr, "mediafleetctl: %s: %s\n", error_name(err.code), err.detail);
    return EXIT_NO_ANSWER;
}

int main(int argc, char **argv)
{
    struct session session = {0};
    int option, asked = 0;
    while (asked == 0 && (option = getopt_long(argc, argv, "", options, NULL)) != -1)
        asked = take_option(&session, option);
    if (asked == OPTION_HELP)
        return print_help();
    if (asked == OPTION_VERSION)
        return puts(MEDIAFLEET_VERSION) < 0;
    if (asked != 0)
        return usage("a wrong option");
    if (optind == argc)
        return usage("which command?");
    const struct command *command = command_find(argv[optind]);
    if (!command)
        return usage("no such command");
    if (argc - optind != (command->argument ? 2 : 1))
        return usage(command->argument ? "this command takes one argument"
                                       : "this command takes no argument");
    session.argument = argv[optind + 1];
    int status = run(&session, command);
    arena_release(&session.arena);
    return status;
}
