#define _GNU_SOURCE
// Darwin's name for the options of RFC 3542, IPV6_RECVPKTINFO among them.
#define __APPLE_USE_RFC_3542
#include "CSupervisionDatagram.h"

#include "address.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#ifdef __linux__
#include <linux/filter.h>
#endif

// As many as are received at once.
enum { MOST_AT_ONCE = 32 };

union control {
    struct cmsghdr header;
    // Both may be there, for an IPv4 sender to a socket of both families.
    unsigned char bytes[CMSG_SPACE(sizeof(struct in_pktinfo)) + CMSG_SPACE(sizeof(struct in6_pktinfo))];
};

int csupervision_datagram_prepare(int descriptor) {
    int failure = csupervision_socket_prepare(descriptor);
    if (failure < 0)
        return failure;
    struct sockaddr_storage local;
    socklen_t size = sizeof local;
    memset(&local, 0, sizeof local);
    if (getsockname(descriptor, (struct sockaddr *)&local, &size) < 0)
        return -errno;
    // Where a system refuses it is not told, and answers leave from the address that its routes choose.
    int on = 1;
    // On a socket of both families too: of an IPv4 datagram only this says which of the machine's addresses may answer.
    if (local.ss_family == AF_INET || local.ss_family == AF_INET6) {
        setsockopt(descriptor, IPPROTO_IP, IP_PKTINFO, &on, sizeof on);
#ifdef IP_RECVPKTINFO
        setsockopt(descriptor, IPPROTO_IP, IP_RECVPKTINFO, &on, sizeof on);
#endif
    }
    if (local.ss_family == AF_INET6)
        setsockopt(descriptor, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof on);
    return 0;
}

int csupervision_datagram_refuse(int descriptor) {
#ifdef __linux__
    // A filter that keeps 0 bytes of every packet: it is asked as a datagram arrives, before it is queued.
    struct sock_filter nothing = {.code = BPF_RET | BPF_K, .k = 0};
    struct sock_fprog program = {.len = 1, .filter = &nothing};
    return setsockopt(descriptor, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) < 0 ? -errno : 0;
#else
    (void)descriptor;
    return -EOPNOTSUPP;
#endif
}

static void put_route(struct csupervision_route *route, struct msghdr *message) {
    memset(route, 0, sizeof *route);
    // As much as a family is the name of nobody: so Unix sockets that were never bound have it.
    if (message->msg_namelen > sizeof(sa_family_t) && message->msg_namelen <= sizeof route->peer) {
        memcpy(route->peer, message->msg_name, message->msg_namelen);
        route->peer_size = message->msg_namelen;
    }
    for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part; part = CMSG_NXTHDR(message, part)) {
        if (part->cmsg_level == IPPROTO_IP && part->cmsg_type == IP_PKTINFO) {
            struct in_pktinfo info;
            memcpy(&info, CMSG_DATA(part), sizeof info);
            memcpy(route->asked, &info.ipi_addr, sizeof info.ipi_addr);
            memcpy(route->source, &info.ipi_spec_dst, sizeof info.ipi_spec_dst);
            route->asked_size = sizeof info.ipi_addr;
            // Of such a datagram IPv6 tells as well, but knows no broadcast: it would take that for the source.
            return;
        }
        if (part->cmsg_level == IPPROTO_IPV6 && part->cmsg_type == IPV6_PKTINFO) {
            struct in6_pktinfo info;
            memcpy(&info, CMSG_DATA(part), sizeof info);
            memcpy(route->asked, &info.ipi6_addr, sizeof info.ipi6_addr);
            route->asked_size = sizeof info.ipi6_addr;
            // Nobody's own: the route chooses.
            if (!IN6_IS_ADDR_MULTICAST(&info.ipi6_addr))
                memcpy(route->source, &info.ipi6_addr, sizeof info.ipi6_addr);
            // Elsewhere an answer may leave by another interface than the question came by.
            if (IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr) || IN6_IS_ADDR_MULTICAST(&info.ipi6_addr))
                route->interface = (uint32_t)info.ipi6_ifindex;
        }
    }
}

static void put_arrival(struct csupervision_arrival *arrival, struct msghdr *message, size_t length, size_t size) {
    put_route(&arrival->route, message);
    arrival->length = length < size ? length : size;
    arrival->is_truncated = (message->msg_flags & MSG_TRUNC) != 0;
}

int csupervision_datagram_receive(
    int descriptor, void *buffer, size_t size, int count, struct csupervision_arrival *arrivals
) {
    struct sockaddr_storage peers[MOST_AT_ONCE];
    union control controls[MOST_AT_ONCE];
    struct iovec parts[MOST_AT_ONCE];
    if (count > MOST_AT_ONCE)
        count = MOST_AT_ONCE;
#ifdef __linux__
    struct mmsghdr messages[MOST_AT_ONCE];
    memset(messages, 0, sizeof messages);
    for (int index = 0; index < count; index++) {
        parts[index] = (struct iovec){.iov_base = (char *)buffer + (size_t)index * size, .iov_len = size};
        messages[index].msg_hdr = (struct msghdr){
            .msg_name = &peers[index],
            .msg_namelen = sizeof peers[index],
            .msg_iov = &parts[index],
            .msg_iovlen = 1,
            .msg_control = &controls[index],
            .msg_controllen = sizeof controls[index],
        };
    }
    int received = recvmmsg(descriptor, messages, (unsigned)count, MSG_DONTWAIT, NULL);
    if (received < 0)
        return -errno;
    for (int index = 0; index < received; index++)
        put_arrival(&arrivals[index], &messages[index].msg_hdr, messages[index].msg_len, size);
    return received;
#else
    int received = 0;
    while (received < count) {
        parts[received] = (struct iovec){.iov_base = (char *)buffer + (size_t)received * size, .iov_len = size};
        struct msghdr message = {
            .msg_name = &peers[received],
            .msg_namelen = sizeof peers[received],
            .msg_iov = &parts[received],
            .msg_iovlen = 1,
            .msg_control = &controls[received],
            .msg_controllen = sizeof controls[received],
        };
        ssize_t length = recvmsg(descriptor, &message, MSG_DONTWAIT);
        if (length < 0)
            return received > 0 ? received : -errno;
        put_arrival(&arrivals[received++], &message, (size_t)length, size);
    }
    return received;
#endif
}

static void put_source(struct msghdr *message, union control *control, const struct csupervision_route *route) {
    memset(control, 0, sizeof *control);
    message->msg_control = control;
    struct cmsghdr *part = &control->header;
    if (route->asked_size == sizeof(struct in_addr)) {
        struct in_pktinfo info;
        memset(&info, 0, sizeof info);
        memcpy(&info.ipi_spec_dst, route->source, sizeof info.ipi_spec_dst);
        part->cmsg_level = IPPROTO_IP;
        part->cmsg_type = IP_PKTINFO;
        part->cmsg_len = CMSG_LEN(sizeof info);
        memcpy(CMSG_DATA(part), &info, sizeof info);
        message->msg_controllen = CMSG_SPACE(sizeof info);
    } else {
        struct in6_pktinfo info;
        memset(&info, 0, sizeof info);
        memcpy(&info.ipi6_addr, route->source, sizeof info.ipi6_addr);
        info.ipi6_ifindex = route->interface;
        part->cmsg_level = IPPROTO_IPV6;
        part->cmsg_type = IPV6_PKTINFO;
        part->cmsg_len = CMSG_LEN(sizeof info);
        memcpy(CMSG_DATA(part), &info, sizeof info);
        message->msg_controllen = CMSG_SPACE(sizeof info);
    }
}

int csupervision_datagram_reply(
    int descriptor, const void *bytes, size_t length, const struct csupervision_route *route
) {
    if (route->peer_size == 0)
        return -EDESTADDRREQ;
    int flags = MSG_DONTWAIT;
#ifdef MSG_NOSIGNAL
    flags |= MSG_NOSIGNAL;
#endif
    struct sockaddr_storage peer;
    memcpy(&peer, route->peer, route->peer_size);
    struct iovec part = {.iov_base = (void *)bytes, .iov_len = length};
    struct msghdr message = {
        .msg_name = &peer, .msg_namelen = route->peer_size, .msg_iov = &part, .msg_iovlen = 1
    };
    union control control;
    if (route->asked_size != 0)
        put_source(&message, &control, route);
    ssize_t sent;
    // An inet socket tells of what became of an earlier datagram, by ICMP, instead of sending this one: once.
    int told = peer.ss_family == AF_UNIX;
    do
        sent = sendmsg(descriptor, &message, flags);
    while (sent < 0 && (errno == EINTR || (errno == ECONNREFUSED && !told++)));
    return sent < 0 ? -errno : 0;
}

void csupervision_route_peer(const struct csupervision_route *route, struct csupervision_address *address) {
    struct sockaddr_storage peer;
    memset(&peer, 0, sizeof peer);
    memcpy(&peer, route->peer, route->peer_size);
    csupervision_address_put(address, &peer, (socklen_t)route->peer_size);
}

int csupervision_route_asked(
    const struct csupervision_route *route, int port, struct csupervision_address *address
) {
    struct sockaddr_storage asked;
    memset(&asked, 0, sizeof asked);
    if (route->asked_size == sizeof(struct in_addr)) {
        struct sockaddr_in *inet = (struct sockaddr_in *)&asked;
        inet->sin_family = AF_INET;
        inet->sin_port = htons((uint16_t)port);
        memcpy(&inet->sin_addr, route->asked, sizeof inet->sin_addr);
        csupervision_address_put(address, &asked, sizeof *inet);
        return 1;
    }
    if (route->asked_size == sizeof(struct in6_addr)) {
        struct sockaddr_in6 *inet6 = (struct sockaddr_in6 *)&asked;
        inet6->sin6_family = AF_INET6;
        inet6->sin6_port = htons((uint16_t)port);
        inet6->sin6_scope_id = route->interface;
        memcpy(&inet6->sin6_addr, route->asked, sizeof inet6->sin6_addr);
        csupervision_address_put(address, &asked, sizeof *inet6);
        return 1;
    }
    return 0;
}
