/* mediafleet-download: fetches users' URLs into the workspace. */
#include "worker/download/download.h"

int main(int argc, char **argv)
{
    static const struct worker worker = {
        .kind = KIND_DOWNLOAD,
        .handle = download_handle,
        .settings = &egress_settings_doc,
        .open = download_open,
    };
    return worker_main(&worker, argc, argv);
}
