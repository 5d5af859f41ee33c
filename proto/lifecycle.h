/* The bucket's own rules, by which the storage deletes by itself: asked for, and answered. */
#ifndef PROTO_LIFECYCLE_H
#define PROTO_LIFECYCLE_H

#include "proto/doc.h"

struct lifecycle_ask {
    bool apply; /* else only what is set is told */
};
struct lifecycle_rule {
    const char *id, *prefix; /* "" if it has none */
    bool ours, enabled;
    int64_t abort_days, expire_days; /* 0: it does not */
};
struct lifecycle_rules {
    struct lifecycle_rule *at;
    size_t len;
};
struct lifecycle {
    bool set; /* ours are there as they should be */
    struct lifecycle_rules rules;
};
extern const struct doc lifecycle_ask_doc, lifecycle_rule_doc, lifecycle_doc;

#endif
