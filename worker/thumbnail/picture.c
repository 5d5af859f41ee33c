/* Photos are decoded here, films and records in poster.c. */
#include "worker/thumbnail/picture.h"

#include <errno.h>
#include <math.h>

#include "proto/thumbnail.h"
#include "worker/thumbnail/jpeg.h"
#include "worker/thumbnail/markers.h"

enum { FILE_MAX = 256 << 20 };

bool picture_turned(int orientation)
{
    return orientation >= 5;
}

void picture_fit(int width, int height, int box_width, int box_height, int *out_width,
                 int *out_height)
{
    double factor = fmin(1, fmin((double)box_width / width, (double)box_height / height));
    *out_width = (int)fmax(1, round(width * factor));
    *out_height = (int)fmax(1, round(height * factor));
}

static int read_file(const char *path, uint8_t **out, size_t *len, struct err *err)
{
    CLEANUP(fclose_at) FILE *file = fopen(path, "rbe");
    long size;
    if (!file || fseek(file, 0, SEEK_END) < 0 || (size = ftell(file)) < 0)
        return err_errno(err, errno, "open the picture");
    if (size > FILE_MAX)
        return err_set(err, ERR_UNSUPPORTED_IMAGE,
                       "the file has %ld bytes, at most %d are accepted", size, FILE_MAX);
    CLEANUP(free_at) uint8_t *bytes = malloc((size_t)size + 1);
    if (!bytes)
        abort();
    rewind(file);
    if (fread(bytes, 1, (size_t)size, file) != (size_t)size)
        return err_errno(err, errno, "read the picture");
    *len = (size_t)size;
    *out = TAKE(bytes);
    return 0;
}

static int load_photo(const struct picture_source *source, struct picture *out, struct err *err)
{
    CLEANUP(free_at) uint8_t *bytes = NULL;
    size_t len = 0;
    struct markers markers;
    if (read_file(source->path, &bytes, &len, err) < 0 ||
        markers_read(bytes, len, &markers, err) < 0)
        return -1;
    bool turned = picture_turned(markers.orientation);
    struct picture picture = {.orientation = markers.orientation,
                              .width = turned ? markers.height : markers.width,
                              .height = turned ? markers.width : markers.height};
    int width, height;
    picture_fit(picture.width, picture.height, thumbnail_sizes[0].width, thumbnail_sizes[0].height,
                &width, &height);
    if (jpeg_decode(bytes, len, turned ? height : width, turned ? width : height, &picture.frame,
                    err) < 0)
        return -1;
    *out = picture;
    return 0;
}

int picture_load(const struct picture_source *source, struct picture *out, struct err *err)
{
    return source->media == MEDIA_IMAGE ? load_photo(source, out, err)
                                        : picture_load_poster(source, out, err);
}

void picture_release(struct picture *picture)
{
    av_frame_free(&picture->frame);
}
