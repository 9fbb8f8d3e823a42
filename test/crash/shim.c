/*
 * Makes the n-th system call of a kind fail, for files whose path contains a text. Loaded with LD_PRELOAD.
 *
 *   FAULT=call:error:n:path   call is write, fsync, rename, open, unlink or link; error is an errno, 0 for SIGKILL
 *                             before the call, -2 for SIGKILL right after it, -3 for a call that never returns (a hung
 *                             network disk, from the first of them on); -1 for a disk that is full in the middle of
 *                             the n-th write: half of it is taken, later writes are refused (libuv goes on after a short
 *                             write by itself, and reports what was taken when the next one fails)
 *   FAULT_HIT=file            is created when the fault has happened, so that a test knows when n is too large
 *
 *   NO_LINKS=1                no disk has hard links: each is refused with EPERM
 *
 *   TRACE=file                gets a line for each such call that changes something: `write PATH`, `fsync PATH`, `rename FROM<tab>TO` ...
 *
 * Node (libuv) calls the 64-bit names, and pwrite where a position is given. Calls of several threads count as one sequence.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static char call[16], part[256];
static int code, nth, count, full;

__attribute__((constructor)) static void init(void) {
  const char *fault = getenv("FAULT");
  if (!fault || sscanf(fault, "%15[^:]:%d:%d:%255s", call, &code, &nth, part) < 3) call[0] = 0;
}

static void trace(const char *name, const char *path, const char *other) {
  const char *file = getenv("TRACE");
  char line[1200];
  if (!file || !path) return;
  int length = snprintf(line, sizeof line, other ? "%s %s\t%s\n" : "%s %s\n", name, path, other);
  int fd = syscall(SYS_openat, AT_FDCWD, file, O_CREAT | O_WRONLY | O_APPEND, 0600);
  syscall(SYS_write, fd, line, length);
  close(fd);
}

static int hit(const char *name, const char *path) {
  if (!call[0] || strcmp(call, name) || !path || !strstr(path, part)) return 0;
  if (full) return 1;
  if (code == -3) for (;;) pause();
  if (__sync_add_and_fetch(&count, 1) != nth) return 0;
  const char *mark = getenv("FAULT_HIT");
  if (mark) close(syscall(SYS_openat, AT_FDCWD, mark, O_CREAT | O_WRONLY, 0600));
  if (code == 0) kill(getpid(), SIGKILL);
  return 1;
}

static const char *path_of(int fd, char *buffer) {
  char link[64];
  if (!call[0] && !getenv("TRACE")) return NULL;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, buffer, 511);
  if (length < 0) return NULL;
  buffer[length] = 0;
  return buffer;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define FAIL_OR(real) \
  do { \
    if (code > 0 || full) { errno = full ? ENOSPC : code; return -1; } \
    full = code == -1; \
    __typeof__(real) result = real; \
    if (code == -2) kill(getpid(), SIGKILL); \
    return result; \
  } while (0)

#define SHORT(length) (code == -1 ? (length) / 2 : (length))

ssize_t write(int fd, const void *bytes, size_t length) {
  char buffer[512];
  const char *path = path_of(fd, buffer);
  if (hit("write", path)) FAIL_OR(REAL(write)(fd, bytes, SHORT(length)));
  trace("write", path, NULL);
  return REAL(write)(fd, bytes, length);
}
ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t at) {
  char buffer[512];
  const char *path = path_of(fd, buffer);
  if (hit("write", path)) FAIL_OR(REAL(pwrite64)(fd, bytes, SHORT(length), at));
  trace("write", path, NULL);
  return REAL(pwrite64)(fd, bytes, length, at);
}
ssize_t pwrite(int fd, const void *bytes, size_t length, off_t at) { return pwrite64(fd, bytes, length, at); }
ssize_t writev(int fd, const struct iovec *parts, int number) {
  char buffer[512];
  const char *path = path_of(fd, buffer);
  if (hit("write", path)) FAIL_OR(REAL(write)(fd, parts[0].iov_base, SHORT(parts[0].iov_len)));
  trace("write", path, NULL);
  return REAL(writev)(fd, parts, number);
}
ssize_t pwritev64(int fd, const struct iovec *parts, int number, off64_t at) {
  char buffer[512];
  const char *path = path_of(fd, buffer);
  if (hit("write", path)) FAIL_OR(REAL(pwrite64)(fd, parts[0].iov_base, SHORT(parts[0].iov_len), at));
  trace("write", path, NULL);
  return REAL(pwritev64)(fd, parts, number, at);
}
ssize_t pwritev(int fd, const struct iovec *parts, int number, off_t at) { return pwritev64(fd, parts, number, at); }
int fsync(int fd) {
  char buffer[512];
  const char *path = path_of(fd, buffer);
  if (hit("fsync", path)) FAIL_OR(REAL(fsync)(fd));
  trace("fsync", path, NULL);
  return REAL(fsync)(fd);
}
int fdatasync(int fd) {
  char buffer[512];
  const char *path = path_of(fd, buffer);
  if (hit("fsync", path)) FAIL_OR(REAL(fdatasync)(fd));
  trace("fsync", path, NULL);
  return REAL(fdatasync)(fd);
}
int rename(const char *from, const char *to) {
  if (hit("rename", to)) FAIL_OR(REAL(rename)(from, to));
  trace("rename", from, to);
  return REAL(rename)(from, to);
}
int link(const char *from, const char *to) {
  if (getenv("NO_LINKS")) { errno = EPERM; return -1; }
  if (hit("link", to)) FAIL_OR(REAL(link)(from, to));
  int result = REAL(link)(from, to);
  if (result == 0) trace("link", from, to);
  return result;
}
int mkdir(const char *path, mode_t mode) {
  int result = REAL(mkdir)(path, mode);
  if (result == 0) trace("create", path, NULL);
  return result;
}
int unlink(const char *path) {
  if (hit("unlink", path)) FAIL_OR(REAL(unlink)(path));
  trace("unlink", path, NULL);
  return REAL(unlink)(path);
}
int open64(const char *path, int flags, ...) {
  mode_t mode = 0;
  va_list arguments;
  va_start(arguments, flags);
  if (flags & (O_CREAT | O_TMPFILE)) mode = va_arg(arguments, mode_t);
  va_end(arguments);
  if (hit("open", path)) FAIL_OR(REAL(open64)(path, flags, mode));
  if (flags & O_CREAT && syscall(SYS_faccessat, AT_FDCWD, path, F_OK) != 0) trace("create", path, NULL);
  return REAL(open64)(path, flags, mode);
}
int open(const char *path, int flags, ...) {
  mode_t mode = 0;
  va_list arguments;
  va_start(arguments, flags);
  if (flags & (O_CREAT | O_TMPFILE)) mode = va_arg(arguments, mode_t);
  va_end(arguments);
  return open64(path, flags, mode);
}
