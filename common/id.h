/* Ids: ULIDs for jobs, ObjectIds for records, random tokens. */
#ifndef COMMON_ID_H
#define COMMON_ID_H

#include <stdint.h>

enum { ID_ULID_LEN = 26, ID_OID_LEN = 24 };

/* Ascending within a process even in the same millisecond; 80 random bits from getrandom(2). Any thread. */
void id_ulid(int64_t now_ms, char out[ID_ULID_LEN + 1]);
/* The id of something that `parent` brings about, once for each `word`: the parent's time, 80 bits of a SHA-256. */
void id_child(const char parent[ID_ULID_LEN + 1], const char *word, char out[ID_ULID_LEN + 1]);
/* The ObjectId that goes with a ULID: 24 hex digits, its time in seconds and its last 64 bits. */
void id_oid(const char ulid[ID_ULID_LEN + 1], char out[ID_OID_LEN + 1]);
/* `len` hex digits from getrandom(2), and a NUL. */
void id_hex(char *out, int len);

#endif
