/* mediafleet-transcode: media files become HLS assets. */
#include "worker/transcode/transcode.h"

int main(int argc, char **argv)
{
    static const struct worker transcode = {
        .kind = KIND_TRANSCODE, .handle = transcode_handle, .open = transcode_open};
    return worker_main(&transcode, argc, argv);
}
