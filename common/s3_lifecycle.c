/* The bucket's rules of expiry: read, ours put in the place of ours, all others written back as
 * they were read. */
#include <stdlib.h>
#include <string.h>

#include "common/s3_ops.h"
#include "common/s3_xml.h"

enum { RULES_MAX = 1000 }; /* S3's own bound */

#define ABORT_RULE                                                                                 \
    "<Rule><ID>mediafleet-uploads</ID><Filter><Prefix></Prefix></Filter><Status>Enabled</Status>"  \
    "<AbortIncompleteMultipartUpload><DaysAfterInitiation>1</DaysAfterInitiation>"                 \
    "</AbortIncompleteMultipartUpload></Rule>"
#define EXPIRE_RULE                                                                                \
    "<Rule><ID>mediafleet-tmp</ID><Filter><Prefix>tmp/</Prefix></Filter>"                          \
    "<Status>Enabled</Status><Expiration><Days>2</Days></Expiration></Rule>"

static const struct own_rule {
    const char *id, *prefix, *xml;
    int64_t abort_days, expire_days;
    bool minio; /* MinIO knows such rules */
} own_rules[] = {
    {"mediafleet-uploads", "", ABORT_RULE, 1, 0, false},
    {"mediafleet-tmp", "tmp/", EXPIRE_RULE, 0, 2, true},
};
enum { OWN_RULES = sizeof own_rules / sizeof own_rules[0] };

struct reading {
    struct arena *arena;
    struct lifecycle *out;
    struct lifecycle_rule now;
};

static bool is_ours(const char *id)
{
    for (size_t i = 0; i < OWN_RULES; i++)
        if (strcmp(id, own_rules[i].id) == 0)
            return true;
    return false;
}

static int64_t days(const char *text)
{
    return strspn(text, "0123456789") == strlen(text) && strlen(text) < 10 ? atoll(text) : 0;
}

static int end_rule(struct reading *reading)
{
    struct lifecycle_rule *rule = &reading->now;
    if (reading->out->rules.len == RULES_MAX)
        return -1;
    rule->id = rule->id ? rule->id : "";
    rule->prefix = rule->prefix ? rule->prefix : "";
    rule->ours = is_ours(rule->id);
    reading->out->rules.at[reading->out->rules.len++] = *rule;
    *rule = (struct lifecycle_rule){0};
    return 0;
}

static int read_element(void *arg, const char *path, const char *text)
{
    static const char start[] = "LifecycleConfiguration/Rule";
    struct reading *reading = arg;
    struct lifecycle_rule *now = &reading->now;
    if (strcmp(path, start) == 0)
        return end_rule(reading);
    if (strncmp(path, start, sizeof start - 1) != 0 || path[sizeof start - 1] != '/')
        return 0;
    const char *name = path + sizeof start;
    if (strcmp(name, "ID") == 0)
        now->id = arena_strdup(reading->arena, text);
    else if (strcmp(name, "Prefix") == 0 || strcmp(name, "Filter/Prefix") == 0 ||
             strcmp(name, "Filter/And/Prefix") == 0)
        now->prefix = arena_strdup(reading->arena, text);
    else if (strcmp(name, "Status") == 0)
        now->enabled = strcmp(text, "Enabled") == 0;
    else if (strcmp(name, "Expiration/Days") == 0)
        now->expire_days = days(text);
    else if (strcmp(name, "AbortIncompleteMultipartUpload/DaysAfterInitiation") == 0)
        now->abort_days = days(text);
    return 0;
}

/* *xml: the answer as it came, "" without any rules. */
static int read_rules(struct s3 *s3, struct arena *arena, const char **xml, struct lifecycle *out,
                      struct err *err)
{
    struct s3_call call = {.method = "GET", .arena = arena, .max_bytes = S3_ANSWER_BYTES};
    struct reading reading = {.arena = arena, .out = out};
    out->rules.at = arena_alloc_array(arena, RULES_MAX, sizeof *out->rules.at);
    out->rules.len = 0;
    *xml = "";
    s3_query(&call, "lifecycle", "");
    if (s3_perform(s3, &call, err)) {
        if (strcmp(call.code, "NoSuchLifecycleConfiguration") != 0)
            return -1;
        *err = (struct err){0};
        return 0;
    }
    const struct text *text = &call.http.text;
    if (s3_xml_read(text->len ? text->at : "", text->len, "LifecycleConfiguration", read_element,
                    &reading, err))
        return -1;
    *xml = text->at;
    return 0;
}

static bool is_wanted(const struct s3 *s3, const struct own_rule *own)
{
    return own->minio || strcmp(s3->bucket.backend, backend_names[BACKEND_MINIO]) != 0;
}

static bool all_set(const struct s3 *s3, const struct lifecycle *lifecycle)
{
    for (size_t i = 0; i < OWN_RULES; i++) {
        const struct own_rule *own = &own_rules[i];
        bool found = !is_wanted(s3, own);
        for (size_t j = 0; j < lifecycle->rules.len && !found; j++) {
            const struct lifecycle_rule *rule = &lifecycle->rules.at[j];
            found = strcmp(rule->id, own->id) == 0 && rule->enabled &&
                    strcmp(rule->prefix, own->prefix) == 0 && rule->abort_days == own->abort_days &&
                    rule->expire_days == own->expire_days;
        }
        if (!found)
            return false;
    }
    return true;
}

static size_t count_foreign(const struct lifecycle *lifecycle)
{
    size_t count = 0;
    for (size_t i = 0; i < lifecycle->rules.len; i++)
        count += !lifecycle->rules.at[i].ours;
    return count;
}

/* Whether `xml` has the foreign rules of `lifecycle`, and no others, at its beginning. */
static bool has_foreign(const char *xml, const struct lifecycle *lifecycle, struct arena *arena)
{
    struct err ignored = {0};
    struct lifecycle copy = {.rules.at =
                                 arena_alloc_array(arena, RULES_MAX, sizeof *copy.rules.at)};
    struct reading reading = {.arena = arena, .out = &copy};
    size_t at = 0;
    if (s3_xml_read(xml, strlen(xml), "LifecycleConfiguration", read_element, &reading, &ignored) ||
        count_foreign(&copy) != count_foreign(lifecycle))
        return false;
    for (size_t i = 0; i < lifecycle->rules.len; i++) {
        const struct lifecycle_rule *rule = &lifecycle->rules.at[i];
        if (rule->ours)
            continue;
        const struct lifecycle_rule *same = &copy.rules.at[at++];
        if (strcmp(rule->id, same->id) != 0 || strcmp(rule->prefix, same->prefix) != 0 ||
            rule->enabled != same->enabled || rule->expire_days != same->expire_days ||
            rule->abort_days != same->abort_days)
            return false;
    }
    return true;
}

/* Foreign rules as they stand in the text, so that nothing is lost that we do not know. */
static void copy_foreign(const char *xml, const struct lifecycle *lifecycle, struct text *out)
{
    static const char open[] = "<Rule>", close[] = "</Rule>";
    size_t seen = 0;
    for (const char *at = xml, *end; (at = strstr(at, open)) && seen < lifecycle->rules.len;
         at = end) {
        end = strstr(at, close);
        if (!end)
            return;
        end += sizeof close - 1;
        if (!lifecycle->rules.at[seen++].ours)
            text_add(out, at, (size_t)(end - at));
    }
}

/* All rules as they are to be; ERR_STORAGE_UNSUPPORTED if the foreign ones are written in a way
 * that hides them from copy_foreign. */
static int merge(const char *xml, const struct lifecycle *lifecycle, const struct s3 *s3,
                 struct text *out, struct err *err)
{
    text_puts(out, "<LifecycleConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
    copy_foreign(xml, lifecycle, out);
    for (size_t i = 0; i < OWN_RULES; i++)
        if (is_wanted(s3, &own_rules[i]))
            text_puts(out, own_rules[i].xml);
    text_puts(out, "</LifecycleConfiguration>");
    if (has_foreign(out->at, lifecycle, out->arena))
        return 0;
    return err_set(err, ERR_STORAGE_UNSUPPORTED,
                   "the bucket's rules are written in a way that cannot be kept; set ours by hand");
}

static int write_rules(struct s3 *s3, const char *xml, const struct lifecycle *lifecycle,
                       struct arena *arena, struct err *err)
{
    struct s3_call call = {.method = "PUT", .arena = arena};
    struct text body = {.arena = arena};
    if (merge(xml, lifecycle, s3, &body, err))
        return -1;
    call.body = body.at;
    call.body_len = (int64_t)body.len;
    s3_query(&call, "lifecycle", "");
    s3_header(&call, "content-type", "application/xml");
    return s3_perform(s3, &call, err);
}

int s3_lifecycle(struct bucket *bucket, bool apply, struct arena *arena, struct lifecycle *out,
                 struct err *err)
{
    struct s3 *s3 = (struct s3 *)bucket;
    struct lifecycle found = {0};
    const char *xml;
    if (read_rules(s3, arena, &xml, &found, err))
        return -1;
    if (apply && !all_set(s3, &found) &&
        (write_rules(s3, xml, &found, arena, err) || read_rules(s3, arena, &xml, &found, err)))
        return -1;
    found.set = all_set(s3, &found);
    *out = found;
    return 0;
}
