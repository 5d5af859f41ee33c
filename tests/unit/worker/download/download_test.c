/* The handler's own parts: the policy of the settings, and what people are told. */
#include "worker/download/download.h"

#include "check.h"

static void settings_become_a_policy(void)
{
    const char *cidrs[] = {"127.0.0.0/8"}, *ports[] = {"8080", "9000"};
    struct egress_settings settings = {.allowed_cidrs = {cidrs, 1}, .allowed_ports = {ports, 2}};
    struct arena arena = {0};
    struct http_policy policy;
    struct err err = {0};
    CHECK_INT(download_policy(&settings, &arena, &policy, &err), 0);
    CHECK(policy.guarded);
    CHECK(http_guard_port(&policy, NULL, 9000) && !http_guard_port(&policy, NULL, 9001));
    CHECK_INT(download_open(&settings, &err), 0);
    ports[1] = "x";
    CHECK_INT(download_open(&settings, &err), -1);
    CHECK_INT(err.code, ERR_CONFIG);
    ports[1] = "70000";
    CHECK_INT(download_open(&settings, &err), -1);
    ports[1] = "1";
    cidrs[0] = "127.0.0.0/40";
    CHECK_INT(download_open(&settings, &err), -1);
    struct egress_settings none = {0};
    CHECK_INT(download_policy(&none, &arena, &policy, &err), 0);
    CHECK(policy.guarded);
    arena_release(&arena);
}

static void progress_is_told_in_megabytes(void)
{
    char message[64];
    CHECK_STR(download_message(12300000, 45600000, message, sizeof message), "12.3 of 45.6 MB");
    CHECK_STR(download_message(12300000, 0, message, sizeof message), "12.3 MB");
}

int main(void)
{
    RUN(settings_become_a_policy);
    RUN(progress_is_told_in_megabytes);
    return 0;
}
