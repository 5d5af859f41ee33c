/* The settings documents that the gateway reads. */
#include "gateway/options.h"

#include <stdlib.h>
#include <string.h>

#include "common/doc_env.h"
#include "common/id.h"

enum { URL_SECRET_LEN = 64 };

enum command options_command(int argc, char **argv)
{
    static const struct {
        const char *flag;
        enum command command;
    } flags[] = {
        {"--help", COMMAND_HELP},       {"--version", COMMAND_VERSION},
        {"--check", COMMAND_CHECK},     {"--health", COMMAND_HEALTH},
        {"--openapi", COMMAND_OPENAPI}, {"--settings", COMMAND_SETTINGS},
    };
    if (argc == 1)
        return COMMAND_SERVE;
    for (size_t i = 0; argc == 2 && i < sizeof flags / sizeof flags[0]; i++)
        if (strcmp(argv[1], flags[i].flag) == 0)
            return flags[i].command;
    return COMMAND_NONE;
}

static void fill_policy(struct options *options, struct arena *arena)
{
    const struct egress_settings *egress = &options->egress;
    int64_t *ports = arena_alloc_array(arena, egress->allowed_ports.len, sizeof *ports);
    for (size_t i = 0; i < egress->allowed_ports.len; i++)
        ports[i] = strtoll(egress->allowed_ports.at[i], NULL, 10);
    options->policy = (struct http_policy){
        .guarded = true,
        .allowed_cidrs = egress->allowed_cidrs.at,
        .allowed_cidrs_len = egress->allowed_cidrs.len,
        .allowed_ports = ports,
        .allowed_ports_len = egress->allowed_ports.len,
    };
}

/* Without a key of its own a single gateway invents one: its media URLs end with it. */
static void complete(struct options *options, struct arena *arena)
{
    if (options->gateway.url_secret)
        return;
    char *secret = arena_alloc(arena, URL_SECRET_LEN + 1);
    id_hex(secret, URL_SECRET_LEN);
    options->gateway.url_secret = secret;
}

size_t options_read(struct options *options, struct arena *arena, struct text *problems)
{
    struct err err = {0};
    size_t count = doc_env_read(&gateway_settings_doc, arena, &options->gateway, problems) +
                   doc_env_read(&fleet_settings_doc, arena, &options->fleet, problems) +
                   doc_env_read(&store_settings_doc, arena, &options->store, problems) +
                   doc_env_read(&bucket_settings_doc, arena, &options->bucket, problems) +
                   doc_env_read(&egress_settings_doc, arena, &options->egress, problems);
    fill_policy(options, arena);
    complete(options, arena);
    if (count == 0 && http_guard_check_policy(&options->policy, &err)) {
        text_printf(problems, "MEDIAFLEET_ALLOWED_CIDRS: %s\n", err.detail);
        count += 1;
    }
    return count;
}

void options_help(struct text *text)
{
    static const struct doc *const docs[] = {&gateway_settings_doc, &fleet_settings_doc,
                                             &store_settings_doc, &bucket_settings_doc,
                                             &egress_settings_doc};
    text_puts(text, "mediafleet-gateway: takes jobs over HTTP and serves media.\n\n"
                    "  --check    report wrong settings and try each service\n"
                    "  --health   ask the running gateway whether it lives\n"
                    "  --openapi  print the API's description\n"
                    "  --settings print every program's settings as Markdown\n"
                    "  --version\n\nSettings are environment variables:\n\n");
    for (size_t i = 0; i < sizeof docs / sizeof docs[0]; i++)
        doc_env_help(docs[i], text);
}

void options_settings(struct text *text)
{
    static const struct {
        const char *title;
        const struct doc *doc;
    } parts[] = {
        {"Every program", &fleet_settings_doc},
        {"The store", &store_settings_doc},
        {"The bucket", &bucket_settings_doc},
        {"The gateway", &gateway_settings_doc},
        {"Workers", &worker_settings_doc},
        {"Sources: gateway and download", &egress_settings_doc},
    };
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        text_printf(
            text, "%s### %s\n\n| variable | what | default | values |\n| --- | --- | --- | --- |\n",
            i ? "\n" : "", parts[i].title);
        doc_env_markdown(parts[i].doc, text);
    }
}
