/* The table of turns. */
#include "proto/turn.h"

static const struct field fields[] = {
    FIELD(turn, id, .flags = FIELD_REQUIRED | FIELD_ID, .text = "What it is about."),
    FIELD(turn, owner, .text = "The process that does it."),
    FIELD(turn, until, .flags = FIELD_TIME, .text = "Until when, if it does not take it again."),
};
const struct doc turn_doc = DOC(turn, fields);
