/* Display sizes, and what the door to libav refuses. */
#include "worker/media/probe.h"

#include "check.h"

static void check(int width, int height, int num, int den, int rotation, int should_width,
                  int should_height)
{
    int is_width, is_height;
    probe_display_size(width, height, (AVRational){num, den}, rotation, &is_width, &is_height);
    CHECK_INT(is_width, should_width);
    CHECK_INT(is_height, should_height);
}

static void display_size(void)
{
    check(1920, 1080, 0, 1, 0, 1920, 1080);
    check(720, 576, 16, 11, 0, 1047, 576);
    check(1440, 1080, 4, 3, 90, 1080, 1920);
    check(1920, 1080, 1, 1, 180, 1920, 1080);
    check(1920, 1080, 1000, 1, 0, 1920, 1080); /* mad */
    check(1, 1, 1, 8, 0, 1, 1);
}

static void sizes_refused(void)
{
    struct err err = {0};
    CHECK_INT(libav_check_size(8192, 4320, &err), 0);
    CHECK_INT(libav_check_size(4320, 8192, &err), 0);
    CHECK_INT(libav_check_size(65535, 65535, &err), -1);
    CHECK_INT(err.code, ERR_DIMENSIONS_TOO_LARGE);
    CHECK_INT(libav_check_size(16385, 1, &err), -1);
    CHECK_INT(libav_check_size(0, 5, &err), -1);
    CHECK_INT(err.code, ERR_CORRUPT_MEDIA);
}

static void refuse(const char *contents, size_t len, enum error should)
{
    char path[] = "/tmp/probe_test.XXXXXX";
    struct input *input = NULL;
    struct err err = {0};
    int fd = mkstemp(path);
    CHECK(fd >= 0 && write(fd, contents, len) == (ssize_t)len);
    close(fd);
    CHECK_INT(input_open(&input, path, NULL, &err), -1);
    CHECK_STR(error_name(err.code), error_name(should));
    unlink(path);
}

/* Playlists and lists of files would make libav open what they name. */
static void files_that_name_others(void)
{
    static const char hls[] = "#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXTINF:6,\n/etc/passwd\n";
    static const char concat[] = "ffconcat version 1.0\nfile /etc/passwd\n";
    static const char text[] = "<html>no film</html>";
    refuse(hls, sizeof hls - 1, ERR_UNSUPPORTED_MEDIA);
    refuse(concat, sizeof concat - 1, ERR_UNSUPPORTED_MEDIA);
    refuse(text, sizeof text - 1, ERR_UNSUPPORTED_MEDIA);
    refuse("", 0, ERR_UNSUPPORTED_MEDIA);
}

static void a_film_without_its_index(void)
{
    static const char bytes[] = "\0\0\0\x18"
                                "ftypmp42\0\0\0\0mp42isom\0\0\x10\0mdatxxxxxxxxxxxxxxxx";
    refuse(bytes, sizeof bytes - 1, ERR_CORRUPT_MEDIA);
}

int main(void)
{
    libav_open();
    RUN(display_size);
    RUN(sizes_refused);
    RUN(files_that_name_others);
    RUN(a_film_without_its_index);
    return 0;
}
