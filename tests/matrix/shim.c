// Put in front of the C library: the nth call that writes to the disk goes wrong.
//
// SHIM_AT      the number of the call, from 1; 0: none
// SHIM_HOW     full: no space; short: half of it is written, then no space; fail: an I/O error;
//              read-only: from then on nothing on the disk can be changed; before, after: the
//              process is killed then
// SHIM_COUNT   a file that gets the number of calls; it is not counted itself
//
// Counted are write, fsync, fdatasync, rename, link and ftruncate on regular files and folders. Where
// the disk is read-only, nothing is opened for writing and no folder is made either.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

static atomic_int calls;
static atomic_int read_only;

static int is_counted(int fd) {
    struct stat s;
    if (fd <= 2 || fstat(fd, &s) != 0) return 0;
    return S_ISREG(s.st_mode) || S_ISDIR(s.st_mode);
}

// Returns whether this call is the one, and in which way it goes wrong.
static const char *turn(void) {
    int now = ++calls;
    const char *count = getenv("SHIM_COUNT");
    if (count) {
        int (*real_open)(const char *, int, ...) = dlsym(RTLD_NEXT, "open");
        ssize_t (*real_write)(int, const void *, size_t) = dlsym(RTLD_NEXT, "write");
        int fd = real_open(count, O_CREAT | O_WRONLY | O_TRUNC, 0600);
        char text[16];
        int length = snprintf(text, sizeof text, "%d", now);
        if (fd >= 0) {
            if (real_write(fd, text, length) < 0) abort();
            close(fd);
        }
    }
    const char *at = getenv("SHIM_AT");
    const char *how = getenv("SHIM_HOW");
    if (!at || !how || atoi(at) != now) return NULL;
    if (!strcmp(how, "before")) kill(getpid(), SIGKILL);
    if (!strcmp(how, "read-only")) read_only = 1;
    return how;
}

static int fails(const char *how) {
    if (read_only) { errno = EROFS; return 1; }
    if (!how) return 0;
    if (!strcmp(how, "full") || !strcmp(how, "short")) { errno = ENOSPC; return 1; }
    if (!strcmp(how, "fail")) { errno = EIO; return 1; }
    return 0;
}

static void done(const char *how) {
    if (how && !strcmp(how, "after")) kill(getpid(), SIGKILL);
}

ssize_t write(int fd, const void *bytes, size_t length) {
    ssize_t (*real)(int, const void *, size_t) = dlsym(RTLD_NEXT, "write");
    if (!is_counted(fd)) return real(fd, bytes, length);
    const char *how = turn();
    if (how && !strcmp(how, "short") && length > 1) {
        // The rest is asked for again, and there is no space for it.
        ssize_t some = real(fd, bytes, length / 2);
        char next[16];
        snprintf(next, sizeof next, "%d", calls + 1);
        setenv("SHIM_AT", next, 1);
        setenv("SHIM_HOW", "full", 1);
        return some;
    }
    if (fails(how)) return -1;
    ssize_t result = real(fd, bytes, length);
    done(how);
    return result;
}

#define FLUSH(name)                                          \
    int name(int fd) {                                       \
        int (*real)(int) = dlsym(RTLD_NEXT, #name);          \
        if (!is_counted(fd)) return real(fd);                \
        const char *how = turn();                            \
        if (fails(how)) return -1;                    \
        int result = real(fd);                               \
        done(how);                                           \
        return result;                                       \
    }
FLUSH(fsync)
FLUSH(fdatasync)

int link(const char *from, const char *to) {
    int (*real)(const char *, const char *) = dlsym(RTLD_NEXT, "link");
    const char *how = turn();
    if (fails(how)) return -1;
    int result = real(from, to);
    done(how);
    return result;
}

int rename(const char *from, const char *to) {
    int (*real)(const char *, const char *) = dlsym(RTLD_NEXT, "rename");
    const char *how = turn();
    if (fails(how)) return -1;
    int result = real(from, to);
    done(how);
    return result;
}

// The program is compiled against these two names.
int open64(const char *path, int flags, ...) {
    int (*real)(const char *, int, ...) = dlsym(RTLD_NEXT, "open64");
    va_list rest;
    va_start(rest, flags);
    mode_t mode = flags & O_CREAT ? va_arg(rest, mode_t) : 0;
    va_end(rest);
    if ((flags & (O_CREAT | O_WRONLY | O_RDWR)) && fails(NULL)) return -1;
    return real(path, flags, mode);
}

int mkdir(const char *path, mode_t mode) {
    int (*real)(const char *, mode_t) = dlsym(RTLD_NEXT, "mkdir");
    if (fails(NULL)) return -1;
    return real(path, mode);
}

int ftruncate64(int fd, off64_t length) {
    int (*real)(int, off64_t) = dlsym(RTLD_NEXT, "ftruncate64");
    if (!is_counted(fd)) return real(fd, length);
    const char *how = turn();
    if (fails(how)) return -1;
    int result = real(fd, length);
    done(how);
    return result;
}
