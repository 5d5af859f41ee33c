/* One id is often the beginning of another: p1 and p10, p_1 and p_1_x. */
#include "proto/project_files.h"

#include <stdio.h>
#include <string.h>

#define OLD "proj_"
#define OLD_FLAT "proj_proj_"
#define OLD_FLAT_END "_media.mp4"

void project_pattern(const char *project, enum project_pattern pattern,
                     char out[OBJECT_KEY_MAX + 1])
{
    static const char *const forms[PATTERN_COUNT][2] = {
        [PATTERN_OWN] = {"projects/", "/"},
        [PATTERN_OLD_FOLDER] = {"projects/" OLD, "/"},
        [PATTERN_OLD_AUDIO] = {"audio/" OLD, "/"},
        [PATTERN_OLD_FLAT] = {OLD_FLAT, "_"}};
    snprintf(out, OBJECT_KEY_MAX + 1, "%s%.*s%s", forms[pattern][0], IDENT_MAX, project,
             forms[pattern][1]);
}

/* "projects/P/scenes/S/<ULID>/…": only this fleet names objects so. */
static bool is_ours(const char *key)
{
    char job[27];
    return file_key_job(key, job);
}

/* "projects/proj_x/…" is the project proj_x's, or an old object of x. */
static int owner_in_folder(const char *project, bool old, const char *key,
                           const struct project_facts *facts)
{
    char longer[sizeof OLD + IDENT_MAX];
    if (!old && strncmp(project, OLD, sizeof OLD - 1) != 0)
        return OWNER_THIS;
    if (!old && is_ours(key))
        return OWNER_THIS;
    snprintf(longer, sizeof longer, OLD "%.*s", IDENT_MAX, project);
    int known = facts->known(facts->arg, old ? longer : project + sizeof OLD - 1, NULL);
    if (known < 0)
        return -1;
    if (!known)
        return old && is_ours(key) ? OWNER_UNCLEAR : OWNER_THIS;
    return old && is_ours(key) ? OWNER_OTHER : OWNER_UNCLEAR;
}

/* What stands between the two fixed parts: "P_S", P and S each with underscores of their own. */
struct flat {
    char text[OBJECT_KEY_MAX + 1];
    size_t len;
};

static bool flat_read(const char *key, struct flat *flat)
{
    const size_t begin = sizeof OLD_FLAT - 1, end = sizeof OLD_FLAT_END - 1, len = strlen(key);
    if (len <= begin + end || len > OBJECT_KEY_MAX || strchr(key, '/') ||
        strncmp(key, OLD_FLAT, begin) != 0 || strcmp(key + len - end, OLD_FLAT_END) != 0)
        return false;
    flat->len = len - begin - end;
    memcpy(flat->text, key + begin, flat->len);
    flat->text[flat->len] = '\0';
    return true;
}

/* Whether the project that ends at the underscore `at` is known: 0 not, 1 it is, 2 with that scene.
 */
static int judge(const struct flat *flat, size_t at, const struct project_facts *facts)
{
    char project[IDENT_MAX + 1];
    if (at > IDENT_MAX)
        return 0;
    memcpy(project, flat->text, at);
    project[at] = '\0';
    int known = facts->known(facts->arg, project, NULL);
    if (known <= 0)
        return known;
    int scene = facts->known(facts->arg, project, flat->text + at + 1);
    return scene < 0 ? -1 : 1 + scene;
}

static int owner_flat(const char *project, const char *key, const struct project_facts *facts)
{
    struct flat flat;
    size_t own = strlen(project);
    int best = 0, ours = 0;
    if (!flat_read(key, &flat) || flat.len <= own + 1 || flat.text[own] != '_' ||
        strncmp(flat.text, project, own) != 0)
        return OWNER_OTHER;
    for (size_t at = 1; at + 1 < flat.len; at++) {
        int known = flat.text[at] == '_' ? judge(&flat, at, facts) : 0;
        if (known < 0)
            return -1;
        if (at == own)
            ours = known;
        else if (known > best)
            best = known;
    }
    if (best == 2)
        return ours == 2 || facts->forgotten ? OWNER_UNCLEAR : OWNER_OTHER;
    return best == 0 || ours == 2 ? OWNER_THIS : OWNER_UNCLEAR;
}

int project_owner(const char *project, enum project_pattern pattern, const char *key,
                  const struct project_facts *facts)
{
    switch (pattern) {
    case PATTERN_OLD_FLAT:
        return owner_flat(project, key, facts);
    case PATTERN_OLD_AUDIO:
        return OWNER_THIS;
    default:
        return owner_in_folder(project, pattern == PATTERN_OLD_FOLDER, key, facts);
    }
}
