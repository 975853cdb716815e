#define _GNU_SOURCE
#include "CSupervisionVsock.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#if defined(__linux__) && __has_include(<linux/vm_sockets.h>)
#include <linux/vm_sockets.h>

static int open_type(enum csupervision_vsock_type type) {
    int kind = type == CSUPERVISION_VSOCK_STREAM      ? SOCK_STREAM
               : type == CSUPERVISION_VSOCK_SEQPACKET ? SOCK_SEQPACKET
                                                      : SOCK_DGRAM;
    int descriptor = socket(AF_VSOCK, kind | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    return descriptor < 0 ? -errno : descriptor;
}

// What a kernel says that has AF_VSOCK, but not this type of it.
static int is_unsupported(int failure) {
    return failure == -ENODEV || failure == -EOPNOTSUPP || failure == -ESOCKTNOSUPPORT ||
           failure == -EPROTONOSUPPORT || failure == -EPROTOTYPE;
}

int csupervision_vsock_connect(uint32_t context, uint32_t port, enum csupervision_vsock_type *type) {
    int descriptor;
    if (*type != CSUPERVISION_VSOCK_ANY) {
        descriptor = open_type(*type);
    } else {
        *type = CSUPERVISION_VSOCK_DATAGRAM;
        descriptor = open_type(*type);
        while (is_unsupported(descriptor) && *type != CSUPERVISION_VSOCK_STREAM) {
            *type += 1;
            descriptor = open_type(*type);
        }
    }
    if (descriptor < 0)
        return descriptor;

    struct sockaddr_vm address;
    memset(&address, 0, sizeof address);
    address.svm_family = AF_VSOCK;
    address.svm_cid = context;
    address.svm_port = port;
    if (connect(descriptor, (const struct sockaddr *)&address, sizeof address) < 0 && errno != EINPROGRESS) {
        int failure = -errno;
        close(descriptor);
        return failure;
    }
    return descriptor;
}
#else
int csupervision_vsock_connect(uint32_t context, uint32_t port, enum csupervision_vsock_type *type) {
    (void)context;
    (void)port;
    (void)type;
    return -EAFNOSUPPORT;
}
#endif

int csupervision_connect_result(int descriptor) {
    int value = 0;
    socklen_t size = sizeof value;
    if (getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &value, &size) < 0)
        return -errno;
    return -value;
}
