/* The forms of keys, tried one after the other. */
#include "proto/key_owner.h"

#include <ctype.h>
#include <string.h>

enum { PARTS_MAX = 6 };

struct part {
    const char *at;
    size_t len;
};

/* The components of a key, the rest of them in the last one. */
static size_t split(const char *key, struct part parts[PARTS_MAX])
{
    size_t len = 0;
    for (const char *at = key; len < PARTS_MAX; at++) {
        size_t part = len + 1 < PARTS_MAX ? strcspn(at, "/") : strlen(at);
        parts[len++] = (struct part){at, part};
        at += part;
        if (*at == '\0')
            break;
    }
    return len;
}

static bool is(struct part part, const char *word)
{
    return part.len == strlen(word) && memcmp(part.at, word, part.len) == 0;
}

static bool starts(struct part part, const char *with)
{
    return part.len > strlen(with) && memcmp(part.at, with, strlen(with)) == 0;
}

/* Only what is an identifier, too. */
static void copy(struct part part, char *out, size_t size)
{
    const char *why;
    if (part.len >= size)
        return;
    memcpy(out, part.at, part.len);
    out[part.len] = '\0';
    if (ident_check(out, &why) != ERR_NONE)
        out[0] = '\0';
}

static struct part without_proj(struct part part)
{
    static const char word[] = "proj_";
    while (starts(part, word))
        part = (struct part){part.at + sizeof word - 1, part.len - (sizeof word - 1)};
    return part;
}

static bool read_ours(const char *key, const struct part *parts, struct key_owner *out)
{
    if (!file_key_job(key, out->job))
        return false;
    copy(parts[1], out->project, sizeof out->project);
    copy(parts[3], out->scene, sizeof out->scene);
    return true;
}

/* proj_proj_{project}_{scene}_{name} */
static void read_flat(struct part part, struct key_owner *out)
{
    struct part rest = without_proj(part);
    const char *name = memrchr(rest.at, '_', rest.len);
    const char *scene = name ? memrchr(rest.at, '_', (size_t)(name - rest.at)) : NULL;
    if (!scene)
        return;
    copy((struct part){rest.at, (size_t)(scene - rest.at)}, out->project, sizeof out->project);
    copy((struct part){scene + 1, (size_t)(name - scene - 1)}, out->scene, sizeof out->scene);
}

static void read_older(const struct part *parts, size_t len, struct key_owner *out)
{
    if (len >= 3 && is(parts[0], "projects")) {
        copy(without_proj(parts[1]), out->project, sizeof out->project);
        if (len >= 5 && is(parts[2], "scenes"))
            copy(parts[3], out->scene, sizeof out->scene);
    } else if (len >= 3 && starts(parts[1], "proj_")) {
        copy(without_proj(parts[1]), out->project, sizeof out->project);
        if (len >= 4)
            copy(parts[2], out->scene, sizeof out->scene);
    } else if (len == 1 && starts(parts[0], "proj_")) {
        read_flat(parts[0], out);
    }
}

static bool is_same(const char *text, const char *lower)
{
    while (*text && tolower((unsigned char)*text) == *lower) {
        text++;
        lower++;
    }
    return *text == *lower;
}

/* Names as other systems give them: a film is not an init segment there. */
static enum file_type older_type(const char *key)
{
    static const struct {
        const char *extension;
        enum file_type type;
    } types[] = {
        {".m3u8", FILE_PLAYLIST}, {".m4s", FILE_SEGMENT},    {".ts", FILE_SEGMENT},
        {".vtt", FILE_SEGMENT},   {".jpg", FILE_THUMBNAIL},  {".jpeg", FILE_THUMBNAIL},
        {".png", FILE_THUMBNAIL}, {".webp", FILE_THUMBNAIL}, {".json", FILE_DOCUMENT},
        {".txt", FILE_DOCUMENT},
    };
    const char *dot = strrchr(key, '.');
    for (size_t i = 0; dot && i < sizeof types / sizeof types[0]; i++)
        if (is_same(dot, types[i].extension))
            return types[i].type;
    return FILE_SOURCE;
}

void key_owner_read(const char *key, struct key_owner *out)
{
    struct part parts[PARTS_MAX] = {{0}};
    size_t len = split(key, parts);
    *out = (struct key_owner){0};
    if (read_ours(key, parts, out)) {
        out->type = file_kind(key)->type;
        return;
    }
    out->type = older_type(key);
    read_older(parts, len, out);
}
