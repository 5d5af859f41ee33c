/* The byte range of a key frame in a fragment, and no byte read beyond its end. */
#include "worker/transcode/fragment.h"

#include "check.h"

static const uint8_t whole[] = {
    0, 0, 0, 8,  's', 't', 'y', 'p',                                        /* */
    0, 0, 0, 64, 'm', 'o', 'o', 'f',                                        /* */
    0, 0, 0, 56, 't', 'r', 'a', 'f',                                        /* */
    0, 0, 0, 20, 't', 'f', 'h', 'd', 0, 2, 0, 0x10, 0, 0, 0, 1, 0, 0, 0, 9, /* */
    0, 0, 0, 28, 't', 'r', 'u', 'n', 0, 0, 2, 5,    0, 0, 0, 2, 0, 0, 0, 0,
    0, 0, 0, 0,  0,   0,   0,   5, /* */
    0, 0, 0, 20, 'm', 'd', 'a', 't', 1, 1, 1, 1,    1, 2, 2, 2, 2, 2, 2, 2,
};

static void the_first_sample(void)
{
    struct fragment_range range;
    struct err err = {0};
    CHECK_INT(fragment_first_sample(whole, sizeof whole, &range, &err), 0);
    CHECK_INT(range.start, 8);
    CHECK_INT(range.end, 8 + 64 + 8 + 5);
}

static void cut_anywhere(void)
{
    struct fragment_range range;
    struct err err = {0};
    for (size_t len = 0; len < sizeof whole; len++) {
        uint8_t *copy = malloc(len + 1);
        memcpy(copy, whole, len);
        CHECK_INT(fragment_first_sample(copy, len, &range, &err), -1);
        CHECK_INT(err.code, ERR_INTERNAL);
        free(copy);
    }
}

int main(void)
{
    RUN(the_first_sample);
    RUN(cut_anywhere);
    return 0;
}
