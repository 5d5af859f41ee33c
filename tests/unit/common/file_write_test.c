/* All bytes arrive in order, and a full disk is told from other failures. */
#include "common/file_write.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"

static void writes_all_of_it(void)
{
    enum { LEN = 3 * FILE_WRITE_BYTES + 5 };
    char *bytes = malloc(LEN), *back = malloc(LEN);
    FILE *file = tmpfile();
    struct err err = {0};
    for (size_t i = 0; i < LEN; i++)
        bytes[i] = (char)(i * 7 + i / 251);
    CHECK_INT(file_write(fileno(file), bytes, 100, "write", &err), 0);
    CHECK_INT(file_write(fileno(file), bytes + 100, 0, "write", &err), 0);
    CHECK_INT(file_write(fileno(file), bytes + 100, LEN - 100, "write", &err), 0);
    CHECK_INT(pread(fileno(file), back, LEN, 0), LEN);
    CHECK(memcmp(bytes, back, LEN) == 0);
    CHECK_INT(lseek(fileno(file), 0, SEEK_END), LEN);
    fclose(file);
    free(bytes);
    free(back);
}

static void tells_a_full_disk(void)
{
    struct err err = {0};
    int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    CHECK_INT(file_write(full, "x", 1, "write a segment", &err), -1);
    CHECK_INT(err.code, ERR_DISK_FULL);
    CHECK_STR(err.detail, "write a segment: No space left on device");
    close(full);
}

static void tells_other_failures(void)
{
    struct err err = {0};
    int readable = open("/dev/null", O_RDONLY | O_CLOEXEC);
    CHECK_INT(file_write(readable, "x", 1, "write 100%s", &err), -1);
    CHECK_INT(err.code, ERR_IO_ERROR);
    CHECK(strncmp(err.detail, "write 100%s: ", 13) == 0);
    close(readable);
}

int main(void)
{
    RUN(writes_all_of_it);
    RUN(tells_a_full_disk);
    RUN(tells_other_failures);
    return 0;
}
