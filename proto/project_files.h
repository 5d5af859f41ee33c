/* Where the objects of a project may lie, and whose an object without a row is. Pure: what the store knows is asked. */
#ifndef PROTO_PROJECT_FILES_H
#define PROTO_PROJECT_FILES_H

#include "proto/file_path.h"

/* What keys of a project P begin with: "projects/P/", and how the application before this one named them:
 * "projects/proj_P/", "audio/proj_P/", and "proj_proj_P_" of "proj_proj_P_S_media.mp4" with S a scene. */
enum project_pattern { PATTERN_OWN, PATTERN_OLD_FOLDER, PATTERN_OLD_AUDIO, PATTERN_OLD_FLAT, PATTERN_COUNT };
void project_pattern(const char *project, enum project_pattern pattern, char out[OBJECT_KEY_MAX + 1]);

/* Whether any tenant has a project of that name (with a scene of that name, if one is given): 1, 0, or -1, which
 * project_owner returns. */
struct project_facts {
    int (*known)(void *arg, const char *project, const char *scene);
    void *arg;
    bool forgotten; /* the project was deleted, its scenes are gone: that none is known says nothing */
};
/* Keys do not say which of two projects they belong to when one's name continues the other's ("p_1" and "p_1_x"; "x"
 * and "proj_x"): then the store decides, and where it cannot, nobody. */
enum project_owner { OWNER_THIS, OWNER_OTHER, OWNER_UNCLEAR };
int project_owner(const char *project, enum project_pattern pattern, const char *key,
                  const struct project_facts *facts);

#endif
