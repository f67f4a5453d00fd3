/* Between a process and its system: makes the i-th call that touches a folder fail, or the process
   end there. Loaded with LD_PRELOAD, armed by edge.py. What counts: opening, writing, syncing,
   naming and removing below the folder. Reading a file that is open does not. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static int armed, target, fault, count, torn;
static char root[4096];

/* fault > 0: that errno; 0: only count; -1: kill; torn: the first half of a write is done before. */
void edge_arm(const char *folder, int at, int what, int half) {
    strncpy(root, folder, sizeof root - 1);
    target = at; fault = what; torn = half; count = 0; armed = 1;
}
int edge_disarm(void) { armed = 0; return count; }

static int below_path(int dir, const char *path) {
    char link[64], full[4096];
    if (!armed || !path) return 0;
    if (path[0] == '/') return !strncmp(path, root, strlen(root));
    if (dir == AT_FDCWD) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", dir);
    ssize_t n = readlink(link, full, sizeof full - 1);
    return n > 0 && !strncmp(full, root, strlen(root));
}
static int below(int fd) {
    char link[64], full[4096];
    if (!armed) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, full, sizeof full - 1);
    return n > 0 && !strncmp(full, root, strlen(root));
}
/* Whether this call is the one: then errno is set, or the process is gone. */
static int hit(int touches) {
    if (!touches || ++count != target || !fault) return 0;
    if (fault < 0) kill(getpid(), SIGKILL);
    errno = fault;
    return 1;
}
static int next_is_torn(int touches) {
    return touches && torn && fault && count + 1 == target;
}

#define REAL(type, name, ...) static type (*real)(__VA_ARGS__); \
    if (!real) real = (type (*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)

#define OPEN(name) int name(const char *path, int flags, ...) { \
    REAL(int, #name, const char *, int, ...); \
    va_list list; va_start(list, flags); int mode = va_arg(list, int); va_end(list); \
    if (hit(below_path(AT_FDCWD, path))) return -1; \
    return real(path, flags, mode); }
OPEN(open) OPEN(open64)
#define OPENAT(name) int name(int dir, const char *path, int flags, ...) { \
    REAL(int, #name, int, const char *, int, ...); \
    va_list list; va_start(list, flags); int mode = va_arg(list, int); va_end(list); \
    if (hit(below_path(dir, path))) return -1; \
    return real(dir, path, flags, mode); }
OPENAT(openat) OPENAT(openat64)

ssize_t write(int fd, const void *data, size_t size) {
    REAL(ssize_t, "write", int, const void *, size_t);
    int touches = below(fd);
    if (next_is_torn(touches) && size > 1) real(fd, data, size / 2);
    if (hit(touches)) return -1;
    return real(fd, data, size);
}
#define PWRITE(name, kind) ssize_t name(int fd, const void *data, size_t size, kind at) { \
    REAL(ssize_t, #name, int, const void *, size_t, kind); \
    int touches = below(fd); \
    if (next_is_torn(touches) && size > 1) real(fd, data, size / 2, at); \
    if (hit(touches)) return -1; \
    return real(fd, data, size, at); }
PWRITE(pwrite, off_t) PWRITE(pwrite64, off64_t)
ssize_t writev(int fd, const struct iovec *parts, int n) {
    REAL(ssize_t, "writev", int, const struct iovec *, int);
    if (hit(below(fd))) return -1;
    return real(fd, parts, n);
}
#define ON_FD(type, name, ARGS, PASS) type name ARGS { \
    REAL(type, #name, COUNT_##name); \
    if (hit(below(fd))) return -1; \
    return real PASS; }
#define COUNT_fsync int
#define COUNT_fdatasync int
#define COUNT_ftruncate int, off_t
#define COUNT_ftruncate64 int, off64_t
#define COUNT_fchmod int, mode_t
ON_FD(int, fsync, (int fd), (fd)) ON_FD(int, fdatasync, (int fd), (fd))
ON_FD(int, ftruncate, (int fd, off_t size), (fd, size))
ON_FD(int, ftruncate64, (int fd, off64_t size), (fd, size))
ON_FD(int, fchmod, (int fd, mode_t mode), (fd, mode))
#define RESERVE(name, kind) int name(int fd, kind at, kind size) { \
    REAL(int, #name, int, kind, kind); \
    if (hit(below(fd))) return errno; \
    return real(fd, at, size); }
RESERVE(posix_fallocate, off_t) RESERVE(posix_fallocate64, off64_t)
#define ON_PATH(name, ARGS, PASS, ...) int name ARGS { \
    REAL(int, #name, __VA_ARGS__); \
    if (hit(below_path(AT_FDCWD, path))) return -1; \
    return real PASS; }
ON_PATH(mkdir, (const char *path, mode_t mode), (path, mode), const char *, mode_t)
ON_PATH(rmdir, (const char *path), (path), const char *)
ON_PATH(unlink, (const char *path), (path), const char *)
ON_PATH(rename, (const char *path, const char *to), (path, to), const char *, const char *)
ON_PATH(link, (const char *path, const char *to), (path, to), const char *, const char *)
int unlinkat(int dir, const char *path, int flags) {
    REAL(int, "unlinkat", int, const char *, int);
    if (hit(below_path(dir, path))) return -1;
    return real(dir, path, flags);
}
int mkdirat(int dir, const char *path, mode_t mode) {
    REAL(int, "mkdirat", int, const char *, mode_t);
    if (hit(below_path(dir, path))) return -1;
    return real(dir, path, mode);
}
int linkat(int from, const char *path, int dir, const char *to, int flags) {
    REAL(int, "linkat", int, const char *, int, const char *, int);
    if (hit(below_path(from, path))) return -1;
    return real(from, path, dir, to, flags);
}
int renameat(int from, const char *path, int dir, const char *to) {
    REAL(int, "renameat", int, const char *, int, const char *);
    if (hit(below_path(from, path))) return -1;
    return real(from, path, dir, to);
}
