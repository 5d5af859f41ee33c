/* mediafleet-gateway: settings → check → open → serve → close. */
#include <stdio.h>

#include "common/log.h"
#include "gateway/openapi.h"
#include "gateway/server.h"
#include "gateway/services.h"

enum { EXIT_USAGE = 64, EXIT_CONFIG = 78 }; /* sysexits.h */

static int serve(const struct options *options)
{
    struct services services;
    struct server *server;
    struct err err = {0};
    server_prepare_process(options->gateway.max_connections);
    log_open("gateway", (enum log_level)(options->fleet.log_level - LOGS_DEBUG));
    if (services_open(&services, options, &err) || server_open(&server, &services, &err)) {
        log_event(LOG_ERROR, "cannot-start", "code", error_name(err.code), "detail", err.detail,
                  NULL);
        return EXIT_CONFIG;
    }
    log_event(LOG_INFO, "listening", "address", server_address(server), "version",
              MEDIAFLEET_VERSION, NULL);
    server_run(server);
    services_stop_accepting(&services);
    server_free(server);
    services_close(&services);
    log_event(LOG_INFO, "ended", NULL);
    return 0;
}

static int run(enum command command, struct arena *arena)
{
    struct options options;
    struct text text = {.arena = arena};
    struct err err = {0};
    int code = 0;
    if (command == COMMAND_HELP)
        options_help(&text);
    else if (command == COMMAND_VERSION)
        text_puts(&text, MEDIAFLEET_VERSION "\n");
    else if (command == COMMAND_OPENAPI)
        openapi_print(&text);
    else if (command == COMMAND_SETTINGS)
        options_settings(&text);
    else if (options_read(&options, arena, &text) > 0)
        code = EXIT_CONFIG;
    else if (command == COMMAND_CHECK)
        code = services_check(&options, &text) > 0;
    else if (command == COMMAND_HEALTH)
        code = services_health(&options, &err) != 0;
    else
        code = serve(&options);
    fputs(text.at ? text.at : err.detail, code ? stderr : stdout);
    return code;
}

int main(int argc, char **argv)
{
    struct arena arena = {0};
    enum command command = options_command(argc, argv);
    int code = command == COMMAND_NONE ? EXIT_USAGE : run(command, &arena);
    if (command == COMMAND_NONE)
        fprintf(stderr,
                "usage: %s [--help | --version | --check | --health | --openapi | --settings]\n",
                argv[0]);
    arena_release(&arena);
    return code;
}
