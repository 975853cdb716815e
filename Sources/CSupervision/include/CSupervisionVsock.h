#ifndef CSUPERVISION_VSOCK_H
#define CSUPERVISION_VSOCK_H

#include <stdint.h>

enum csupervision_vsock_type {
    /// The first of datagram, seqpacket and stream that the kernel offers.
    CSUPERVISION_VSOCK_ANY,
    CSUPERVISION_VSOCK_DATAGRAM,
    CSUPERVISION_VSOCK_SEQPACKET,
    CSUPERVISION_VSOCK_STREAM,
};

/// Opens a close-on-exec, non-blocking AF_VSOCK socket and begins to connect it, without waiting.
///
/// Replaces `type` by the one that was opened. Gives the descriptor, or the negative errno: -EAFNOSUPPORT
/// where the system has no AF_VSOCK.
int csupervision_vsock_connect(uint32_t context, uint32_t port, enum csupervision_vsock_type *type);

/// How an attempt to connect went, once the socket is writable: 0, or the negative errno.
int csupervision_connect_result(int descriptor);

#endif
