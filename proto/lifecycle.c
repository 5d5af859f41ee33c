/* The tables of lifecycle. */
#include "proto/lifecycle.h"

/* clang-format off */
static const struct field ask[] = {
    FIELD(lifecycle_ask, apply, .text = "Set mediafleet's rules; without it only what is set is told."),
};
const struct doc lifecycle_ask_doc = DOC(lifecycle_ask, ask);

static const struct field rule[] = {
    FIELD(lifecycle_rule, id, .flags = FIELD_REQUIRED, .text = "Its name."),
    FIELD(lifecycle_rule, prefix, .text = "Only keys that begin so."),
    FIELD(lifecycle_rule, ours, .flags = FIELD_ALWAYS, .text = "Whether it is mediafleet's."),
    FIELD(lifecycle_rule, enabled, .flags = FIELD_ALWAYS, .text = "Whether it is in force."),
    FIELD(lifecycle_rule, abort_days, .text = "Unfinished uploads are aborted after so many days."),
    FIELD(lifecycle_rule, expire_days, .text = "Objects are deleted after so many days."),
};
const struct doc lifecycle_rule_doc = DOC(lifecycle_rule, rule);

static const struct field fields[] = {
    FIELD(lifecycle, set, .flags = FIELD_ALWAYS, .text = "Whether mediafleet's rules are there as they should be."),
    FIELD_DOCS(lifecycle, rules, lifecycle_rule, .text = "All rules of the bucket."),
};
const struct doc lifecycle_doc = DOC(lifecycle, fields);
/* clang-format on */
