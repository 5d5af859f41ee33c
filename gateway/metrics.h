/* The gateway's counters, and Prometheus' text format. */
#ifndef GATEWAY_METRICS_H
#define GATEWAY_METRICS_H

#include <stdint.h>

#include "common/arena.h"
#include "proto/route.h"

struct metrics; /* any thread */

struct metrics *metrics_open(void);
void metrics_free(struct metrics *metrics);

void metrics_begin(struct metrics *metrics);
/* route NULL: none was found. */
void metrics_end(struct metrics *metrics, const struct route *route, int status, int64_t took_ms);
/* A job was accepted (202). */
void metrics_accept(struct metrics *metrics, bool queued);

void metrics_print(struct metrics *metrics, struct text *out);

/* "# HELP …\n# TYPE …\n", then samples: labels is "" or `{kind="hello"}`. */
void metrics_family(struct text *out, const char *name, const char *type, const char *help);
void metrics_sample(struct text *out, const char *name, const char *labels, int64_t value);

#endif
