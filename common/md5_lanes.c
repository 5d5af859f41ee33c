/* RFC 1321 with a vector where it has a word. What one block of one text takes is waiting for the
 * step before; here eight texts wait together. */
#include "common/md5_lanes.h"

#include <string.h>

enum { WORDS = 16 };

typedef uint32_t words8 __attribute__((vector_size(4 * MD5_LANES)));

static const uint32_t sines[64] = {
    0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
    0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
    0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
    0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
    0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
    0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
    0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
    0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391,
};

#define F(x, y, z) ((z) ^ ((x) & ((y) ^ (z))))
#define G(x, y, z) ((y) ^ ((z) & ((x) ^ (y))))
#define H(x, y, z) ((x) ^ (y) ^ (z))
#define I(x, y, z) ((y) ^ ((x) | ~(z)))
#define STEP(f, a, b, c, d, i, word, shift)                                                        \
    a += f(b, c, d) + (w[(word) % WORDS] + sines[i]);                                              \
    a = ((a << (shift)) | (a >> (32 - (shift)))) + b

#define EVENS(a, b) __builtin_shufflevector(a, b, 0, 8, 2, 10, 4, 12, 6, 14)
#define ODDS(a, b) __builtin_shufflevector(a, b, 1, 9, 3, 11, 5, 13, 7, 15)
#define EVEN_PAIRS(a, b) __builtin_shufflevector(a, b, 0, 1, 8, 9, 4, 5, 12, 13)
#define ODD_PAIRS(a, b) __builtin_shufflevector(a, b, 2, 3, 10, 11, 6, 7, 14, 15)
#define FIRST_HALVES(a, b) __builtin_shufflevector(a, b, 0, 1, 2, 3, 8, 9, 10, 11)
#define LAST_HALVES(a, b) __builtin_shufflevector(a, b, 4, 5, 6, 7, 12, 13, 14, 15)

/* Eight words of each text at `at`, transposed: w[i] has everybody's word i. Little-endian, as our
 * machines are. */
static inline __attribute__((always_inline)) void load(words8 w[MD5_LANES],
                                                       const uint8_t *const bytes[MD5_LANES],
                                                       size_t at)
{
    words8 r[MD5_LANES], s[MD5_LANES];
    for (size_t lane = 0; lane < MD5_LANES; lane++)
        memcpy(&r[lane], bytes[lane] + at, sizeof *r);
    for (size_t i = 0; i < 8; i += 2) {
        s[i] = EVENS(r[i], r[i + 1]);
        s[i + 1] = ODDS(r[i], r[i + 1]);
    }
    for (size_t i = 0; i < 8; i += 4) {
        r[i] = EVEN_PAIRS(s[i], s[i + 2]);
        r[i + 1] = EVEN_PAIRS(s[i + 1], s[i + 3]);
        r[i + 2] = ODD_PAIRS(s[i], s[i + 2]);
        r[i + 3] = ODD_PAIRS(s[i + 1], s[i + 3]);
    }
    for (size_t i = 0; i < 4; i++) {
        w[i] = FIRST_HALVES(r[i], r[i + 4]);
        w[i + 4] = LAST_HALVES(r[i], r[i + 4]);
    }
}

static inline __attribute__((always_inline)) void add_blocks(uint32_t state[4][MD5_LANES],
                                                             const uint8_t *const bytes[MD5_LANES],
                                                             size_t blocks)
{
    words8 a, b, c, d, w[WORDS];
    memcpy(&a, state[0], sizeof a);
    memcpy(&b, state[1], sizeof b);
    memcpy(&c, state[2], sizeof c);
    memcpy(&d, state[3], sizeof d);
    for (size_t block = 0; block < blocks; block++) {
        const words8 a0 = a, b0 = b, c0 = c, d0 = d;
        load(w, bytes, block * MD5_BLOCK);
        load(w + MD5_LANES, bytes, block * MD5_BLOCK + sizeof *w);
        for (size_t i = 0; i < 16; i += 4) {
            STEP(F, a, b, c, d, i, i, 7);
            STEP(F, d, a, b, c, i + 1, i + 1, 12);
            STEP(F, c, d, a, b, i + 2, i + 2, 17);
            STEP(F, b, c, d, a, i + 3, i + 3, 22);
        }
        for (size_t i = 16; i < 32; i += 4) {
            STEP(G, a, b, c, d, i, 5 * i + 1, 5);
            STEP(G, d, a, b, c, i + 1, 5 * i + 6, 9);
            STEP(G, c, d, a, b, i + 2, 5 * i + 11, 14);
            STEP(G, b, c, d, a, i + 3, 5 * i, 20);
        }
        for (size_t i = 32; i < 48; i += 4) {
            STEP(H, a, b, c, d, i, 3 * i + 5, 4);
            STEP(H, d, a, b, c, i + 1, 3 * i + 8, 11);
            STEP(H, c, d, a, b, i + 2, 3 * i + 11, 16);
            STEP(H, b, c, d, a, i + 3, 3 * i + 14, 23);
        }
        for (size_t i = 48; i < 64; i += 4) {
            STEP(I, a, b, c, d, i, 7 * i, 6);
            STEP(I, d, a, b, c, i + 1, 7 * i + 7, 10);
            STEP(I, c, d, a, b, i + 2, 7 * i + 14, 15);
            STEP(I, b, c, d, a, i + 3, 7 * i + 5, 21);
        }
        a += a0;
        b += b0;
        c += c0;
        d += d0;
    }
    memcpy(state[0], &a, sizeof a);
    memcpy(state[1], &b, sizeof b);
    memcpy(state[2], &c, sizeof c);
    memcpy(state[3], &d, sizeof d);
}

typedef void add_function(uint32_t state[4][MD5_LANES], const uint8_t *const bytes[MD5_LANES],
                          size_t blocks);

static void add_plain(uint32_t state[4][MD5_LANES], const uint8_t *const bytes[MD5_LANES],
                      size_t blocks)
{
    add_blocks(state, bytes, blocks);
}

#ifdef __x86_64__
static __attribute__((target("avx2"))) void add_avx2(uint32_t state[4][MD5_LANES],
                                                     const uint8_t *const bytes[MD5_LANES],
                                                     size_t blocks)
{
    add_blocks(state, bytes, blocks);
}

/* It rotates, and has any function of three words in one instruction. */
static __attribute__((target("avx2,avx512f,avx512vl"))) void add_avx512(
    uint32_t state[4][MD5_LANES], const uint8_t *const bytes[MD5_LANES], size_t blocks)
{
    add_blocks(state, bytes, blocks);
}

static add_function *choose(void)
{
    if (__builtin_cpu_supports("avx512vl"))
        return add_avx512;
    return __builtin_cpu_supports("avx2") ? add_avx2 : add_plain;
}
#else
static add_function *choose(void)
{
    return add_plain;
}
#endif

void md5_lanes_begin(struct md5_lanes *lanes)
{
    static const uint32_t initial[4] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};
    for (size_t word = 0; word < 4; word++)
        for (size_t lane = 0; lane < MD5_LANES; lane++)
            lanes->state[word][lane] = initial[word];
}

/* How many blocks there are until the next text ends that has more than `done`; 0: all have ended.
 */
static size_t until_next_end(const size_t blocks[MD5_LANES], size_t done)
{
    size_t next = 0;
    for (size_t lane = 0; lane < MD5_LANES; lane++)
        if (blocks[lane] > done && (next == 0 || blocks[lane] < next))
            next = blocks[lane];
    return next > done ? next - done : 0;
}

void md5_lanes_add(struct md5_lanes *lanes, const uint8_t *const bytes[MD5_LANES],
                   const size_t blocks[MD5_LANES])
{
    add_function *add = choose();
    for (size_t done = 0, some; (some = until_next_end(blocks, done)) > 0; done += some) {
        const struct md5_lanes before = *lanes;
        const uint8_t *at[MD5_LANES], *any = NULL;
        for (size_t lane = 0; lane < MD5_LANES; lane++)
            if (blocks[lane] > done)
                any = bytes[lane] + done * MD5_BLOCK;
        for (size_t lane = 0; lane < MD5_LANES; lane++)
            at[lane] = blocks[lane] > done ? bytes[lane] + done * MD5_BLOCK : any;
        add(lanes->state, at, some);
        for (size_t lane = 0; lane < MD5_LANES; lane++)
            for (size_t word = 0; word < 4 && blocks[lane] <= done; word++)
                lanes->state[word][lane] = before.state[word][lane];
    }
}

size_t md5_lanes_pad(uint8_t *end, uint64_t len)
{
    size_t over = len % MD5_BLOCK;
    size_t pad = (over < 56 ? 56 : 56 + MD5_BLOCK) - over;
    uint64_t bits = len * 8;
    memset(end, 0, pad);
    end[0] = 0x80;
    memcpy(end + pad, &bits, sizeof bits);
    return pad + sizeof bits;
}

void md5_lanes_get(const struct md5_lanes *lanes, size_t lane, uint8_t out[16])
{
    for (size_t word = 0; word < 4; word++)
        memcpy(out + 4 * word, &lanes->state[word][lane], 4);
}
