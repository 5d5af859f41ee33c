/* Tests of common/id.c. */
#include "common/id.h"

#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

static void ulids_ascend_within_a_millisecond_and_when_time_steps_back(void)
{
    char before[ID_ULID_LEN + 1], after[ID_ULID_LEN + 1];
    id_ulid(2000000000000, before);
    for (int i = 0; i < 10000; i++) {
        id_ulid(2000000000000 + (i % 3 ? 0 : i / 1000 - 5), after);
        CHECK_INT(strlen(after), ID_ULID_LEN);
        CHECK(strcmp(before, after) < 0);
        memcpy(before, after, sizeof before);
    }
}

static void a_ulid_begins_with_its_time(void)
{
    char id[ID_ULID_LEN + 1];
    id_ulid(1469918176385, id);
    CHECK(memcmp(id, "01ARYZ6S41", 10) == 0);
    CHECK_INT(strspn(id, "0123456789ABCDEFGHJKMNPQRSTVWXYZ"), ID_ULID_LEN);
}

static void an_oid_goes_with_a_ulid(void)
{
    char a[ID_OID_LEN + 1], b[ID_OID_LEN + 1], ulid[ID_ULID_LEN + 1];
    id_oid("01ARYZ6S41TSV4RRFFQ69G5FAV", a); /* 1469918176385 ms */
    CHECK_STR(a, "579d2be04c61efb99302bd5b");
    id_ulid(0, ulid);
    id_oid(ulid, a);
    id_ulid(0, ulid);
    id_oid(ulid, b);
    CHECK(strcmp(a, b) != 0);
}

static void hex_of_any_length(void)
{
    char a[131], b[131];
    for (int len = 0; len <= 130; len++) {
        id_hex(a, len);
        CHECK_INT(strlen(a), len);
        CHECK_INT(strspn(a, "0123456789abcdef"), len);
    }
    id_hex(b, 130);
    CHECK(strcmp(a, b) != 0);
}

static void a_child_does_not_continue_its_parents_ids(void)
{
    int ends[2];
    char ours[ID_ULID_LEN + 1], theirs[ID_ULID_LEN + 1];
    id_ulid(5, ours);
    CHECK_INT(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        id_ulid(5, theirs);
        _exit(write(ends[1], theirs, sizeof theirs) == sizeof theirs ? 0 : 1);
    }
    id_ulid(5, ours);
    CHECK_INT(read(ends[0], theirs, sizeof theirs), sizeof theirs);
    CHECK_INT(waitpid(child, NULL, 0), child);
    CHECK(strncmp(ours + 10, theirs + 10, 14) != 0);
    close(ends[0]);
    close(ends[1]);
}

int main(void)
{
    RUN(a_child_does_not_continue_its_parents_ids);
    RUN(a_ulid_begins_with_its_time);
    RUN(an_oid_goes_with_a_ulid);
    RUN(hex_of_any_length);
    RUN(ulids_ascend_within_a_millisecond_and_when_time_steps_back);
}
