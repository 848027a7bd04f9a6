/* Makes writes or syncs of regular files fail, or reads of them slow, while the file named by WIM_MATCH_FAULT holds a word:
   "full", "sync" or "slow". */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

static int ordered(const char *word) {
    const char *file = getenv("WIM_MATCH_FAULT");
    char text[8] = {0};
    int fd = file ? open(file, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0) return 0;
    ssize_t got = read(fd, text, sizeof text - 1);
    close(fd);
    return got > 0 && strncmp(text, word, strlen(word)) == 0;
}

static int regular(int fd) {
    struct stat found;
    return fd > 2 && fstat(fd, &found) == 0 && S_ISREG(found.st_mode);
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

#define FULL_IF_ORDERED(fd)                      \
    if (regular(fd) && ordered("full")) {        \
        errno = ENOSPC;                          \
        return -1;                               \
    }

#define FAIL_SYNC_IF_ORDERED(fd)                 \
    if (regular(fd) && ordered("sync")) {        \
        errno = EIO;                             \
        return -1;                               \
    }

ssize_t write(int fd, const void *bytes, size_t size) {
    FULL_IF_ORDERED(fd)
    return REAL(write)(fd, bytes, size);
}

ssize_t pwrite(int fd, const void *bytes, size_t size, off_t at) {
    FULL_IF_ORDERED(fd)
    return REAL(pwrite)(fd, bytes, size, at);
}

ssize_t pwrite64(int fd, const void *bytes, size_t size, off64_t at) {
    FULL_IF_ORDERED(fd)
    return REAL(pwrite64)(fd, bytes, size, at);
}

int ftruncate(int fd, off_t size) {
    FULL_IF_ORDERED(fd)
    return REAL(ftruncate)(fd, size);
}

int fsync(int fd) {
    FAIL_SYNC_IF_ORDERED(fd)
    return REAL(fsync)(fd);
}

int fdatasync(int fd) {
    FAIL_SYNC_IF_ORDERED(fd)
    return REAL(fdatasync)(fd);
}

#define WAIT_IF_ORDERED(fd)                      \
    if (regular(fd) && ordered("slow")) {        \
        usleep(100 * 1000);                      \
    }

ssize_t pread(int fd, void *bytes, size_t size, off_t at) {
    WAIT_IF_ORDERED(fd)
    return REAL(pread)(fd, bytes, size, at);
}

ssize_t pread64(int fd, void *bytes, size_t size, off64_t at) {
    WAIT_IF_ORDERED(fd)
    return REAL(pread64)(fd, bytes, size, at);
}
