/* mediafleet-upload: workspace → bucket. */
#include "worker/upload/upload.h"

int main(int argc, char **argv)
{
    static const struct worker worker = {.kind = KIND_UPLOAD, .handle = upload};
    return worker_main(&worker, argc, argv);
}
