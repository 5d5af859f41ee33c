/* MD5 of eight texts at once, for about what one costs: MD5 leaves most of a processor idle. Only because S3 tells MD5s. */
#ifndef COMMON_MD5_LANES_H
#define COMMON_MD5_LANES_H

#include <stddef.h>
#include <stdint.h>

enum { MD5_LANES = 8, MD5_BLOCK = 64, MD5_PAD_MAX = MD5_BLOCK + 8 };

struct md5_lanes {
    uint32_t state[4][MD5_LANES];
};

void md5_lanes_begin(struct md5_lanes *lanes);
/* The next blocks[i] blocks of text i, which may be 0: then bytes[i] is not looked at. */
void md5_lanes_add(struct md5_lanes *lanes, const uint8_t *const bytes[MD5_LANES], const size_t blocks[MD5_LANES]);
/* Writes what belongs behind a text of `len` bytes and makes its blocks whole: at most MD5_PAD_MAX bytes; returns how many. */
size_t md5_lanes_pad(uint8_t *end, uint64_t len);
/* The sum of text i, padded, after its last block. */
void md5_lanes_get(const struct md5_lanes *lanes, size_t lane, uint8_t out[16]);

#endif
