/* Whose an untracked object is: never another project's is taken, whatever the names have in
 * common. */
#include "proto/project_files.h"

#include "check.h"

#define ULID "01J00000000000000000000001"

/* "project" or "project/scene", NULL at the end. */
static int known(void *arg, const char *project, const char *scene)
{
    char name[300];
    snprintf(name, sizeof name, scene ? "%s/%s" : "%s", project, scene ? scene : "");
    for (const char *const *at = arg; *at; at++)
        if (strcmp(*at, name) == 0)
            return 1;
    return 0;
}

static int broken(void *arg, const char *project, const char *scene)
{
    (void)arg, (void)project, (void)scene;
    return -1;
}

static int owner(const char *project, enum project_pattern pattern, const char *key,
                 const char *const *facts)
{
    const struct project_facts ask = {known, (void *)(uintptr_t)facts, false};
    return project_owner(project, pattern, key, &ask);
}
#define FACTS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void prefixes_end_where_the_name_ends(void)
{
    char out[OBJECT_KEY_MAX + 1];
    static const char *const want[] = {"projects/p1/", "projects/proj_p1/", "audio/proj_p1/",
                                       "proj_proj_p1_"};
    for (int i = 0; i < PATTERN_COUNT; i++) {
        project_pattern("p1", (enum project_pattern)i, out);
        CHECK_STR(out, want[i]);
    }
}

static void folders_belong_to_their_name(void)
{
    CHECK_INT(owner("p1", PATTERN_OWN, "projects/p1/x", FACTS("p10")), OWNER_THIS);
    CHECK_INT(owner("p1", PATTERN_OLD_AUDIO, "audio/proj_p1/s/a.mp3", FACTS("p10")), OWNER_THIS);
    CHECK_INT(owner("p1", PATTERN_OLD_FOLDER, "projects/proj_p1/scenes/s/media/a.mp4", FACTS("p1")),
              OWNER_THIS);
}

static void a_project_named_like_an_old_folder_keeps_its_own(void)
{
    static const char own[] = "projects/proj_x/scenes/s/" ULID "/hls/a.m4s";
    static const char old[] = "projects/proj_x/scenes/s/media/a.mp4";
    CHECK_INT(owner("x", PATTERN_OLD_FOLDER, own, FACTS("x", "proj_x")), OWNER_OTHER);
    CHECK_INT(owner("x", PATTERN_OLD_FOLDER, own, FACTS("x")), OWNER_UNCLEAR);
    CHECK_INT(owner("x", PATTERN_OLD_FOLDER, old, FACTS("x", "proj_x")), OWNER_UNCLEAR);
    CHECK_INT(owner("x", PATTERN_OLD_FOLDER, old, FACTS("x")), OWNER_THIS);
    CHECK_INT(owner("proj_x", PATTERN_OWN, own, FACTS("x", "proj_x")), OWNER_THIS);
    CHECK_INT(owner("proj_x", PATTERN_OWN, old, FACTS("x", "proj_x")), OWNER_UNCLEAR);
    CHECK_INT(owner("proj_x", PATTERN_OWN, old, FACTS("proj_x")), OWNER_THIS);
}

static int flat(const char *project, const char *middle, const char *const *facts)
{
    char key[400];
    snprintf(key, sizeof key, "proj_proj_%s_media.mp4", middle);
    return owner(project, PATTERN_OLD_FLAT, key, facts);
}

static void flat_keys_are_decided_by_what_is_known(void)
{
    CHECK_INT(flat("p1", "p1_s", FACTS("")), OWNER_THIS);
    CHECK_INT(flat("p1", "p10_s", FACTS("")), OWNER_OTHER);
    CHECK_INT(flat("p_1", "p_1_s", FACTS("p_1")), OWNER_THIS);
    CHECK_INT(flat("p_1", "p_1_x_s", FACTS("p_1")), OWNER_THIS);
    CHECK_INT(flat("p_1", "p_1_x_s", FACTS("p_1", "p_1_x")), OWNER_UNCLEAR);
    CHECK_INT(flat("p_1", "p_1_x_s", FACTS("p_1", "p_1_x", "p_1_x/s")), OWNER_OTHER);
    CHECK_INT(flat("p_1", "p_1_x_s", FACTS("p_1", "p_1/x_s", "p_1_x")), OWNER_THIS);
    CHECK_INT(flat("p_1", "p_1_x_s", FACTS("p_1", "p_1/x_s", "p_1_x", "p_1_x/s")), OWNER_UNCLEAR);
    CHECK_INT(flat("p_1_x", "p_1_x_s", FACTS("p_1", "p_1_x")), OWNER_UNCLEAR);
    CHECK_INT(flat("p_1", "p_1_s", FACTS("p", "p_1")), OWNER_UNCLEAR);
}

static void a_deleted_projects_scenes_are_forgotten(void)
{
    static const char *const facts[] = {"p_1", "p_1_x", "p_1_x/s", NULL};
    const struct project_facts ask = {known, (void *)(uintptr_t)facts, true};
    CHECK_INT(project_owner("p_1", PATTERN_OLD_FLAT, "proj_proj_p_1_x_s_media.mp4", &ask),
              OWNER_UNCLEAR);
    CHECK_INT(project_owner("p_1", PATTERN_OLD_FLAT, "proj_proj_p_10_s_media.mp4", &ask),
              OWNER_OTHER);
}

static void what_is_not_of_the_form_is_left(void)
{
    CHECK_INT(owner("p", PATTERN_OLD_FLAT, "proj_proj_p_s_media.mp3", FACTS("p")), OWNER_OTHER);
    CHECK_INT(owner("p", PATTERN_OLD_FLAT, "proj_proj_p_s/x_media.mp4", FACTS("p")), OWNER_OTHER);
    CHECK_INT(owner("p", PATTERN_OLD_FLAT, "proj_proj_p__media.mp4", FACTS("p")), OWNER_OTHER);
    CHECK_INT(owner("p", PATTERN_OLD_FLAT, "proj_proj_p_media.mp4", FACTS("p")), OWNER_OTHER);
    CHECK_INT(flat("p", "p_s_media.mp4/../x", FACTS("p")), OWNER_OTHER);
}

static void a_store_that_does_not_answer_decides_nothing(void)
{
    const struct project_facts none = {broken, NULL, false};
    CHECK_INT(project_owner("p", PATTERN_OLD_FLAT, "proj_proj_p_s_media.mp4", &none), -1);
    CHECK_INT(project_owner("x", PATTERN_OLD_FOLDER, "projects/proj_x/a", &none), -1);
}

int main(void)
{
    RUN(prefixes_end_where_the_name_ends);
    RUN(folders_belong_to_their_name);
    RUN(a_project_named_like_an_old_folder_keeps_its_own);
    RUN(flat_keys_are_decided_by_what_is_known);
    RUN(a_deleted_projects_scenes_are_forgotten);
    RUN(what_is_not_of_the_form_is_left);
    RUN(a_store_that_does_not_answer_decides_nothing);
    return 0;
}
