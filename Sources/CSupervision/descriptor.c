#define _GNU_SOURCE
#include "CSupervisionDescriptor.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#ifdef __linux__
#include <sys/vfs.h>

#define CSUPERVISION_MQUEUE_MAGIC 0x19800202
#endif

static enum csupervision_family family_of(const struct sockaddr_storage *local) {
    switch (local->ss_family) {
    case AF_INET:
        return CSUPERVISION_FAMILY_INET;
    case AF_INET6:
        return CSUPERVISION_FAMILY_INET6;
    case AF_UNIX:
        return CSUPERVISION_FAMILY_UNIX;
#ifdef AF_NETLINK
    case AF_NETLINK:
        return CSUPERVISION_FAMILY_NETLINK;
#endif
#ifdef AF_VSOCK
    case AF_VSOCK:
        return CSUPERVISION_FAMILY_VSOCK;
#endif
    default:
        return CSUPERVISION_FAMILY_OTHER;
    }
}

static int option(int descriptor, int name) {
    int value = 0;
    socklen_t size = sizeof value;
    return getsockopt(descriptor, SOL_SOCKET, name, &value, &size) < 0 ? -1 : value;
}

static int has_peer(int descriptor) {
    struct sockaddr_storage peer;
    socklen_t size = sizeof peer;
    return getpeername(descriptor, (struct sockaddr *)&peer, &size) == 0;
}

static enum csupervision_kind socket_kind(int descriptor, enum csupervision_family family) {
    int type = option(descriptor, SO_TYPE);
    int listens = option(descriptor, SO_ACCEPTCONN) == 1;
    if (type == SOCK_DGRAM || family == CSUPERVISION_FAMILY_NETLINK)
        return CSUPERVISION_KIND_DATAGRAM;
    if (type == SOCK_STREAM && listens)
        return CSUPERVISION_KIND_STREAM_LISTENER;
    if (type == SOCK_SEQPACKET && listens)
        return CSUPERVISION_KIND_SEQPACKET_LISTENER;
    if ((type == SOCK_STREAM || type == SOCK_SEQPACKET) && has_peer(descriptor))
        return CSUPERVISION_KIND_CONNECTION;
    return CSUPERVISION_KIND_OTHER;
}

static void put_address(
    struct csupervision_descriptor *result, const struct sockaddr_storage *local, socklen_t size
) {
    char text[INET6_ADDRSTRLEN];
    if (result->family == CSUPERVISION_FAMILY_INET) {
        const struct sockaddr_in *inet = (const struct sockaddr_in *)local;
        if (inet_ntop(AF_INET, &inet->sin_addr, text, sizeof text))
            result->address_length =
                snprintf(result->address, sizeof result->address, "%s:%d", text, ntohs(inet->sin_port));
    } else if (result->family == CSUPERVISION_FAMILY_INET6) {
        const struct sockaddr_in6 *inet6 = (const struct sockaddr_in6 *)local;
        if (inet_ntop(AF_INET6, &inet6->sin6_addr, text, sizeof text))
            result->address_length =
                snprintf(result->address, sizeof result->address, "[%s]:%d", text, ntohs(inet6->sin6_port));
    } else if (result->family == CSUPERVISION_FAMILY_UNIX) {
        const struct sockaddr_un *local_unix = (const struct sockaddr_un *)local;
        size_t offset = offsetof(struct sockaddr_un, sun_path);
        if (size <= offset)
            return; // unnamed: one end of a socketpair
        size_t length = size - offset;
        if (length > sizeof local_unix->sun_path)
            length = sizeof local_unix->sun_path;
        if (local_unix->sun_path[0] != 0)
            length = strnlen(local_unix->sun_path, length);
        memcpy(result->address, local_unix->sun_path, length);
        if (result->address[0] == 0 && length > 0)
            result->address[0] = '@';
        result->address_length = (int)length;
    }
}

struct csupervision_descriptor csupervision_descriptor_inspect(int descriptor) {
    struct csupervision_descriptor result;
    memset(&result, 0, sizeof result);

    struct stat status;
    if (fstat(descriptor, &status) < 0) {
        result.kind = CSUPERVISION_KIND_NOT_OPEN;
        return result;
    }
    if (S_ISSOCK(status.st_mode)) {
        struct sockaddr_storage local;
        memset(&local, 0, sizeof local);
        socklen_t size = sizeof local;
        if (getsockname(descriptor, (struct sockaddr *)&local, &size) == 0) {
            result.family = family_of(&local);
            put_address(&result, &local, size);
        } else {
            result.family = CSUPERVISION_FAMILY_OTHER;
        }
        result.kind = socket_kind(descriptor, result.family);
        return result;
    }

    if (S_ISFIFO(status.st_mode))
        result.kind = CSUPERVISION_KIND_FIFO;
    else if (S_ISDIR(status.st_mode))
        result.kind = CSUPERVISION_KIND_DIRECTORY;
    else if (S_ISREG(status.st_mode))
        result.kind = CSUPERVISION_KIND_FILE;
    else
        result.kind = CSUPERVISION_KIND_OTHER;
#ifdef __linux__
    // A POSIX message queue (ListenMessageQueue=) looks like a regular file of its own filesystem.
    struct statfs filesystem;
    if (result.kind == CSUPERVISION_KIND_FILE && fstatfs(descriptor, &filesystem) == 0 &&
        (unsigned long)filesystem.f_type == CSUPERVISION_MQUEUE_MAGIC)
        result.kind = CSUPERVISION_KIND_MESSAGE_QUEUE;
#endif
    return result;
}
