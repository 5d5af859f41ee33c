/* Tickets over the wire: what is written is read back, and nothing else passes. */
#include "proto/ticket.h"

#include "check.h"
#include "common/doc_json.h"

#define JOB "01JD3ZZZZZ0123456789ABCDEF"

static void written_and_read(void)
{
    struct arena arena = {0};
    struct err err = {0};
    for (int64_t task = 0; task < 128; task += 127) {
        struct text text = {.arena = &arena};
        struct ticket in = {TICKET_VERSION, JOB, task}, out;
        doc_json_encode(&ticket_doc, &in, &text);
        CHECK(text.len <= TICKET_MAX_BYTES);
        CHECK(doc_json_decode(&ticket_doc, text.at, text.len, DOC_JSON_LENIENT, &arena, &out,
                              &err) == 0);
        CHECK_INT(out.v, TICKET_VERSION);
        CHECK_STR(out.job, JOB);
        CHECK_INT(out.task, task);
    }
    arena_release(&arena);
}

static void looks_as_documented(void)
{
    struct arena arena = {0};
    struct text text = {.arena = &arena};
    const struct ticket ticket = {TICKET_VERSION, JOB, 0};
    doc_json_encode(&ticket_doc, &ticket, &text);
    CHECK_STR(text.at, "{\"v\":1,\"job\":\"" JOB "\",\"task\":0}");
    arena_release(&arena);
}

static enum error judged(const char *json)
{
    struct arena arena = {0};
    struct err err = {0};
    struct ticket out;
    doc_json_decode(&ticket_doc, json, strlen(json), DOC_JSON_LENIENT, &arena, &out, &err);
    arena_release(&arena);
    return err.code;
}

static void bad_tickets(void)
{
    CHECK_INT(judged("{\"v\":1,\"job\":\"" JOB "\",\"task\":0,\"new\":{}}"), ERR_NONE);
    CHECK_INT(judged("{\"v\":2,\"job\":\"" JOB "\",\"task\":0}"), ERR_OUT_OF_RANGE);
    CHECK_INT(judged("{\"job\":\"" JOB "\",\"task\":0}"), ERR_MISSING_FIELD);
    CHECK_INT(judged("{\"v\":1,\"job\":\"" JOB "\"}"), ERR_MISSING_FIELD);
    CHECK_INT(judged("{\"v\":1,\"task\":0}"), ERR_MISSING_FIELD);
    CHECK_INT(judged("{\"v\":1,\"job\":\"" JOB "\",\"task\":128}"), ERR_OUT_OF_RANGE);
    CHECK_INT(judged("{\"v\":1,\"job\":\"" JOB "\",\"task\":\"0\"}"), ERR_INVALID_TYPE);
    CHECK_INT(judged("{\"v\":1,\"job\":\"" JOB "0\",\"task\":0}"), ERR_INVALID_ID);
    CHECK_INT(judged("{\"v\":1,\"job\":\"91JD3ZZZZZ0123456789ABCDEF\",\"task\":0}"),
              ERR_INVALID_ID);
    CHECK_INT(judged("{\"v\":1,\"job\":\"01JD3ZZZZZ0123456789ABCD.$\",\"task\":0}"),
              ERR_INVALID_ID);
    CHECK_INT(judged("01JD3"), ERR_MALFORMED_JSON);
    CHECK_INT(judged(""), ERR_MALFORMED_JSON);
}

int main(void)
{
    RUN(written_and_read);
    RUN(looks_as_documented);
    RUN(bad_tickets);
    return 0;
}
