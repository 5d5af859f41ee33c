/* mediafleet-cleanup: deletes what failed jobs left in the bucket. */
#include "worker/cleanup/cleanup.h"

int main(int argc, char **argv)
{
    static const struct worker worker = {.kind = KIND_CLEANUP, .handle = cleanup};
    return worker_main(&worker, argc, argv);
}
