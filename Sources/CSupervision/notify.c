#define _GNU_SOURCE
#include "CSupervisionNotify.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#ifndef __linux__
static int set_descriptor_flags(int descriptor) {
    int status = fcntl(descriptor, F_GETFL);
    if (status < 0 || fcntl(descriptor, F_SETFL, status | O_NONBLOCK) < 0 ||
        fcntl(descriptor, F_SETFD, FD_CLOEXEC) < 0)
        return -errno;
    return 0;
}
#endif

static int open_datagram(void) {
#ifdef __linux__
    int descriptor = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    return descriptor < 0 ? -errno : descriptor;
#else
    int descriptor = socket(AF_UNIX, SOCK_DGRAM, 0);
    if (descriptor < 0)
        return -errno;
    int failure = set_descriptor_flags(descriptor);
#ifdef SO_NOSIGPIPE
    int one = 1;
    setsockopt(descriptor, SOL_SOCKET, SO_NOSIGPIPE, &one, sizeof one);
#endif
    if (failure < 0) {
        close(descriptor);
        return failure;
    }
    return descriptor;
#endif
}

typedef int (*attach)(int, const struct sockaddr *, socklen_t);

static int open_attached(attach attach, const unsigned char *address, size_t length) {
    struct sockaddr_un target;
    memset(&target, 0, sizeof target);
    target.sun_family = AF_UNIX;
    if (length == 0)
        return -EINVAL;
    if (length > sizeof target.sun_path)
        return -ENAMETOOLONG;
    memcpy(target.sun_path, address, length);

    // An abstract name is as long as it is told: its size must not count the zeroes behind it.
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
    if (address[0] != 0 && length < sizeof target.sun_path)
        size += 1;

    int descriptor = open_datagram();
    if (descriptor < 0)
        return descriptor;
    if (attach(descriptor, (const struct sockaddr *)&target, size) < 0) {
        int failure = -errno;
        close(descriptor);
        return failure;
    }
    return descriptor;
}

int csupervision_notify_connect(const unsigned char *address, size_t length) {
    return open_attached(connect, address, length);
}

int csupervision_notify_bind(const unsigned char *address, size_t length) {
    return open_attached(bind, address, length);
}

int csupervision_wake_open(int *read_end, int *write_end) {
    int ends[2];
#ifdef __linux__
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
        return -errno;
#else
    if (pipe(ends) < 0)
        return -errno;
    if (set_descriptor_flags(ends[0]) < 0 || set_descriptor_flags(ends[1]) < 0) {
        int failure = -errno;
        close(ends[0]);
        close(ends[1]);
        return failure;
    }
#endif
    *read_end = ends[0];
    *write_end = ends[1];
    return 0;
}
