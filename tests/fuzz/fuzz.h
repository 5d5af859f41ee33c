/* The one function of a fuzz target: called by libFuzzer, or by replay.c with the seeds. */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* Returns 0; ends the process when something is wrong. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

#endif
