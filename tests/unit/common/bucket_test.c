/* The variables that users have always set decide which bucket is opened, and how. */
#include <stdlib.h>

#include "check.h"
#include "common/bucket_backend.h"
#include "common/doc_env.h"
#include "common/s3.h"

static struct arena arena;
static struct err err;

/* As the environment has it, and nothing else of ours in there. */
static struct bucket *open_with(const char *const *variables)
{
    struct bucket_settings settings;
    struct text problems = {.arena = &arena};
    struct bucket *bucket = NULL;
    for (size_t i = 0; i < bucket_settings_doc.len; i++)
        unsetenv(bucket_settings_doc.fields[i].name);
    for (; *variables; variables += 2)
        CHECK(setenv(variables[0], variables[1], 1) == 0);
    CHECK_INT(doc_env_read(&bucket_settings_doc, &arena, &settings, &problems), 0);
    err = (struct err){0};
    if (bucket_open(&bucket, &settings, &err))
        return NULL;
    return bucket;
}

static void check_s3(const char *const *variables, const char *backend, const char *origin,
                     const char *path, const char *region)
{
    struct bucket *bucket = open_with(variables);
    if (!bucket)
        fprintf(stderr, "%s\n", err.detail);
    CHECK(bucket);
    const struct s3 *s3 = (const struct s3 *)bucket;
    CHECK_STR(bucket_backend(bucket), backend);
    CHECK_STR(s3->origin, origin);
    CHECK_STR(s3->path, path);
    CHECK_STR(s3->key.region, region);
    CHECK_STR(s3->key.access_key, "the-key");
    CHECK_STR(s3->key.secret_key, "the-secret");
    bucket_free(bucket);
}

#define R2                                                                                         \
    "R2_ENABLED", "true", "R2_BUCKET_NAME", "media", "R2_ACCESS_KEY_ID", "the-key",                \
        "R2_SECRET_ACCESS_KEY", "the-secret", "R2_ENDPOINT_URL",                                   \
        "https://a.r2.cloudflarestorage.com"
#define MINIO                                                                                      \
    "MEDIA_STORAGE_BACKEND", "minio", "MINIO_ENDPOINT", "http://minio:9000", "MINIO_ACCESS_KEY",   \
        "the-key", "MINIO_SECRET_KEY", "the-secret", "MINIO_BUCKET_NAME", "tinybeans-media"
#define AWS                                                                                        \
    "MEDIA_STORAGE_BACKEND", "s3", "AWS_STORAGE_BUCKET_NAME", "your-bucket", "AWS_DEFAULT_REGION", \
        "eu-central-1", "AWS_ACCESS_KEY_ID", "the-key", "AWS_SECRET_ACCESS_KEY", "the-secret"

static void every_backend_has_its_variables(void)
{
    check_s3((const char *const[]){R2, NULL}, "r2", "https://a.r2.cloudflarestorage.com", "/media",
             "auto");
    check_s3((const char *const[]){R2, "R2_REGION_NAME", "eu", NULL}, "r2",
             "https://a.r2.cloudflarestorage.com", "/media", "eu");
    check_s3((const char *const[]){MINIO, NULL}, "minio", "http://minio:9000", "/tinybeans-media",
             "us-east-1");
    check_s3((const char *const[]){AWS, NULL}, "s3", "https://s3.eu-central-1.amazonaws.com",
             "/your-bucket", "eu-central-1");
}

static void r2_comes_first_if_it_is_enabled(void)
{
    check_s3((const char *const[]){MINIO, R2, NULL}, "r2", "https://a.r2.cloudflarestorage.com",
             "/media", "auto");
    check_s3((const char *const[]){MINIO, R2, "R2_ENABLED", "false", NULL}, "minio",
             "http://minio:9000", "/tinybeans-media", "us-east-1");
}

static void what_is_missing_is_named(void)
{
    CHECK(!open_with((const char *const[]){"R2_ENABLED", "true", NULL}));
    CHECK_INT(err.code, ERR_CONFIG);
    CHECK(strstr(err.detail, "R2_"));
    CHECK(!open_with((const char *const[]){"MEDIA_STORAGE_BACKEND", "s3", NULL}));
    CHECK(strstr(err.detail, "AWS_"));
}

static void directories_need_media_root_only(void)
{
    char root[] = "/tmp/bucket_test.XXXXXX";
    CHECK(mkdtemp(root));
    static const char *const names[] = {"local", "none"};
    for (size_t i = 0; i < 2; i++) {
        struct bucket *bucket = open_with(
            (const char *const[]){"MEDIA_STORAGE_BACKEND", names[i], "MEDIA_ROOT", root, NULL});
        CHECK(bucket);
        CHECK_STR(bucket_backend(bucket), names[i]);
        CHECK_STR(bucket_name(bucket), root);
        bucket_free(bucket);
    }
    CHECK_INT(system(arena_printf(&arena, "rm -r %s", root)), 0);
}

int main(void)
{
    RUN(every_backend_has_its_variables);
    RUN(r2_comes_first_if_it_is_enabled);
    RUN(what_is_missing_is_named);
    RUN(directories_need_media_root_only);
    arena_release(&arena);
    return 0;
}
