/* mediafleetctl: jobs, workers, queues and the storage from the command line; a client of the
 * gateway's API. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/doc_env.h"
#include "gateway/ctl/command.h"

enum { WORDS_MAX = 4 };

/* The command line, taken apart. */
struct line {
    const char *words[WORDS_MAX]; /* what is no option and no option's value */
    size_t len;
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
    for (const struct command *row = command_table; row->name; row++) {
        const char *name = arena_printf(&arena, "%s%s%s", row->name, row->argument ? " " : "",
                                        row->argument ? row->argument : "");
        text_printf(&text, "  %-28s %s\n", name, row->text);
        option_help(row->options, &text);
    }
    text_puts(&text, "\nEvery command takes\n");
    option_help(&common_options_doc, &text);
    text_printf(&text,
                "\nA TIME is a number of seconds, or one with m, h or d; a SIZE one of bytes, or "
                "with K, M or G.\nWith --json watch prints each change as a line.\n"
                "Exit status: 0 done, and with watch or --wait the job succeeded; %d the job "
                "failed, or could\nnot do all; %d wrong usage; %d the job was cancelled; %d the "
                "gateway refused or did not answer.\n\n",
                EXIT_JOB_FAILED, EXIT_USAGE, EXIT_JOB_CANCELLED, EXIT_NO_ANSWER);
    doc_env_help(&client_settings_doc, &text);
    fputs(text.at, stdout);
    arena_release(&arena);
    return EXIT_SUCCESS;
}

/* The field of an option of any command: whether a value follows is the same in all. */
static const struct field *find_anywhere(const char *option)
{
    const struct field *field = option_field(&common_options_doc, option);
    for (const struct command *row = command_table; row->name && !field; row++)
        field = option_field(row->options, option);
    return field;
}

/* Whether argv[i] and argv[i + 1] are an option and its value. */
static bool has_value(char *const *argv, int i)
{
    const struct field *field = find_anywhere(argv[i]);
    return field && option_takes_value(field) && !strchr(argv[i], '=');
}

static int find_words(int argc, char **argv, struct line *line)
{
    for (int i = 1; i < argc; i++) {
        if (strncmp(argv[i], "--", 2) == 0)
            i += has_value(argv, i);
        else if (line->len < WORDS_MAX)
            line->words[line->len++] = argv[i];
        else
            return usage("too many words");
    }
    return 0;
}

static int take_option(struct session *session, const char *option, const char *next)
{
    struct err err = {0};
    void *into = &session->common;
    const struct field *field = option_field(&common_options_doc, option);
    const char *equals = strchr(option, '='), *value = equals ? equals + 1 : next;
    if (!field && session->command) {
        field = option_field(session->command->options, option);
        into = session->options;
    }
    if (!field)
        return usage("a wrong option");
    if (option_takes_value(field) ? !value : equals != NULL)
        return usage(value ? "a value that this option does not take" : "an option without value");
    if (option_set(field, value, into, &err)) {
        fprintf(stderr, "mediafleetctl: %s: %s\n", option, err.detail);
        return EXIT_USAGE;
    }
    return 0;
}

static int take_options(struct session *session, int argc, char **argv)
{
    int wrong = 0;
    for (int i = 1; i < argc && wrong == 0; i++) {
        if (strncmp(argv[i], "--", 2) != 0)
            continue;
        bool follows = has_value(argv, i);
        wrong = take_option(session, argv[i], follows && i + 1 < argc ? argv[i + 1] : NULL);
        i += follows;
    }
    return wrong;
}

static int check_words(struct session *session, const struct line *line, size_t taken)
{
    const struct command *command = session->command;
    if (line->len == 0)
        return usage("which command?");
    if (!command)
        return usage("no such command");
    if (line->len - taken != (command->argument ? 1 : 0))
        return usage(command->argument ? "this command takes one argument"
                                       : "this command takes no argument");
    const struct field *missing = option_missing(command->options, session->options);
    if (missing) {
        fprintf(stderr, "mediafleetctl: %s needs %s\n", command->name,
                option_name(missing, &session->arena));
        return EXIT_USAGE;
    }
    session->argument = command->argument ? line->words[taken] : NULL;
    return 0;
}

static int run(struct session *session)
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
        status = command_run(session, &err);
    client_release(&session->client);
    if (status >= 0)
        return status;
    fprintf(stderr, "mediafleetctl: %s: %s\n", error_name(err.code), err.detail);
    return EXIT_NO_ANSWER;
}

static int take_line(struct session *session, int argc, char **argv)
{
    struct line line = {.len = 0};
    size_t taken = 0;
    int wrong = find_words(argc, argv, &line);
    session->command = command_find(line.words, line.len, &taken);
    if (session->command && session->command->options)
        session->options = arena_alloc(&session->arena, session->command->options->size);
    if (wrong == 0)
        wrong = take_options(session, argc, argv);
    if (wrong)
        return wrong;
    if (session->common.help)
        return print_help();
    if (session->common.version)
        return puts(MEDIAFLEET_VERSION) < 0;
    wrong = check_words(session, &line, taken);
    return wrong ? wrong : run(session);
}

int main(int argc, char **argv)
{
    struct session session = {0};
    int status = take_line(&session, argc, argv);
    arena_release(&session.arena);
    return status;
}
