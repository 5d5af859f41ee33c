/* Options of the command line are fields of a document: --dry-run sets dry_run, --project P project_id, --older-than 24h
 * older_than_s, --rate 10M rate_bytes. */
#ifndef GATEWAY_CTL_OPTIONS_H
#define GATEWAY_CTL_OPTIONS_H

#include "common/arena.h"
#include "common/err.h"
#include "proto/doc.h"

/* Those that every command takes. */
struct common_options {
    bool help, version, json, wait;
    int64_t timeout_s; /* 0: not given */
};
extern const struct doc common_options_doc;

/* The field that the option "--name" or "--name=value" sets, or NULL. */
const struct field *option_field(const struct doc *doc, const char *option);
/* Whether a value follows: bools take none. */
bool option_takes_value(const struct field *field);
/* value: NULL for a bool. Strings are kept by reference. ERR_OUT_OF_RANGE, ERR_INVALID_FORMAT and what the field's check
 * says. */
int option_set(const struct field *field, const char *value, void *object, struct err *err);
/* Of all required fields the first that is not set, or NULL. */
const struct field *option_missing(const struct doc *doc, const void *object);
/* "--older-than", into the arena. */
const char *option_name(const struct field *field, struct arena *arena);
/* A line for each option of the document. */
void option_help(const struct doc *doc, struct text *out);

#endif
