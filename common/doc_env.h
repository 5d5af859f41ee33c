/* Settings: a document whose fields are environment variables. */
#ifndef COMMON_DOC_ENV_H
#define COMMON_DOC_ENV_H

#include "common/arena.h"
#include "common/doc_json.h"
#include "common/err.h"
#include "proto/doc.h"

/* Reads each field's variable (field.name is its name) or field.fallback, checks type, bounds and .check, fills `out`
 * (strings in the arena). Every wrong variable is reported, one line each, to `problems`: "MEDIAFLEET_LEASE_S: must be
 * 5 to 3600, is 'x'"; values of secrets are not shown. Returns the number of problems. A list (strs) is separated by
 * commas or white space. Booleans: true/false/1/0/yes/no/on/off. An empty variable counts as not set. */
size_t doc_env_read(const struct doc *doc, struct arena *arena, void *out, struct text *problems);
/* One paragraph a variable, for --help: name, sentence, default, bounds. */
void doc_env_help(const struct doc *doc, struct text *text);
/* The same as rows of a Markdown table, for the README. */
void doc_env_markdown(const struct doc *doc, struct text *text);

#endif
