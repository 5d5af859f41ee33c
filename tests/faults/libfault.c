/* A library for LD_PRELOAD that makes the C library and the foreign libraries of a program fail as
 * a test wants it. The rules are records of a file that the test maps, too (FAULTS_FILE): it adds
 * and ends them while the program runs, and sees how often each of them acted. A process and the
 * processes that it forks share them. tests/support/preload.py writes the records. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include <amqp.h>
#include <libavcodec/avcodec.h>
#include <mongoc/mongoc.h>
#include <pthread.h>

enum { RULES = 256, SUBJECT_MAX = 256 };

enum action {
    ACTION_FAIL = 1, /* value: errno */
    ACTION_SHORT,    /* half of it is written, and said to be */
    ACTION_LOSE,     /* half of it is written, all of it is said to be */
    ACTION_KILL,     /* SIGKILL of the own process */
    ACTION_SPIN,     /* never returns while the rule is active */
    ACTION_VALUE     /* clock: ms; statvfs: bytes; gethostname: in subject */
};

/* The layout is RECORD's in preload.py. `active` is written last. */
struct rule {
    char function[48];
    char subject[208]; /* part of the path, or of what else the call is about; "": any */
    int64_t action, value;
    int64_t nth, times; /* from the nth call on, so often; 0: always */
    int64_t after;      /* whether the call is made first */
    _Atomic int64_t active, seen, fired;
};

static struct rule *rules;

/* ASan wants to be the first library; behind this one it works as well. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "verify_asan_link_order=0";
}

__attribute__((constructor)) static void map_rules(void)
{
    const char *path = getenv("FAULTS_FILE");
    int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    if (fd < 0)
        return;
    void *map = mmap(NULL, RULES * sizeof *rules, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (map != MAP_FAILED)
        rules = map;
}

/* The function that ours stands before: libc's, or the sanitizer's. */
#define NEXT(name)                                                                                 \
    static __typeof__(&name) next;                                                                 \
    if (!next)                                                                                     \
    *(void **)&next = dlsym(RTLD_NEXT, #name)

static bool counts(struct rule *rule)
{
    int64_t call = atomic_fetch_add(&rule->seen, 1) + 1;
    if (call < rule->nth || (rule->times && call >= rule->nth + rule->times))
        return false;
    atomic_fetch_add(&rule->fired, 1);
    return true;
}

static void strike(const struct rule *rule)
{
    if (rule->action == ACTION_KILL)
        kill(getpid(), SIGKILL);
    while (rule->action == ACTION_SPIN && atomic_load(&rule->active))
        ;
}

static struct rule *next_rule(size_t from, const char *function, bool after)
{
    for (size_t i = from; rules && i < RULES && rules[i].function[0]; i++)
        if (atomic_load(&rules[i].active) && rules[i].after == after &&
            strcmp(rules[i].function, function) == 0)
            return &rules[i];
    return NULL;
}

/* The rule that this call meets, if it has to fail by it; rules that need no more than the call act
 * here. */
static struct rule *meet(const char *function, const char *subject, bool after)
{
    struct rule *rule = NULL;
    while ((rule = next_rule(rule ? (size_t)(rule - rules) + 1 : 0, function, after))) {
        bool is_value = rule->action == ACTION_VALUE;
        if ((!is_value && !strstr(subject, rule->subject)) || !counts(rule))
            continue;
        strike(rule);
        if (rule->action == ACTION_FAIL)
            errno = (int)rule->value;
        if (rule->action <= ACTION_LOSE || is_value)
            return rule;
    }
    return NULL;
}

static struct rule *meet_fd(const char *function, int fd)
{
    char link[32], path[SUBJECT_MAX];
    if (!next_rule(0, function, false))
        return NULL;
    int saved = errno;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t len = readlink(link, path, sizeof path - 1);
    path[len > 0 ? len : 0] = '\0';
    errno = saved;
    return meet(function, path, false);
}

/* --- files --- */

/* How much of `len` bytes is really written; -1: none, which is a failure. `said`: what the caller
 * hears of `written`. */
static ssize_t cut(const struct rule *rule, size_t len)
{
    if (rule && rule->action == ACTION_FAIL)
        return -1;
    return (ssize_t)(rule && len > 1 ? len / 2 : len);
}

static ssize_t said(const struct rule *rule, ssize_t written, size_t len)
{
    return written >= 0 && rule && rule->action == ACTION_LOSE ? (ssize_t)len : written;
}

ssize_t write(int fd, const void *bytes, size_t len)
{
    NEXT(write);
    const struct rule *rule = meet_fd("write", fd);
    ssize_t part = cut(rule, len);
    return part < 0 ? -1 : said(rule, next(fd, bytes, (size_t)part), len);
}

ssize_t pwrite(int fd, const void *bytes, size_t len, off_t at)
{
    NEXT(pwrite);
    const struct rule *rule = meet_fd("write", fd);
    ssize_t part = cut(rule, len);
    return part < 0 ? -1 : said(rule, next(fd, bytes, (size_t)part, at), len);
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
    NEXT(writev);
    const struct rule *rule = meet_fd("write", fd);
    if (!rule)
        return next(fd, parts, count);
    size_t len = 0;
    for (int i = 0; i < count; i++)
        len += parts[i].iov_len;
    if (rule->action == ACTION_FAIL)
        return -1;
    return said(
        rule,
        write(fd, parts[0].iov_base, cut(rule, parts[0].iov_len) > 0 ? parts[0].iov_len / 2 : 0),
        len);
}

/* stdio writes without asking write(), and goes on by itself after short ones. */
size_t fwrite(const void *bytes, size_t one, size_t count, FILE *file)
{
    NEXT(fwrite);
    const struct rule *rule = meet_fd("write", fileno(file));
    if (rule && rule->action == ACTION_FAIL)
        return 0;
    if (!rule || rule->action != ACTION_LOSE)
        return next(bytes, one, count, file);
    next(bytes, 1, one * count / 2, file);
    return count;
}

#define SYNC_LIKE(name)                                                                            \
    int name(int fd)                                                                               \
    {                                                                                              \
        NEXT(name);                                                                                \
        return meet_fd(#name, fd) ? -1 : next(fd);                                                 \
    }
/* The file is closed all the same. */
int close(int fd)
{
    NEXT(close);
    const struct rule *rule = meet_fd("close", fd);
    int failed = next(fd);
    if (rule)
        errno = (int)rule->value;
    return rule ? -1 : failed;
}

SYNC_LIKE(fsync)
SYNC_LIKE(fdatasync)

int ftruncate(int fd, off_t len)
{
    NEXT(ftruncate);
    return meet_fd("ftruncate", fd) ? -1 : next(fd, len);
}

#define OPEN_LIKE(name)                                                                            \
    int name(const char *path, int flags, ...)                                                     \
    {                                                                                              \
        NEXT(name);                                                                                \
        va_list list;                                                                              \
        va_start(list, flags);                                                                     \
        mode_t mode = flags & (O_CREAT | __O_TMPFILE) ? va_arg(list, mode_t) : 0;                  \
        va_end(list);                                                                              \
        return meet("open", path, false) ? -1 : next(path, flags, mode);                           \
    }
OPEN_LIKE(open)
OPEN_LIKE(open64)

#define FOPEN_LIKE(name)                                                                           \
    FILE *name(const char *path, const char *mode)                                                 \
    {                                                                                              \
        NEXT(name);                                                                                \
        return meet("open", path, false) ? NULL : next(path, mode);                                \
    }
FOPEN_LIKE(fopen)
FOPEN_LIKE(fopen64)

int mkdir(const char *path, mode_t mode)
{
    NEXT(mkdir);
    return meet("mkdir", path, false) ? -1 : next(path, mode);
}

int rename(const char *from, const char *to)
{
    NEXT(rename);
    return meet("rename", to, false) ? -1 : next(from, to);
}

int statvfs(const char *path, struct statvfs *out)
{
    NEXT(statvfs);
    int failed = next(path, out);
    const struct rule *rule = failed ? NULL : meet("statvfs", path, false);
    if (rule && rule->action == ACTION_FAIL)
        return -1;
    if (rule)
        out->f_bavail = out->f_bfree = (fsblkcnt_t)rule->value / (fsblkcnt_t)out->f_frsize;
    return failed;
}

int gethostname(char *out, size_t room)
{
    NEXT(gethostname);
    const struct rule *rule = meet("gethostname", "", false);
    if (!rule)
        return next(out, room);
    snprintf(out, room, "%s", rule->subject);
    return 0;
}

/* --- the wall clock --- */

static int64_t offset_ms(void)
{
    const struct rule *rule = next_rule(0, "clock", false) ? meet("clock", "", false) : NULL;
    return rule ? rule->value : 0;
}

static struct timespec shifted(struct timespec at, int64_t ms)
{
    int64_t ns = at.tv_nsec + ms % 1000 * 1000000;
    int64_t carry = ns < 0 ? -1 : ns >= 1000000000 ? 1 : 0;
    return (struct timespec){.tv_sec = at.tv_sec + ms / 1000 + carry,
                             .tv_nsec = ns - carry * 1000000000};
}

int clock_gettime(clockid_t id, struct timespec *out)
{
    NEXT(clock_gettime);
    int failed = next(id, out);
    if (!failed && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE))
        *out = shifted(*out, offset_ms());
    return failed;
}

int gettimeofday(struct timeval *restrict out, void *restrict zone)
{
    NEXT(gettimeofday);
    int failed = next(out, zone);
    struct timespec at = shifted((struct timespec){out->tv_sec, out->tv_usec * 1000}, offset_ms());
    *out = (struct timeval){at.tv_sec, at.tv_nsec / 1000};
    return failed;
}

time_t time(time_t *out)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (out)
        *out = now.tv_sec;
    return now.tv_sec;
}

/* The kernel's clock has not jumped: a time to wait for that was made from ours is told in its
 * terms. Monotonic times are small. */
int pthread_cond_timedwait(pthread_cond_t *restrict cond, pthread_mutex_t *restrict lock,
                           const struct timespec *restrict until)
{
    static int (*next)(pthread_cond_t *, pthread_mutex_t *, const struct timespec *);
    if (!next)
        *(void **)&next = dlvsym(RTLD_NEXT, "pthread_cond_timedwait", "GLIBC_2.3.2");
    struct timespec real = until->tv_sec > 1000000000 ? shifted(*until, -offset_ms()) : *until;
    return next(cond, lock, &real);
}

/* --- the services' libraries, where a process may die before or after a call --- */

int amqp_basic_ack(amqp_connection_state_t state, amqp_channel_t channel, uint64_t tag,
                   amqp_boolean_t multiple)
{
    NEXT(amqp_basic_ack);
    meet("amqp_basic_ack", "", false);
    int status = next(state, channel, tag, multiple);
    meet("amqp_basic_ack", "", true);
    return status;
}

int amqp_basic_publish(amqp_connection_state_t state, amqp_channel_t channel, amqp_bytes_t exchange,
                       amqp_bytes_t key, amqp_boolean_t mandatory, amqp_boolean_t immediate,
                       amqp_basic_properties_t const *properties, amqp_bytes_t body)
{
    NEXT(amqp_basic_publish);
    char subject[SUBJECT_MAX];
    snprintf(subject, sizeof subject, "%.*s", (int)key.len, (const char *)key.bytes);
    meet("amqp_basic_publish", subject, false);
    int status = next(state, channel, exchange, key, mandatory, immediate, properties, body);
    meet("amqp_basic_publish", subject, true);
    return status;
}

/* "<collection> insert" or "<collection> update": what the bulk of this thread is about. */
static _Thread_local char bulk_about[SUBJECT_MAX];

mongoc_bulk_operation_t *mongoc_collection_create_bulk_operation_with_opts(
    mongoc_collection_t *collection, const bson_t *opts)
{
    NEXT(mongoc_collection_create_bulk_operation_with_opts);
    static const char *(*name)(mongoc_collection_t *);
    if (!name)
        *(void **)&name = dlsym(RTLD_NEXT, "mongoc_collection_get_name");
    snprintf(bulk_about, sizeof bulk_about, "%s update", name(collection));
    return next(collection, opts);
}

bool mongoc_bulk_operation_insert_with_opts(mongoc_bulk_operation_t *bulk, const bson_t *document,
                                            const bson_t *opts, bson_error_t *error)
{
    NEXT(mongoc_bulk_operation_insert_with_opts);
    char *kind = strrchr(bulk_about, ' ');
    if (kind)
        memcpy(kind, " insert", sizeof " insert");
    return next(bulk, document, opts, error);
}

uint32_t mongoc_bulk_operation_execute(mongoc_bulk_operation_t *bulk, bson_t *reply,
                                       bson_error_t *error)
{
    NEXT(mongoc_bulk_operation_execute);
    meet("mongoc_bulk_operation_execute", bulk_about, false);
    uint32_t status = next(bulk, reply, error);
    meet("mongoc_bulk_operation_execute", bulk_about, true);
    return status;
}

/* --- FFmpeg --- */

int avcodec_send_packet(AVCodecContext *codec, const AVPacket *packet)
{
    NEXT(avcodec_send_packet);
    const struct rule *rule = meet("avcodec_send_packet", "", false);
    return rule && rule->action == ACTION_FAIL ? AVERROR((int)rule->value) : next(codec, packet);
}
