#ifndef CSUPERVISION_DATAGRAM_H
#define CSUPERVISION_DATAGRAM_H

#include "CSupervisionSocket.h"

#include <stddef.h>
#include <stdint.h>

/// Between whom a datagram went.
struct csupervision_route {
    /// The sender, as the kernel has it; of size 0 where it has no name.
    unsigned char peer[112];
    uint32_t peer_size;
    /// The address that was asked, in the bytes of the network: 4 of them, 16, or 0 where the kernel did not tell.
    unsigned char asked[16];
    uint32_t asked_size;
    /// The address to answer from, of as many bytes: not the one that was asked where that is many machines'.
    unsigned char source[16];
    uint32_t interface;
};

/// One datagram that was received.
struct csupervision_arrival {
    struct csupervision_route route;
    size_t length;
    int is_truncated;
};

/// Makes a datagram socket close-on-exec and non-blocking, and has the kernel tell the address that each datagram
/// was sent to (IP_PKTINFO, IPV6_RECVPKTINFO). Gives 0, or the negative errno.
int csupervision_datagram_prepare(int descriptor);

/// Has no more datagrams arrive; those that have can be received. Gives 0, or the negative errno: -EOPNOTSUPP where
/// the system cannot.
int csupervision_datagram_refuse(int descriptor);

/// Receives what is there: at most `count` datagrams, each to its own `size` bytes of `buffer`. What is longer is
/// cut. Gives how many, at least 1, or the negative errno.
int csupervision_datagram_receive(
    int descriptor, void *buffer, size_t size, int count, struct csupervision_arrival *arrivals
);

/// Sends one datagram back where another came from, from the address that was asked; never waits, no SIGPIPE.
/// Gives 0, or the negative errno; -EDESTADDRREQ where the sender has no name.
int csupervision_datagram_reply(
    int descriptor, const void *bytes, size_t length, const struct csupervision_route *route
);

/// The sender as text.
void csupervision_route_peer(const struct csupervision_route *route, struct csupervision_address *address);

/// The address that was asked as text, with a port. 1, or 0 where the kernel did not tell.
int csupervision_route_asked(
    const struct csupervision_route *route, int port, struct csupervision_address *address
);

#endif
