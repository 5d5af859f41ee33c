/* Scope cleanup for handles: `CLEANUP(hls_free_at) struct hls *h = NULL;`, handed over with TAKE(h). */
#ifndef COMMON_CLEANUP_H
#define COMMON_CLEANUP_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define CLEANUP(function) __attribute__((cleanup(function)))

/* The handle itself, leaving NULL behind, so that the scope's cleanup finds nothing. */
#define TAKE(handle)                                                                               \
    __extension__({                                                                                \
        __typeof__(handle) taken_ = (handle);                                                      \
        (handle) = NULL;                                                                           \
        taken_;                                                                                    \
    })

static inline void free_at(void *pointer)
{
    free(*(void **)pointer);
}
static inline void fclose_at(FILE **file)
{
    if (*file)
        fclose(*file);
}
static inline void close_at(const int *fd)
{
    if (*fd >= 0)
        close(*fd);
}
static inline void closedir_at(DIR **dir)
{
    if (*dir)
        closedir(*dir);
}

#endif
