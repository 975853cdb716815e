#define _GNU_SOURCE
#include "CSupervisionRights.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

// Aligned as a control message must be.
union control {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(sizeof(int) * CSUPERVISION_MOST_RIGHTS)];
};

int csupervision_rights_send(
    int descriptor, const void *bytes, size_t length, const int *rights, size_t count
) {
    if (count > CSUPERVISION_MOST_RIGHTS)
        return -E2BIG;
    union control control;
    memset(&control, 0, sizeof control);
    struct iovec part = {.iov_base = (void *)bytes, .iov_len = length};
    struct msghdr message;
    memset(&message, 0, sizeof message);
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    // CMSG_SPACE(0) is not 0.
    if (count > 0) {
        message.msg_control = &control;
        message.msg_controllen = CMSG_SPACE(sizeof(int) * count);
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int) * count);
        memcpy(CMSG_DATA(header), rights, sizeof(int) * count);
    }

    int flags = MSG_DONTWAIT;
#ifdef MSG_NOSIGNAL
    flags |= MSG_NOSIGNAL;
#endif
    for (;;) {
        if (sendmsg(descriptor, &message, flags) >= 0)
            return 0;
        if (errno != EINTR)
            return errno == EWOULDBLOCK ? -EAGAIN : -errno;
    }
}

long csupervision_rights_receive(int descriptor, void *bytes, size_t capacity, int *rights, size_t *count) {
    *count = 0;
    union control control;
    struct iovec part = {.iov_base = bytes, .iov_len = capacity};
    struct msghdr message;
    memset(&message, 0, sizeof message);
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = &control;
    message.msg_controllen = sizeof control;

    int flags = MSG_DONTWAIT;
#ifdef MSG_CMSG_CLOEXEC
    flags |= MSG_CMSG_CLOEXEC;
#endif
    ssize_t length;
    do
        length = recvmsg(descriptor, &message, flags);
    while (length < 0 && errno == EINTR);
    if (length < 0)
        return errno == EWOULDBLOCK ? -EAGAIN : -errno;

    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
            continue;
        size_t here = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        memcpy(rights + *count, CMSG_DATA(header), here * sizeof(int));
        *count += here;
    }
#ifndef MSG_CMSG_CLOEXEC
    for (size_t index = 0; index < *count; index++)
        fcntl(rights[index], F_SETFD, FD_CLOEXEC);
#endif
    return (long)length;
}
