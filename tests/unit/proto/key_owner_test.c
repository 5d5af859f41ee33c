/* Keys of every form, and keys of none. */
#include "check.h"

#include "proto/key_owner.h"

#define JOB "01J00000000000000000000000"
#define OURS "projects/p1/scenes/65f000000000000000000001/" JOB "/"

static void reads_every_form(void)
{
    static const struct {
        const char *key, *project, *scene, *job;
        enum file_type type;
    } cases[] = {
        {OURS "hls/v1080/init.mp4", "p1", "65f000000000000000000001", JOB, FILE_INIT},
        {OURS "source/source.mp4", "p1", "65f000000000000000000001", JOB, FILE_SOURCE},
        {"projects/proj_a/scenes/s/" JOB "/hls/seg-1.m4s", "proj_a", "s", JOB, FILE_SEGMENT},
        {"projects/proj_a/scenes/s/media/film.mp4", "a", "s", "", FILE_SOURCE},
        {"projects/proj_a/scenes/s/film.MP4", "a", "s", "", FILE_SOURCE},
        {"projects/a/cover.JPG", "a", "", "", FILE_THUMBNAIL},
        {"audio/proj_a.b-c/s1/voice.mp3", "a.b-c", "s1", "", FILE_SOURCE},
        {"media/proj_proj_a/s1/notes.txt", "a", "s1", "", FILE_DOCUMENT},
        {"proj_proj_a_b_s1_media.mp4", "a_b", "s1", "", FILE_SOURCE},
        {"proj_a_s1_thumb.png", "a", "s1", "", FILE_THUMBNAIL},
        {"proj_media.mp4", "", "", "", FILE_SOURCE},
        {"proj_", "", "", "", FILE_SOURCE},
        {"", "", "", "", FILE_SOURCE},
        {"/", "", "", "", FILE_SOURCE},
        {"projects", "", "", "", FILE_SOURCE},
        {"projects/a", "", "", "", FILE_SOURCE},
        {"projects//scenes/s/x/y", "", "s", "", FILE_SOURCE},
        {"projects/a b/c", "", "", "", FILE_SOURCE},
        {"tmp/x.m3u8", "", "", "", FILE_PLAYLIST},
        {"a/b/c/d/e/f/g/h.ts", "", "", "", FILE_SEGMENT},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct key_owner owner;
        key_owner_read(cases[i].key, &owner);
        CHECK_STR(owner.project, cases[i].project);
        CHECK_STR(owner.scene, cases[i].scene);
        CHECK_STR(owner.job, cases[i].job);
        CHECK_INT(owner.type, cases[i].type);
    }
}

static void cuts_nothing_off(void)
{
    char key[400] = "projects/";
    struct key_owner owner;
    memset(key + strlen(key), 'a', IDENT_MAX);
    strcat(key, "/x");
    key_owner_read(key, &owner);
    CHECK_INT(strlen(owner.project), IDENT_MAX);
    key[strlen(key) - 2] = '\0';
    strcat(key, "a/x");
    key_owner_read(key, &owner);
    CHECK_STR(owner.project, "");
}

int main(void)
{
    RUN(reads_every_form);
    RUN(cuts_nothing_off);
    return 0;
}
