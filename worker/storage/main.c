/* mediafleet-storage: what an administrator asks of the whole bucket and its ledger. */
#include "worker/storage/storage.h"

int main(int argc, char **argv)
{
    static const struct worker worker = {.kind = KIND_STORAGE, .handle = storage};
    return worker_main(&worker, argc, argv);
}
