/* Tests of proto/settings.c: each check with what it takes and what it refuses. */
#include "proto/settings.h"

#include "check.h"

static const struct doc *const docs[] = {&store_settings_doc,  &fleet_settings_doc,
                                         &bucket_settings_doc, &worker_settings_doc,
                                         &egress_settings_doc, &gateway_settings_doc};

static enum error judge(const struct doc *doc, const char *name, const char *value)
{
    const struct field *field = doc_field(doc, name);
    const char *why = NULL;
    CHECK(field && field->check);
    enum error code = field->check(value, &why);
    CHECK((code == ERR_NONE) == (why == NULL));
    return code;
}

static void checks(void)
{
#define HEX64 "0123456789abcdef0123456789ABCDEF0123456789abcdef0123456789abcdef"
    static const struct {
        const struct doc *doc;
        const char *name, *value;
        bool good;
    } rows[] = {
        {&gateway_settings_doc, "MEDIAFLEET_LISTEN", "127.0.0.1:8080", true},
        {&gateway_settings_doc, "MEDIAFLEET_LISTEN", "[::1]:0", true},
        {&gateway_settings_doc, "MEDIAFLEET_LISTEN", "gateway.local:65535", true},
        {&gateway_settings_doc, "MEDIAFLEET_LISTEN", "8080", false},
        {&gateway_settings_doc, "MEDIAFLEET_LISTEN", ":8080", false},
        {&gateway_settings_doc, "MEDIAFLEET_LISTEN", "127.0.0.1:65536", false},
        {&gateway_settings_doc, "MEDIAFLEET_LISTEN", "127.0.0.1:", false},
        {&gateway_settings_doc, "MEDIAFLEET_LISTEN", "127.0.0.1:-1", false},
        {&gateway_settings_doc, "MEDIAFLEET_LISTEN", "::1:80", false},
        {&gateway_settings_doc, "MEDIAFLEET_LISTEN", "[]:80", false},
        {&gateway_settings_doc, "MEDIAFLEET_API_KEYS", "ci:acme:viewer:" HEX64, true},
        {&gateway_settings_doc, "MEDIAFLEET_API_KEYS", "ci:acme:admin:" HEX64, true},
        {&gateway_settings_doc, "MEDIAFLEET_API_KEYS", "ci:acme:root:" HEX64, false},
        {&gateway_settings_doc, "MEDIAFLEET_API_KEYS", "ci:acme:admin:" HEX64 "0", false},
        {&gateway_settings_doc, "MEDIAFLEET_API_KEYS", "ci:acme:admin:12", false},
        {&gateway_settings_doc, "MEDIAFLEET_API_KEYS", "ci::admin:" HEX64, false},
        {&gateway_settings_doc, "MEDIAFLEET_API_KEYS", "", false},
        {&gateway_settings_doc, "MEDIAFLEET_CORS_ORIGINS", "*", true},
        {&gateway_settings_doc, "MEDIAFLEET_CORS_ORIGINS", "https://a.example:444", true},
        {&gateway_settings_doc, "MEDIAFLEET_CORS_ORIGINS", "https://a.example/", false},
        {&gateway_settings_doc, "MEDIAFLEET_CORS_ORIGINS", "a.example", false},
        {&gateway_settings_doc, "MEDIAFLEET_PUBLIC_URL", "https://a.example/media", true},
        {&gateway_settings_doc, "MEDIAFLEET_PUBLIC_URL", "https://", false},
        {&gateway_settings_doc, "MEDIA_PUBLIC_URL", "https://a.example/?q", false},
        {&egress_settings_doc, "MEDIAFLEET_ALLOWED_CIDRS", "127.0.0.0/8", true},
        {&egress_settings_doc, "MEDIAFLEET_ALLOWED_CIDRS", "::1/128", true},
        {&egress_settings_doc, "MEDIAFLEET_ALLOWED_CIDRS", "127.0.0.1", false},
        {&egress_settings_doc, "MEDIAFLEET_ALLOWED_CIDRS", "127.0.0.0/129", false},
        {&egress_settings_doc, "MEDIAFLEET_ALLOWED_CIDRS", "host/8", false},
        {&egress_settings_doc, "MEDIAFLEET_ALLOWED_PORTS", "8080", true},
        {&egress_settings_doc, "MEDIAFLEET_ALLOWED_PORTS", "0", false},
        {&egress_settings_doc, "MEDIAFLEET_ALLOWED_PORTS", "123456", false},
        {&store_settings_doc, "MONGODB_URL", "mongodb+srv://h/db", true},
        {&store_settings_doc, "MONGODB_URL", "http://h/db", false},
        {&fleet_settings_doc, "AMQP_URL", "amqps://h", true},
        {&fleet_settings_doc, "AMQP_URL", "h:5672", false},
        {&fleet_settings_doc, "MEDIAFLEET_WORKSPACE", "relative", false},
        {&gateway_settings_doc, "MEDIA_URL", "/media/", true},
        {&gateway_settings_doc, "MEDIA_URL", "https://cdn.example.com/m/", true},
        {&gateway_settings_doc, "MEDIA_URL", "/files/", false},
        {&gateway_settings_doc, "MEDIA_URL", "cdn.example.com", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        bool good = judge(rows[i].doc, rows[i].name, rows[i].value) == ERR_NONE;
        if (good != rows[i].good)
            fprintf(stderr, "%s '%s'\n", rows[i].name, rows[i].value);
        CHECK(good == rows[i].good);
    }
}

static void every_fallback_passes_its_check_and_every_row_has_a_sentence(void)
{
    for (size_t d = 0; d < sizeof docs / sizeof docs[0]; d++)
        for (size_t i = 0; i < docs[d]->len; i++) {
            const struct field *field = &docs[d]->fields[i];
            const char *why = NULL;
            CHECK(field->text && field->text[strlen(field->text) - 1] == '.');
            if (field->check && field->fallback)
                CHECK_INT(field->check(field->fallback, &why), ERR_NONE);
            if (field->names)
                CHECK(field_enum(field, field->fallback) != 0);
        }
}

static void secrets_are_marked(void)
{
    for (size_t d = 0; d < sizeof docs / sizeof docs[0]; d++)
        for (size_t i = 0; i < docs[d]->len; i++) {
            const struct field *field = &docs[d]->fields[i];
            if (strstr(field->name, "SECRET") || strstr(field->name, "KEY"))
                CHECK(field->flags & FIELD_SECRET);
        }
}

static void r2_comes_before_the_backend_and_local_is_the_rest(void)
{
    struct bucket_settings settings = {0};
    CHECK_INT(bucket_settings_backend(&settings), BACKEND_LOCAL);
    settings.backend = BACKEND_NONE;
    CHECK_INT(bucket_settings_backend(&settings), BACKEND_NONE);
    settings.r2_enabled = true;
    CHECK_INT(bucket_settings_backend(&settings), BACKEND_R2);
}

static void older_names_count_where_they_say_more(void)
{
    struct egress_settings egress = {.max_source_bytes = 100};
    CHECK_INT(egress_settings_max_bytes(&egress), 100);
    egress.max_upload_size = 60;
    CHECK_INT(egress_settings_max_bytes(&egress), 60);
    egress.max_upload_size = 200;
    CHECK_INT(egress_settings_max_bytes(&egress), 100);

    size_t len;
    struct gateway_settings gateway = {0};
    CHECK(!gateway_settings_media_url(&gateway, &len));
    gateway.media_url = "/media/";
    CHECK(!gateway_settings_media_url(&gateway, &len));
    gateway.media_url = "https://cdn.example.com/media/";
    CHECK_STR(gateway_settings_media_url(&gateway, &len), gateway.media_url);
    CHECK_INT(len, strlen("https://cdn.example.com/media"));
    gateway.media_public_url = "https://other.example.com";
    CHECK_STR(gateway_settings_media_url(&gateway, &len), "https://other.example.com");
    CHECK_INT(len, strlen(gateway.media_public_url));
}

int main(void)
{
    RUN(older_names_count_where_they_say_more);
    RUN(checks);
    RUN(every_fallback_passes_its_check_and_every_row_has_a_sentence);
    RUN(secrets_are_marked);
    RUN(r2_comes_before_the_backend_and_local_is_the_rest);
}
