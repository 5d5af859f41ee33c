/* When a bucket's denials stop a process, and when it goes on. */
#include "stub_server.h"

#include "worker/circuit.h"

#define ANSWER(status, code)                                                                       \
    "HTTP/1.1 " status " X\r\nConnection: close\r\n\r\n<Error><Code>" code "</Code></Error>"
#define FINE ANSWER("400", "BadDigest")
#define DENIED ANSWER("403", "AccessDenied")
#define NO_BUCKET ANSWER("404", "NoSuchBucket")
#define DOWN ANSWER("503", "ServiceUnavailable")

static struct stub_server server;
static struct circuit circuit;
static struct bucket *bucket;
static struct bucket_settings settings;
static char endpoint[64];

static void begin(const char *const *answers, size_t len)
{
    struct stub_step steps[8];
    struct err err = {0};
    for (size_t i = 0; i < len; i++)
        steps[i] = (struct stub_step){.answer = answers[i]};
    stub_start(&server, steps, len);
    snprintf(endpoint, sizeof endpoint, "127.0.0.1:%d", server.port);
    settings = (struct bucket_settings){.backend = BACKEND_MINIO,
                                        .minio_endpoint = endpoint,
                                        .minio_bucket_name = "b",
                                        .minio_access_key = "key",
                                        .minio_secret_key = "secret"};
    CHECK_INT(bucket_open(&bucket, &settings, &err), 0);
    circuit_init(&circuit);
}

static void end(size_t served)
{
    bucket_free(bucket);
    stub_stop(&server);
    CHECK_INT(server.served, served);
}

/* As if that much time had passed. */
static enum error later(void)
{
    circuit.probes.until_ms = 0;
    return circuit_state(&circuit, &settings);
}

static void other_failures_open_nothing(void)
{
    begin(NULL, 0);
    CHECK(!circuit_opens(&circuit, bucket, ERR_STORAGE_UNAVAILABLE));
    CHECK(!circuit_opens(&circuit, bucket, ERR_CONFIG));
    CHECK(!circuit_opens(&circuit, NULL, ERR_STORAGE_AUTH));
    CHECK_INT(circuit_state(&circuit, &settings), ERR_NONE);
    end(0);
}

/* Else one job whose keys are forbidden would stop everybody's, again and again. */
static void a_denial_of_one_is_its_own(void)
{
    static const char *const answers[] = {FINE};
    begin(answers, 1);
    CHECK(!circuit_opens(&circuit, bucket, ERR_STORAGE_AUTH));
    CHECK_INT(circuit_state(&circuit, &settings), ERR_NONE);
    end(1);
}

static void a_denial_of_all_opens_until_it_ends(void)
{
    static const char *const answers[] = {DENIED, NO_BUCKET, DOWN, FINE};
    begin(answers, 4);
    CHECK(circuit_opens(&circuit, bucket, ERR_STORAGE_AUTH));
    CHECK(circuit_opens(&circuit, bucket, ERR_STORAGE_AUTH)); /* not probed again */
    CHECK_INT(circuit_state(&circuit, &settings), ERR_STORAGE_AUTH);
    CHECK_INT(later(), ERR_STORAGE_BUCKET);
    CHECK_INT(later(), ERR_STORAGE_BUCKET); /* it does not answer: that says nothing new */
    CHECK_INT(later(), ERR_NONE);
    CHECK_INT(circuit_state(&circuit, &settings), ERR_NONE);
    end(4);
}

static void probes_come_more_and_more_rarely(void)
{
    static const char *const answers[] = {DENIED, DENIED, DENIED, DENIED, DENIED, DENIED, DENIED};
    begin(answers, 7);
    CHECK(circuit_opens(&circuit, bucket, ERR_STORAGE_AUTH));
    CHECK_INT(circuit.probes.pause_ms, 1000);
    for (int i = 0; i < 6; i++)
        CHECK_INT(later(), ERR_STORAGE_AUTH);
    CHECK_INT(circuit.probes.pause_ms, 30000);
    end(7);
}

int main(void)
{
    RUN(other_failures_open_nothing);
    RUN(a_denial_of_one_is_its_own);
    RUN(a_denial_of_all_opens_until_it_ends);
    RUN(probes_come_more_and_more_rarely);
    return 0;
}
