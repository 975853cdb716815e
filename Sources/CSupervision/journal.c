#define _GNU_SOURCE
#include "CSupervisionJournal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/mman.h>

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

static int open_memory_file(void) {
    int descriptor = memfd_create("journal-entry", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    // Not at once: to older journals a file with a seal that they do not know is not sealed at all. But where
    // vm.memfd_noexec is 2 there is no other file.
    if (descriptor < 0 && errno == EACCES)
        descriptor = memfd_create("journal-entry", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);
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

int csupervision_journal_seal(const void *bytes, size_t length) {
    int descriptor = open_memory_file();
    if (descriptor < 0)
        return descriptor;
    int failure = write_all(descriptor, bytes, length);
    if (failure == 0 && fcntl(descriptor, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) < 0)
        failure = -errno;
    if (failure < 0) {
        close(descriptor);
        return failure;
    }
    return descriptor;
}
#else
int csupervision_journal_seal(const void *bytes, size_t length) {
    (void)bytes;
    (void)length;
    return -ENOSYS;
}
#endif

int csupervision_journal_send_descriptor(int socket, int descriptor) {
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control;
    memset(&control, 0, sizeof control);
    struct msghdr message;
    memset(&message, 0, sizeof message);
    message.msg_control = &control;
    message.msg_controllen = sizeof control.bytes;
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(header), &descriptor, sizeof descriptor);

    int flags = MSG_DONTWAIT;
#ifdef MSG_NOSIGNAL
    flags |= MSG_NOSIGNAL;
#endif
    for (;;) {
        if (sendmsg(socket, &message, flags) >= 0)
            return 0;
        if (errno != EINTR)
            return errno == EWOULDBLOCK ? -EAGAIN : -errno;
    }
}
