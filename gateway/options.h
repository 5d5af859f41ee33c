/* What the environment and the command line ask of the gateway. */
#ifndef GATEWAY_OPTIONS_H
#define GATEWAY_OPTIONS_H

#include "common/arena.h"
#include "common/err.h"
#include "common/http_guard.h"
#include "proto/settings.h"

enum command {
    COMMAND_SERVE,
    COMMAND_HELP,
    COMMAND_VERSION,
    COMMAND_CHECK,
    COMMAND_HEALTH,
    COMMAND_OPENAPI,
    COMMAND_SETTINGS,
    COMMAND_NONE
};

struct options {
    struct gateway_settings gateway;
    struct fleet_settings fleet;
    struct store_settings store;
    struct bucket_settings bucket;
    struct egress_settings egress;
    struct http_policy policy; /* of egress */
};

/* COMMAND_NONE: an unknown flag, or more than one. */
enum command options_command(int argc, char **argv);
/* Strings in the arena. Adds a line to `problems` for each variable that is wrong; returns their
 * number. */
size_t options_read(struct options *options, struct arena *arena, struct text *problems);
void options_help(struct text *text);
/* Every variable of every program, as the tables of the README. */
void options_settings(struct text *text);

#endif
