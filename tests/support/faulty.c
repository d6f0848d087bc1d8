/* A layer between a process and its kernel: a disk that fails, a clock that steps, a log of what went out in which order.

Preloaded (LD_PRELOAD) by tests/support/faulty.py, which says what each variable and file means. Does nothing to a
process that has none of the variables. Only calls that go through libc's symbols are seen: SQLite's, Python's,
grpc's, libuv's.
*/
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define FIND(pointer, name) do if (!pointer) pointer = REAL(name); while (0)

/* The words of a file, or -1; by system calls of its own, so that it never meets itself. */
static long words_of(const char *path, char *words, size_t size) {
    long fd = syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return -1;
    long count = syscall(SYS_read, fd, words, size - 1);
    syscall(SYS_close, fd);
    if (count < 0) return -1;
    words[count] = 0;
    return count;
}

static int path_of(int fd, char *path, size_t size) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, size - 1);
    if (length < 0) return -1;
    path[length] = 0;
    return 0;
}

static int is_outbox(int fd, char *path, size_t size) {
    return path_of(fd, path, size) == 0 && strstr(path, "outbox.db") != NULL;
}

/* ------------------------------------------------------------------------------------------ the disk */

/* The error that a write to the outbox is to fail with, 0 = none. FAULTY_DISK names a file that holds its name. */
static int disk_error(int fd) {
    const char *control = getenv("FAULTY_DISK");
    char words[32], path[4096];
    if (!control || words_of(control, words, sizeof words) <= 0 || !is_outbox(fd, path, sizeof path)) return 0;
    return strncmp(words, "ENOSPC", 6) == 0 ? ENOSPC : EIO;
}

/* ------------------------------------------------------------------------------------------- the log */

/* FAULTY_LOG names a file that gets a line for each sync and write of the outbox, and each message on a socket. */
static void note(const char *line, size_t length) {
    static long fd = -1;
    const char *path = getenv("FAULTY_LOG");
    if (!path) return;
    if (fd < 0) fd = syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    syscall(SYS_write, fd, line, length);
}

static void note_file(const char *what, int fd) {
    char path[4096], line[4224];
    if (!getenv("FAULTY_LOG") || !is_outbox(fd, path, sizeof path)) return;
    const char *name = strrchr(path, '/');
    note(line, (size_t)snprintf(line, sizeof line, "%s %s\n", what, name ? name + 1 : path));
}

/* `sent WORD` for each word of a message that starts with FAULTY_MARK. */
static void note_sent(int fd, const struct iovec *parts, size_t count) {
    const char *mark = getenv("FAULTY_MARK");
    struct stat is;
    if (!mark || !getenv("FAULTY_LOG") || fstat(fd, &is) != 0 || !S_ISSOCK(is.st_mode)) return;
    size_t marked = strlen(mark);
    for (size_t i = 0; i < count; i++) {
        const char *at = parts[i].iov_base, *end = at + parts[i].iov_len;
        while (at && (at = memmem(at, (size_t)(end - at), mark, marked)) != NULL) {
            char line[128];
            int length = 0;
            while (at + length < end && length < 64 && at[length] > ' ' && at[length] < 127) length++;
            note(line, (size_t)snprintf(line, sizeof line, "sent %.*s\n", length, at));
            at += marked;
        }
    }
}

/* ------------------------------------------------------------------------------- calls that we stand before */

#define WRITES_AT(name, offset_type)                                                   \
    ssize_t name(int fd, const void *bytes, size_t count, offset_type at) {            \
        static ssize_t (*real)(int, const void *, size_t, offset_type);                \
        int failed = disk_error(fd);                                                   \
        if (failed) return errno = failed, -1;                                         \
        note_file("write", fd);                                                        \
        FIND(real, name);                                                              \
        return real(fd, bytes, count, at);                                             \
    }
WRITES_AT(pwrite, off_t)
WRITES_AT(pwrite64, off64_t)

#define SYNCS(name)                                                                    \
    int name(int fd) {                                                                 \
        static int (*real)(int);                                                       \
        int failed = disk_error(fd);                                                   \
        if (failed) return errno = failed, -1;                                         \
        FIND(real, name);                                                              \
        int result = real(fd);                                                         \
        if (result == 0) note_file("sync", fd);                                        \
        return result;                                                                 \
    }
SYNCS(fsync)
SYNCS(fdatasync)

ssize_t write(int fd, const void *bytes, size_t count) {
    static ssize_t (*real)(int, const void *, size_t);
    int failed = disk_error(fd);
    if (failed) return errno = failed, -1;
    struct iovec part = {(void *)bytes, count};
    note_file("write", fd);
    note_sent(fd, &part, 1);
    FIND(real, write);
    return real(fd, bytes, count);
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
    static ssize_t (*real)(int, const struct iovec *, int);
    note_sent(fd, parts, (size_t)count);
    FIND(real, writev);
    return real(fd, parts, count);
}

ssize_t send(int fd, const void *bytes, size_t count, int flags) {
    static ssize_t (*real)(int, const void *, size_t, int);
    struct iovec part = {(void *)bytes, count};
    note_sent(fd, &part, 1);
    FIND(real, send);
    return real(fd, bytes, count, flags);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags) {
    static ssize_t (*real)(int, const struct msghdr *, int);
    note_sent(fd, message->msg_iov, message->msg_iovlen);
    FIND(real, sendmsg);
    return real(fd, message, flags);
}

/* ------------------------------------------------------------------------------------------- the clock */

/* Seconds that the wall clock is ahead. FAULTY_CLOCK names a file that holds them; it is read again every 10 ms. */
static long ahead_s(void) {
    static long ahead, read_at_ms = -1000;
    const char *control = getenv("FAULTY_CLOCK");
    struct timespec now;
    char words[32];
    if (!control) return 0;
    syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
    long now_ms = now.tv_sec * 1000 + now.tv_nsec / 1000000;
    if (now_ms - read_at_ms >= 10) {
        read_at_ms = now_ms;
        ahead = words_of(control, words, sizeof words) > 0 ? atol(words) : 0;
    }
    return ahead;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    static int (*real)(clockid_t, struct timespec *);
    FIND(real, clock_gettime);
    int result = real(clock, now);
    if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec += ahead_s();
    return result;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    static int (*real)(struct timeval *restrict, void *restrict);
    FIND(real, gettimeofday);
    int result = real(now, zone);
    if (result == 0) now->tv_sec += ahead_s();
    return result;
}

time_t time(time_t *at) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (at) *at = now.tv_sec;
    return now.tv_sec;
}
