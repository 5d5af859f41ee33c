/* The ticket's table: bounds included, so that decoding one is all the checking that a worker has
 * to do. */
#include "proto/ticket.h"

#include <string.h>

#include "proto/job.h"

enum { ULID_LEN = 26 };

/* Crockford's alphabet as ids are written: upper case, without I, L, O and U; 26 digits of 5 bits
 * hold 128 bits, so that the first is at most 7. */
static enum error check_ulid(const char *value, const char **why)
{
    *why = "not a job's id (a ULID)";
    size_t len = strspn(value, "0123456789ABCDEFGHJKMNPQRSTVWXYZ");
    return len == ULID_LEN && value[len] == '\0' && value[0] <= '7' ? ERR_NONE : ERR_INVALID_ID;
}

static const struct field fields[] = {
    FIELD(ticket, v, .flags = FIELD_REQUIRED, .min = TICKET_VERSION, .max = TICKET_VERSION,
          .text = "Version of this message; another one is not for this release."),
    FIELD(ticket, job, .flags = FIELD_REQUIRED, .check = check_ulid, .text = "Id of the job."),
    FIELD(ticket, task, .flags = FIELD_REQUIRED | FIELD_ALWAYS, .max = JOB_TASKS_MAX - 1,
          .text = "Index of the task in the job's tasks."),
};
const struct doc ticket_doc = DOC(ticket, fields);
