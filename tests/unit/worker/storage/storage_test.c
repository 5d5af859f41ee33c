/* Which action a task means. */
#include "check.h"

#include "worker/storage/storage.h"

static void an_unknown_action_is_refused(void)
{
    static const enum storage_action wrong[] = {STORAGE_ACTION_NONE, STORAGE_ACTION_COUNT, 1000};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct err err = {0};
        struct storage_result result = {0};
        const struct storage_params params = {.action = wrong[i]};
        CHECK_INT(storage(NULL, &params, &result, &err), -1);
        CHECK_INT(err.code, ERR_INVALID_VALUE);
    }
}

int main(void)
{
    RUN(an_unknown_action_is_refused);
    return 0;
}
