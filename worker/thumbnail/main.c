/* mediafleet-thumbnail: pictures of media files in three sizes. */
#include "worker/thumbnail/thumbnail.h"

int main(int argc, char **argv)
{
    static const struct worker thumbnail = {
        .kind = KIND_THUMBNAIL, .handle = thumbnail_handle, .open = thumbnail_open};
    return worker_main(&thumbnail, argc, argv);
}
