#define _GNU_SOURCE
#include "address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

int csupervision_host_is_numeric(const char *host) {
    struct sockaddr_storage address;
    socklen_t size;
    return csupervision_address_parse(host, 0, &address, &size);
}

int csupervision_socket_prepare(int descriptor) {
    int flags = fcntl(descriptor, F_GETFL);
    if (flags < 0 || fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) < 0)
        return -errno;
    return fcntl(descriptor, F_SETFD, FD_CLOEXEC) < 0 ? -errno : 0;
}

static int open_socket(int family, enum csupervision_socket_type type) {
    int number = type == CSUPERVISION_SOCKET_DATAGRAM    ? SOCK_DGRAM
                 : type == CSUPERVISION_SOCKET_SEQPACKET ? SOCK_SEQPACKET
                                                         : SOCK_STREAM;
#ifdef SOCK_CLOEXEC
    int descriptor = socket(family, number | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    return descriptor < 0 ? -errno : descriptor;
#else
    int descriptor = socket(family, number, 0);
    if (descriptor < 0)
        return -errno;
    int failure = csupervision_socket_prepare(descriptor);
    if (failure < 0) {
        close(descriptor);
        return failure;
    }
    return descriptor;
#endif
}

static int bind_and_listen(
    int descriptor,
    enum csupervision_socket_type type,
    const struct sockaddr *address,
    socklen_t size,
    int backlog,
    const char **step
) {
    *step = "bind";
    if (bind(descriptor, address, size) == 0) {
        if (type == CSUPERVISION_SOCKET_DATAGRAM)
            return descriptor;
        *step = "listen";
        if (listen(descriptor, backlog) == 0)
            return descriptor;
    }
    int failure = -errno;
    close(descriptor);
    return failure;
}

static int bind_inet(
    enum csupervision_socket_type type,
    const struct sockaddr_storage *address,
    socklen_t size,
    int dual,
    int backlog,
    const char **step
) {
    *step = "socket";
    int descriptor = open_socket(address->ss_family, type);
    if (descriptor < 0)
        return descriptor;
    int on = 1, off = 0;
    // A restart must not wait until the connections of the previous run have left TIME_WAIT. A datagram socket that
    // had the option would let another process take its port away.
    if (type != CSUPERVISION_SOCKET_DATAGRAM)
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (dual && setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off) < 0) {
        *step = "setsockopt(IPV6_V6ONLY)";
        int failure = -errno;
        close(descriptor);
        return failure;
    }
    return bind_and_listen(descriptor, type, (const struct sockaddr *)address, size, backlog, step);
}

int csupervision_socket_bind_inet(
    enum csupervision_socket_type type, const char *host, int port, int backlog, const char **step
) {
    struct sockaddr_storage address;
    socklen_t size;
    if (host) {
        *step = "host";
        if (!csupervision_address_parse(host, port, &address, &size))
            return -EINVAL;
        return bind_inet(type, &address, size, 0, backlog, step);
    }
    csupervision_address_parse("::", port, &address, &size);
    int descriptor = bind_inet(type, &address, size, 1, backlog, step);
    // No IPv6 in the kernel, switched off by sysctl, or without the dual stack.
    if (descriptor != -EAFNOSUPPORT && descriptor != -EADDRNOTAVAIL && descriptor != -ENOPROTOOPT)
        return descriptor;
    csupervision_address_parse("0.0.0.0", port, &address, &size);
    return bind_inet(type, &address, size, 0, backlog, step);
}

int csupervision_socket_bind_unix(
    enum csupervision_socket_type type, const char *bytes, size_t length, int backlog, const char **step
) {
    struct sockaddr_un address;
    socklen_t size;
    *step = "path";
    int failure = csupervision_address_unix(bytes, length, &address, &size);
    if (failure < 0)
        return failure;
    *step = "socket";
    int descriptor = open_socket(AF_UNIX, type);
    if (descriptor < 0)
        return descriptor;
    return bind_and_listen(descriptor, type, (struct sockaddr *)&address, size, backlog, step);
}

int csupervision_unix_path_pin(const char *path) {
#ifdef O_PATH
    int descriptor = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    return descriptor < 0 ? -errno : descriptor;
#else
    (void)path;
    return -EOPNOTSUPP;
#endif
}

int csupervision_unix_path_identity(const char *path, struct csupervision_file_identity *identity) {
    struct stat status;
    if (lstat(path, &status) < 0)
        return -errno;
    if (!S_ISSOCK(status.st_mode))
        return -ENOTSOCK;
    identity->device = (uint64_t)status.st_dev;
    identity->inode = (uint64_t)status.st_ino;
    return 0;
}

int csupervision_unix_path_is_stale(const char *path) {
    struct csupervision_file_identity identity;
    int failure = csupervision_unix_path_identity(path, &identity);
    if (failure < 0)
        return failure;
    struct sockaddr_un address;
    socklen_t size;
    failure = csupervision_address_unix(path, strlen(path), &address, &size);
    if (failure < 0)
        return failure;
    int descriptor = open_socket(AF_UNIX, CSUPERVISION_SOCKET_STREAM);
    if (descriptor < 0)
        return descriptor;
    // EAGAIN is a listener with a full backlog, EPROTOTYPE a datagram socket: both are alive.
    int refused = connect(descriptor, (struct sockaddr *)&address, size) < 0 && errno == ECONNREFUSED;
    close(descriptor);
    return refused ? 0 : -EADDRINUSE;
}

void csupervision_socket_local_address(int descriptor, struct csupervision_address *result) {
    struct sockaddr_storage address;
    memset(&address, 0, sizeof address);
    socklen_t size = sizeof address;
    if (getsockname(descriptor, (struct sockaddr *)&address, &size) < 0)
        size = 0;
    csupervision_address_put(result, &address, size);
}

int csupervision_host_address(const char *host, int port, struct csupervision_address *result) {
    struct sockaddr_storage address;
    socklen_t size;
    if (!csupervision_address_parse(host, port, &address, &size))
        return 0;
    csupervision_address_put(result, &address, size);
    return 1;
}

int csupervision_socket_is_dual(int descriptor) {
    int only = 1;
    socklen_t size = sizeof only;
    return getsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &only, &size) == 0 && !only;
}

int csupervision_socket_peer_address(int descriptor, struct csupervision_address *result) {
    struct sockaddr_storage address;
    memset(&address, 0, sizeof address);
    socklen_t size = sizeof address;
    if (getpeername(descriptor, (struct sockaddr *)&address, &size) < 0)
        return -errno;
    csupervision_address_put(result, &address, size);
    return 0;
}

int csupervision_socket_accept(int listener, struct csupervision_address *peer) {
    struct sockaddr_storage address;
    memset(&address, 0, sizeof address);
    socklen_t size = sizeof address;
#ifdef __linux__
    int descriptor = accept4(listener, (struct sockaddr *)&address, &size, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (descriptor < 0)
        return -errno;
#else
    int descriptor = accept(listener, (struct sockaddr *)&address, &size);
    if (descriptor < 0)
        return -errno;
    int failure = csupervision_socket_prepare(descriptor);
    if (failure < 0) {
        close(descriptor);
        return failure;
    }
#endif
    int on = 1;
    // Set on each: a connection that was queued before the listener had the option does not inherit it.
    if (address.ss_family == AF_INET || address.ss_family == AF_INET6)
        setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
#ifdef SO_NOSIGPIPE
    setsockopt(descriptor, SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof on);
#endif
    csupervision_address_put(peer, &address, size);
    return descriptor;
}

long csupervision_socket_read(int descriptor, void *bytes, size_t capacity) {
    ssize_t length;
    do
        length = recv(descriptor, bytes, capacity, 0);
    while (length < 0 && errno == EINTR);
    return length < 0 ? -errno : length;
}

int csupervision_socket_is_seqpacket(int descriptor) {
    int type = 0;
    socklen_t size = sizeof type;
    return getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_SEQPACKET;
}

long csupervision_socket_read_record(int descriptor, void *bytes, size_t capacity, int *is_end) {
#ifdef SO_PASSCRED
    // A record of no bytes and the end both read as 0. But a record has its sender's credentials with it, for
    // which no room is given here: the kernel says of a record, and not of the end, that it left something out.
    int on = 1;
    setsockopt(descriptor, SOL_SOCKET, SO_PASSCRED, &on, sizeof on);
#endif
    struct iovec part = {.iov_base = bytes, .iov_len = capacity};
    struct msghdr message;
    ssize_t length;
    do {
        memset(&message, 0, sizeof message);
        message.msg_iov = &part;
        message.msg_iovlen = 1;
        length = recvmsg(descriptor, &message, 0);
    } while (length < 0 && errno == EINTR);
    if (length < 0)
        return -errno;
    *is_end = length == 0 && !(message.msg_flags & MSG_CTRUNC);
    return message.msg_flags & MSG_TRUNC ? -EMSGSIZE : length;
}

long csupervision_socket_write(int descriptor, const void *bytes, size_t length) {
#ifdef MSG_NOSIGNAL
    int flags = MSG_NOSIGNAL;
#else
    int flags = 0;
#endif
    ssize_t written;
    do
        written = send(descriptor, bytes, length, flags);
    while (written < 0 && errno == EINTR);
    return written < 0 ? -errno : written;
}

void csupervision_socket_shutdown(int descriptor, int writing) {
    shutdown(descriptor, writing ? SHUT_WR : SHUT_RD);
}

int csupervision_poll_readable(int first, int second, int milliseconds) {
    struct pollfd both[2] = {{.fd = first, .events = POLLIN}, {.fd = second, .events = POLLIN}};
    if (poll(both, 2, milliseconds) <= 0)
        return 0;
    return (both[0].revents != 0 ? 1 : 0) | (both[1].revents != 0 ? 2 : 0);
}

int csupervision_descriptor_duplicate(int descriptor) {
    int copy = fcntl(descriptor, F_DUPFD_CLOEXEC, 3);
    return copy < 0 ? -errno : copy;
}

void csupervision_error_text(int error, char *text, size_t capacity) {
    // Two functions of one name: GNU's gives the text, the standard's fills the buffer.
#if defined(__GLIBC__)
    const char *found = strerror_r(error, text, capacity);
    if (found != text)
        snprintf(text, capacity, "%s", found);
#else
    if (strerror_r(error, text, capacity) != 0)
        snprintf(text, capacity, "unknown error");
#endif
}
