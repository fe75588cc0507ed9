/* A disk that fails at the n-th call that would change it.
 *
 * Loaded before the C library (LD_PRELOAD), it stands between a program and the kernel: SQLite and Python call it without
 * knowing. It counts the calls that change files under one directory, and lets one of them fail, or all from one on. A
 * disk that is full takes the first half of what it is given before it fails, as real ones do.
 *
 * Nothing is synced: no power is cut here, and a sweep makes tens of thousands of syncs.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static char directory[PATH_MAX];
static int fails_at, with_errno, for_good, count, failures, paused;

/* Begin to count under a directory; at 0 nothing fails. */
void disk_fails(const char *path, int at, int number, int lasting)
{
    snprintf(directory, sizeof directory, "%s", path);
    fails_at = at, with_errno = number, for_good = lasting, count = 0, failures = 0;
}

/* Let nothing fail any more, and go on counting. */
void disk_mend(void) { fails_at = 0; }

/* Let whoever looks on see the disk as it is. */
void disk_pause(int yes) { paused = yes; }

int disk_calls(void) { return count; }

static int fails(const char *path)
{
    if (paused || !*directory || !strstr(path, directory))
        return 0;
    count++;
    if (!fails_at || count < fails_at || (count > fails_at && !for_good))
        return 0;
    failures++;
    errno = with_errno;
    return 1;
}

static int file_fails(int file)
{
    char link[32], path[PATH_MAX];
    int before = errno;
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    errno = before;
    if (length < 0)
        return 0;
    path[length] = 0;
    return fails(path);
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define HALF(size) (with_errno == ENOSPC && failures == 1 && (size) > 1 ? (size) / 2 : 0)

#define WRITES_AT(name, offset_t)                                                \
    ssize_t name(int file, const void *data, size_t size, offset_t at)           \
    {                                                                            \
        if (file_fails(file))                                                    \
            return HALF(size) ? REAL(name)(file, data, HALF(size), at) : -1;     \
        return REAL(name)(file, data, size, at);                                 \
    }
WRITES_AT(pwrite, off_t)
WRITES_AT(pwrite64, off64_t)

ssize_t write(int file, const void *data, size_t size)
{
    return file_fails(file) ? -1 : REAL(write)(file, data, size);
}

int ftruncate(int file, off_t size) { return file_fails(file) ? -1 : REAL(ftruncate)(file, size); }
int ftruncate64(int file, off64_t size) { return file_fails(file) ? -1 : REAL(ftruncate64)(file, size); }
int fsync(int file) { return file_fails(file) ? -1 : 0; }
int fdatasync(int file) { return file_fails(file) ? -1 : 0; }
int unlink(const char *path) { return fails(path) ? -1 : REAL(unlink)(path); }
int rename(const char *from, const char *to) { return fails(from) ? -1 : REAL(rename)(from, to); }

#define OPENS(name)                                                              \
    int name(const char *path, int flags, ...)                                   \
    {                                                                            \
        va_list rest;                                                            \
        va_start(rest, flags);                                                   \
        mode_t mode = flags & O_CREAT ? va_arg(rest, mode_t) : 0;                \
        va_end(rest);                                                            \
        return flags & O_CREAT && fails(path) ? -1 : REAL(name)(path, flags, mode); \
    }
OPENS(open)
OPENS(open64)
