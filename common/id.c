/* Ids: all randomness comes from getrandom(2); a forked child draws anew. */
#include "common/id.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "common/digest.h"

enum { RANDOM_BYTES = 10 };

/* What the last id was, so that the next one is greater. */
static struct {
    pthread_mutex_t lock;
    pid_t pid; /* whose state this is: after a fork it is the parent's */
    int64_t ms;
    uint8_t random[RANDOM_BYTES];
} last = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void draw(void *out, size_t len)
{
    for (size_t got = 0; got < len;) {
        ssize_t n = getrandom((char *)out + got, len - got, 0);
        if (n < 0 && errno != EINTR)
            abort();
        got += n > 0 ? (size_t)n : 0;
    }
}

/* With the lock held. */
static void refresh_after_fork(void)
{
    pid_t pid = getpid();
    if (last.pid == pid)
        return;
    last.pid = pid;
    last.ms = -1;
}

/* Adds one to the random part; false when it ran over. */
static bool increment(uint8_t random[RANDOM_BYTES])
{
    for (int i = RANDOM_BYTES - 1; i >= 0; i--)
        if (++random[i] != 0)
            return true;
    return false;
}

static const char base32[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/* 128 bits in 26 digits of 5: the first digit holds three bits only. */
static void put_base32(const uint8_t bytes[16], char out[ID_ULID_LEN + 1])
{
    unsigned bits = 0, held = 2;
    for (int i = 0, at = 0; i < ID_ULID_LEN; i++) {
        if (held < 5) {
            bits = bits << 8 | bytes[at++];
            held += 8;
        }
        held -= 5;
        out[i] = base32[bits >> held & 31];
        bits &= (1u << held) - 1;
    }
    out[ID_ULID_LEN] = '\0';
}

static void get_base32(const char ulid[ID_ULID_LEN + 1], uint8_t out[16])
{
    unsigned bits = 0, held = 0;
    for (int i = 0, at = 0; i < ID_ULID_LEN; i++) {
        const char *digit = strchr(base32, ulid[i]);
        bits = bits << 5 | (digit ? (unsigned)(digit - base32) : 0);
        held += i == 0 ? 3 : 5;
        if (held < 8)
            continue;
        held -= 8;
        out[at++] = (uint8_t)(bits >> held);
        bits &= (1u << held) - 1;
    }
}

void id_ulid(int64_t now_ms, char out[ID_ULID_LEN + 1])
{
    uint8_t bytes[16];
    pthread_mutex_lock(&last.lock);
    refresh_after_fork();
    if (now_ms > last.ms) {
        last.ms = now_ms;
        draw(last.random, sizeof last.random);
    } else if (!increment(last.random)) {
        last.ms++;
    }
    for (int i = 0; i < 6; i++)
        bytes[i] = (uint8_t)(last.ms >> (40 - 8 * i));
    memcpy(bytes + 6, last.random, RANDOM_BYTES);
    pthread_mutex_unlock(&last.lock);
    put_base32(bytes, out);
}

void id_child(const char parent[ID_ULID_LEN + 1], const char *word, char out[ID_ULID_LEN + 1])
{
    enum { TIME_DIGITS = 10 };
    uint8_t bytes[DIGEST_LEN + sizeof(uint64_t)] = {0};
    struct digest *digest = digest_begin();
    digest_add(digest, parent, ID_ULID_LEN);
    digest_add(digest, word, strlen(word));
    digest_end(digest, bytes + 6);
    put_base32(bytes, out);
    memcpy(out, parent, TIME_DIGITS);
}

static void put_hex(char *out, const uint8_t *bytes, int len)
{
    static const char hex[] = "0123456789abcdef";
    for (int i = 0; i < len; i++)
        out[i] = hex[i % 2 ? bytes[i / 2] & 15 : bytes[i / 2] >> 4];
    out[len] = '\0';
}

void id_oid(const char ulid[ID_ULID_LEN + 1], char out[ID_OID_LEN + 1])
{
    uint8_t bytes[16];
    int64_t ms = 0;
    get_base32(ulid, bytes);
    for (int i = 0; i < 6; i++)
        ms = ms << 8 | bytes[i];
    uint32_t seconds = (uint32_t)(ms / 1000);
    for (int i = 0; i < 4; i++)
        bytes[4 + i] = (uint8_t)(seconds >> (24 - 8 * i));
    put_hex(out, bytes + 4, ID_OID_LEN);
}

void id_hex(char *out, int len)
{
    uint8_t bytes[32];
    for (int done = 0; done < len;) {
        int digits = len - done < 64 ? len - done : 64;
        draw(bytes, (size_t)(digits + 1) / 2);
        put_hex(out + done, bytes, digits);
        done += digits;
    }
    out[len > 0 ? len : 0] = '\0';
}
