#define _GNU_SOURCE
#include "CSupervisionProcess.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/syscall.h>
#include <sys/vfs.h>

// Not in the headers of an older distribution.
#define CSUPERVISION_PIDFS_MAGIC 0x50494446
#endif

int csupervision_own_pidfd_inode(uint64_t *inode) {
#if defined(__linux__) && defined(SYS_pidfd_open)
    int descriptor = (int)syscall(SYS_pidfd_open, getpid(), 0);
    if (descriptor < 0)
        return -errno;
    struct statfs filesystem;
    struct stat status;
    int failure = 0;
    if (fstatfs(descriptor, &filesystem) < 0 || fstat(descriptor, &status) < 0)
        failure = -errno;
    else if ((unsigned long)filesystem.f_type != CSUPERVISION_PIDFS_MAGIC)
        // All pidfds share one anonymous inode: it says nothing about the process.
        failure = -EOPNOTSUPP;
    else
        *inode = (uint64_t)status.st_ino;
    close(descriptor);
    return failure;
#else
    (void)inode;
    return -EOPNOTSUPP;
#endif
}

extern char **environ;

char *const *csupervision_environment(void) { return environ; }
