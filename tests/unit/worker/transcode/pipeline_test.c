/* A film of our own making goes through; a stop ends it early, leaving no master playlist. */
#include "worker/transcode/pipeline.h"

#include <ftw.h>
#include <stdatomic.h>

#include "check.h"

enum { SECONDS = 3, RATE = 8000 };

/* A WAV file: the one medium that needs no encoder. */
static void write_film(const char *path)
{
    static const uint8_t head[] = {'R', 'I', 'F',  'F',  0xff, 0xff, 0,    0,    'W',  'A', 'V',
                                   'E', 'f', 'm',  't',  ' ',  16,   0,    0,    0,    1,   0,
                                   1,   0,   0x40, 0x1f, 0,    0,    0x40, 0x1f, 0,    0,   1,
                                   0,   8,   0,    'd',  'a',  't',  'a',  0xc0, 0x5d, 0,   0};
    FILE *file = fopen(path, "wb");
    CHECK(file && fwrite(head, 1, sizeof head, file) == sizeof head);
    for (int i = 0; i < SECONDS * RATE; i++)
        fputc(i & 64 ? 160 : 96, file);
    fclose(file);
}

static int remove_one(const char *path, const struct stat *status, int flag, struct FTW *walk)
{
    (void)status, (void)flag, (void)walk;
    return remove(path);
}

static bool after_some_questions(void *arg)
{
    return atomic_fetch_add((atomic_int *)arg, 1) >= 2;
}

static int run(const struct watch *watch, struct transcode_result *result, struct err *err,
               struct arena *arena)
{
    char dir[] = "/tmp/pipeline_test.XXXXXX";
    CHECK(mkdtemp(dir));
    const char *source = arena_printf(arena, "%s/source.wav", dir);
    const char *master = arena_printf(arena, "%s/master.m3u8", dir);
    write_film(source);
    const struct pipeline_job job = {.source = source, .dir = dir, .watch = watch, .cores = 2};
    int status = pipeline_run(&job, arena, result, err);
    CHECK_INT(access(master, F_OK), status);
    nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    return status;
}

static void a_record(void)
{
    struct arena arena = {0};
    struct transcode_result result = {0};
    struct err err = {0};
    CHECK_INT(run(NULL, &result, &err, &arena), 0);
    CHECK_STR(result.playlist, "master.m3u8");
    CHECK_INT(result.renditions.len, 1);
    CHECK_STR(result.renditions.at[0].codecs, "mp4a.40.2");
    CHECK(result.duration_s > 2.9 && result.duration_s < 3.1);
    CHECK_INT(result.files, 4); /* init, segment, two playlists */
    arena_release(&arena);
}

static void a_stop(void)
{
    struct arena arena = {0};
    struct transcode_result result = {0};
    struct err err = {0};
    atomic_int asked = 0;
    const struct watch watch = {.stopped = after_some_questions, .arg = &asked};
    CHECK_INT(run(&watch, &result, &err, &arena), -1);
    CHECK_INT(err.code, ERR_CANCELLED);
    CHECK(!result.playlist);
    arena_release(&arena);
}

int main(void)
{
    libav_open();
    RUN(a_record);
    RUN(a_stop);
    return 0;
}
