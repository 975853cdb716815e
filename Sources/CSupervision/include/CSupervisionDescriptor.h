#ifndef CSUPERVISION_DESCRIPTOR_H
#define CSUPERVISION_DESCRIPTOR_H

enum csupervision_kind {
    CSUPERVISION_KIND_NOT_OPEN,
    CSUPERVISION_KIND_STREAM_LISTENER,
    CSUPERVISION_KIND_SEQPACKET_LISTENER,
    CSUPERVISION_KIND_DATAGRAM,
    CSUPERVISION_KIND_CONNECTION,
    CSUPERVISION_KIND_FIFO,
    CSUPERVISION_KIND_FILE,
    CSUPERVISION_KIND_DIRECTORY,
    CSUPERVISION_KIND_MESSAGE_QUEUE,
    CSUPERVISION_KIND_OTHER,
};

enum csupervision_family {
    CSUPERVISION_FAMILY_NONE,
    CSUPERVISION_FAMILY_INET,
    CSUPERVISION_FAMILY_INET6,
    CSUPERVISION_FAMILY_UNIX,
    CSUPERVISION_FAMILY_NETLINK,
    CSUPERVISION_FAMILY_VSOCK,
    CSUPERVISION_FAMILY_OTHER,
};

struct csupervision_descriptor {
    enum csupervision_kind kind;
    enum csupervision_family family;
    /// The local address as text, `address_length` bytes; 0 where it has none.
    char address[160];
    int address_length;
};

/// Finds out what a descriptor is, without changing it.
struct csupervision_descriptor csupervision_descriptor_inspect(int descriptor);

#endif
