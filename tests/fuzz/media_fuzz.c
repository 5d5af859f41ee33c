/* Fuzzes media files through the door to libav: opened, probed and read within bounds. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "tests/fuzz/fuzz.h"
#include "worker/media/probe.h"

enum { PACKETS_MAX = 64, LOOKS_MAX = 10000 };

/* Ends what would take long, without a clock. */
static bool is_enough(void *looks)
{
    return ++*(int *)looks > LOOKS_MAX;
}

static void check_probe(const struct input *input, const struct probe *probe)
{
    int streams = (int)input->format->nb_streams;
    if (probe->video >= streams || probe->audio >= streams || probe->cover >= streams ||
        (probe->video < 0 && probe->audio < 0 && probe->cover < 0))
        abort();
    if (probe->video >= 0 && (probe->width < 1 || probe->height < 1 ||
                              probe->width > LIBAV_SIDE_MAX || probe->height > LIBAV_SIDE_MAX))
        abort();
    if (probe->rotation % 90 != 0 || probe->rotation < 0 || probe->rotation > 270 ||
        probe->duration_us < 0 || probe->duration_us > INT64_C(1000000) * PROBE_DURATION_MAX_S)
        abort();
    if (probe->audio >= 0 &&
        strspn(probe->language, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-") !=
            strlen(probe->language))
        abort();
}

static void read_file(const char *path)
{
    int looks = 0;
    struct watch watch = {.stopped = is_enough, .arg = &looks};
    CLEANUP(input_free_at) struct input *input = NULL;
    CLEANUP(packet_free_at) AVPacket *packet = libav_packet();
    struct probe probe;
    struct err err = {0};
    if (input_open(&input, path, &watch, &err) != 0 || probe_input(input, &probe, &err) != 0) {
        if (err.code == ERR_NONE)
            abort();
        return;
    }
    check_probe(input, &probe);
    for (int i = 0; i < PACKETS_MAX && input_read(input, packet, &err) > 0; i++) {
        if (packet->stream_index < 0 || packet->stream_index >= (int)input->format->nb_streams)
            abort();
        av_packet_unref(packet);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    CLEANUP(close_at) int fd = memfd_create("media", MFD_CLOEXEC);
    char path[64];
    libav_open();
    if (fd < 0 || write(fd, bytes, len) != (ssize_t)len)
        abort();
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    read_file(path);
    return 0;
}
