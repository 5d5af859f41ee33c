/* Which action does what. */
#include "worker/storage/storage.h"

static worker_handler *const actions[STORAGE_ACTION_COUNT] = {
    [STORAGE_RECONCILE] = storage_reconcile,
    [STORAGE_MIGRATE] = storage_migrate,
    [STORAGE_DUPLICATES] = storage_duplicates,
    [STORAGE_EXPIRE] = storage_expire,
};

int storage(struct run *run, const void *in, void *out, struct err *err)
{
    const struct storage_params *params = in;
    worker_handler *act = params->action < STORAGE_ACTION_COUNT ? actions[params->action] : NULL;
    if (!act)
        return err_set(err, ERR_INVALID_VALUE, "this worker does not know the action %d",
                       (int)params->action);
    return act(run, in, out, err);
}
