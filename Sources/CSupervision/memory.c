#define _GNU_SOURCE
#include "CSupervisionMemory.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/mman.h>

// Since Linux 6.3; not in the headers of an older distribution.
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

static int open_memory(const char *name) {
    unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
    int descriptor = memfd_create(name, flags);
    // Not at once: to older journals a file with a seal that they do not know is not sealed at all. But where
    // vm.memfd_noexec is 2 there is no other file.
    if (descriptor < 0 && errno == EACCES)
        descriptor = memfd_create(name, flags | MFD_NOEXEC_SEAL);
    return descriptor < 0 ? -errno : descriptor;
}

static int write_all(int descriptor, const char *bytes, size_t length) {
    while (length > 0) {
        ssize_t count = write(descriptor, bytes, length);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return -errno;
        bytes += count;
        length -= (size_t)count;
    }
    return 0;
}

int csupervision_memory_create(const char *name, const void *bytes, size_t length) {
    int descriptor = open_memory(name);
    if (descriptor < 0)
        return descriptor;
    int failure = write_all(descriptor, bytes, length);
    if (failure == 0 &&
        fcntl(descriptor, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0)
        failure = -errno;
    if (failure < 0) {
        close(descriptor);
        return failure;
    }
    return descriptor;
}

int csupervision_memory_inspect(int descriptor, unsigned *seals, uint64_t *length) {
    int found = fcntl(descriptor, F_GET_SEALS);
    struct stat status;
    if (found < 0 || fstat(descriptor, &status) < 0)
        return -errno;
    *seals = (found & F_SEAL_SEAL ? CSUPERVISION_SEAL_SEAL : 0) |
             (found & F_SEAL_SHRINK ? CSUPERVISION_SEAL_SHRINK : 0) |
             (found & F_SEAL_GROW ? CSUPERVISION_SEAL_GROW : 0) |
             (found & F_SEAL_WRITE ? CSUPERVISION_SEAL_WRITE : 0);
    *length = (uint64_t)status.st_size;
    return 0;
}
#else
int csupervision_memory_create(const char *name, const void *bytes, size_t length) {
    (void)name;
    (void)bytes;
    (void)length;
    return -EOPNOTSUPP;
}

int csupervision_memory_inspect(int descriptor, unsigned *seals, uint64_t *length) {
    (void)descriptor;
    (void)seals;
    (void)length;
    return -EOPNOTSUPP;
}
#endif

long csupervision_memory_read(int descriptor, void *bytes, size_t capacity, uint64_t offset) {
    ssize_t count;
    do
        count = pread(descriptor, bytes, capacity, (off_t)offset);
    while (count < 0 && errno == EINTR);
    return count < 0 ? -errno : (long)count;
}
