/* A unit test's few words: CHECK fails the program with the place and the values; RUN names the case. */
#ifndef TESTS_CHECK_H
#define TESTS_CHECK_H

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: %s: not true: %s\n", __FILE__, __LINE__, __func__, #condition); \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)
#define CHECK_INT(is, should)                                                                      \
    do {                                                                                           \
        int64_t is_ = (int64_t)(is), should_ = (int64_t)(should);                                  \
        if (is_ != should_) {                                                                      \
            fprintf(stderr, "%s:%d: %s: %s is %" PRId64 ", not %" PRId64 "\n", __FILE__, __LINE__, \
                    __func__, #is, is_, should_);                                                  \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)
#define CHECK_STR(is, should)                                                                      \
    do {                                                                                           \
        const char *is_ = (is), *should_ = (should);                                               \
        if (!is_ || !should_ ? is_ != should_ : strcmp(is_, should_) != 0) {                       \
            fprintf(stderr, "%s:%d: %s: %s is '%s', not '%s'\n", __FILE__, __LINE__, __func__,     \
                    #is, is_ ? is_ : "(null)", should_ ? should_ : "(null)");                      \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)
#define RUN(test)                                                                                  \
    do {                                                                                           \
        test();                                                                                    \
        printf("ok %s\n", #test);                                                                  \
    } while (0)

#endif
