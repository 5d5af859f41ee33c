/* A page of the bucket's listing, without what the ledger knows, judged key by key. */
#include "common/discover.h"

#include <stdlib.h>
#include <string.h>

#include "common/file_id.h"
#include "common/projects.h"
#include "proto/file_path.h"
#include "proto/scene.h"

enum { FACTS_MAX = 256 };

/* What was asked before: the same few names come again and again. */
struct fact {
    const char *project, *scene; /* scene NULL: any */
    int known;
};

struct discover {
    struct store *store;
    struct bucket *bucket;
    const char *tenant, *project;
    bool shared, deleted;
    struct arena arena;
    struct fact facts[FACTS_MAX];
    size_t facts_len;
    struct err err; /* why `known` said -1 */
};

/* One of the same names as `filter`, of a tenant before or after ours: 1, 0, -1. */
static int has_other(struct discover *discover, const char *collection, const struct doc *doc,
                     const void *filter, struct err *err)
{
    for (int descending = 0; descending < 2; descending++) {
        const struct store_page page = {.filter = filter,
                                        .order = "tenant",
                                        .after = discover->tenant,
                                        .descending = descending,
                                        .limit = 1};
        struct arena arena = {0};
        void *found;
        size_t len;
        int failed = store_find(discover->store, collection, doc, &page, &arena, &found, &len, err);
        arena_release(&arena);
        if (failed || len > 0)
            return failed ? -1 : 1;
    }
    return 0;
}

/* A tenant has a project as long as it has a scene of it, and for ever once it has deleted it. */
static int find_others(struct discover *discover, struct err *err)
{
    const struct scene scene = {.project_id = discover->project};
    const struct project project = {.project_id = discover->project};
    int other = has_other(discover, SCENE_COLLECTION, &scene_doc, &scene, err);
    if (other == 0)
        other = has_other(discover, PROJECT_COLLECTION, &project_doc, &project, err);
    discover->shared = other == 1;
    struct project own;
    if (other < 0 || projects_find(discover->store, discover->tenant, discover->project,
                                   &discover->arena, &own, err) < 0)
        return -1;
    discover->deleted = own.deleted_at != 0;
    return 0;
}

int discover_open(struct discover **out, struct store *store, struct bucket *bucket,
                  const char *tenant, const char *project, struct err *err)
{
    struct discover *discover = calloc(1, sizeof *discover);
    if (!discover)
        abort();
    discover->store = store;
    discover->bucket = bucket;
    discover->tenant = tenant;
    discover->project = project;
    if (find_others(discover, err)) {
        discover_free(discover);
        return -1;
    }
    *out = discover;
    return 0;
}

void discover_free(struct discover *discover)
{
    if (!discover)
        return;
    arena_release(&discover->arena);
    free(discover);
}

bool discover_shared(const struct discover *discover)
{
    return discover->shared;
}

/* --- what the store knows --- */

static int exists(struct discover *discover, const char *collection, const struct doc *doc,
                  const void *filter, void *found)
{
    struct arena arena = {0};
    struct err err = {0};
    int failed = store_get(discover->store, collection, doc, filter, &arena, found, &err);
    arena_release(&arena);
    if (failed && err.code != ERR_NOT_FOUND)
        return discover->err = err, -1;
    return !failed;
}

static int ask(struct discover *discover, const char *project, const char *scene)
{
    const struct scene by_name = {.project_id = project, .scene_id = scene};
    const struct scene by_id = {.project_id = project, .id = scene};
    const struct project record = {.project_id = project};
    const char *why;
    union {
        struct scene scene;
        struct project project;
    } found;
    int there = exists(discover, SCENE_COLLECTION, &scene_doc, &by_name, &found.scene);
    if (there == 0 && scene && oid_check(scene, &why) == ERR_NONE)
        there = exists(discover, SCENE_COLLECTION, &scene_doc, &by_id, &found.scene);
    if (there == 0 && !scene)
        there = exists(discover, PROJECT_COLLECTION, &project_doc, &record, &found.project);
    return there;
}

static int known(void *arg, const char *project, const char *scene)
{
    struct discover *discover = arg;
    for (size_t i = 0; i < discover->facts_len; i++) {
        const struct fact *fact = &discover->facts[i];
        if (strcmp(fact->project, project) == 0 &&
            (scene && fact->scene ? strcmp(fact->scene, scene) == 0 : scene == fact->scene))
            return fact->known;
    }
    int answer = ask(discover, project, scene);
    if (answer >= 0 && discover->facts_len < FACTS_MAX)
        discover->facts[discover->facts_len++] = (struct fact){
            arena_strdup(&discover->arena, project), arena_strdup(&discover->arena, scene), answer};
    return answer;
}

int discover_is_whole(struct discover *discover, enum project_pattern pattern, struct err *err)
{
    char name[sizeof "proj_" + IDENT_MAX];
    if (discover->shared || pattern == PATTERN_OLD_FLAT)
        return 0;
    if (pattern != PATTERN_OLD_FOLDER)
        return 1;
    memcpy(name, "proj_", 5);
    strncpy(name + 5, discover->project, sizeof name - 6);
    name[sizeof name - 1] = '\0';
    int there = known(discover, name, NULL);
    if (there < 0)
        *err = discover->err;
    return there < 0 ? -1 : !there;
}

/* --- a page --- */

static int judge(struct discover *discover, enum project_pattern pattern,
                 const struct object *object, struct discoveries *out, struct err *err)
{
    const struct project_facts facts = {known, discover, discover->deleted};
    struct discovered found = {.object = *object};
    int owner = project_owner(discover->project, pattern, object->key, &facts);
    if (owner < 0)
        return *err = discover->err, -1;
    if (owner == OWNER_OTHER)
        return 0;
    if (discover->shared) {
        found.code = ERR_OWNER_UNCLEAR;
        found.detail = "another tenant has a project of that name, too";
    } else if (owner == OWNER_UNCLEAR) {
        found.code = ERR_OWNER_UNCLEAR;
        found.detail = "it may be another project's, whose name begins alike";
    } else if (!object_key_valid(object->key)) {
        found.code = ERR_INVALID_FORMAT;
        found.detail = "the key has characters that no key of ours has";
    }
    out->at[out->len++] = found;
    return 0;
}

/* Rows by their ids: whoever's they are, they say whose the object is. */
static int read_rows(struct discover *discover, const struct objects *objects, struct arena *arena,
                     struct file_path **rows, size_t *len, struct err *err)
{
    const char **ids = arena_alloc_array(arena, objects->len, sizeof *ids);
    void *found;
    for (size_t i = 0; i < objects->len; i++)
        ids[i] = file_id(bucket_backend(discover->bucket), objects->at[i].key, arena);
    if (store_by_ids(discover->store, FILE_PATH_COLLECTION, &file_path_doc, ids, objects->len,
                     arena, &found, len, err))
        return -1;
    *rows = found;
    if (*len)
        qsort(*rows, *len, sizeof **rows, file_path_by_key);
    return 0;
}

int discover_page(struct discover *discover, enum project_pattern pattern, const char *after,
                  size_t limit, struct arena *arena, struct discoveries *out, struct err *err)
{
    char prefix[OBJECT_KEY_MAX + 1];
    struct objects objects;
    struct file_path *rows;
    size_t rows_len;
    project_pattern(discover->project, pattern, prefix);
    *out = (struct discoveries){0};
    if (bucket_list(discover->bucket, prefix, after, limit, arena, &objects, err))
        return -1;
    if (objects.len == 0)
        return 0;
    if (read_rows(discover, &objects, arena, &rows, &rows_len, err))
        return -1;
    out->at = arena_alloc_array(arena, objects.len, sizeof *out->at);
    out->last = objects.at[objects.len - 1].key;
    for (size_t i = 0; i < objects.len; i++) {
        const struct file_path wanted = {.object_key = objects.at[i].key};
        bool tracked = rows_len && bsearch(&wanted, rows, rows_len, sizeof *rows, file_path_by_key);
        if (!tracked && judge(discover, pattern, &objects.at[i], out, err))
            return -1;
    }
    return 0;
}
