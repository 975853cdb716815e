#ifndef CSYSTEM_DESCRIPTOR_H
#define CSYSTEM_DESCRIPTOR_H

enum csystem_kind {
    CSYSTEM_KIND_NOT_OPEN,
    CSYSTEM_KIND_STREAM_LISTENER,
    CSYSTEM_KIND_SEQPACKET_LISTENER,
    CSYSTEM_KIND_DATAGRAM,
    CSYSTEM_KIND_CONNECTION,
    CSYSTEM_KIND_FIFO,
    CSYSTEM_KIND_FILE,
    CSYSTEM_KIND_DIRECTORY,
    CSYSTEM_KIND_MESSAGE_QUEUE,
    CSYSTEM_KIND_OTHER,
};

enum csystem_family {
    CSYSTEM_FAMILY_NONE,
    CSYSTEM_FAMILY_INET,
    CSYSTEM_FAMILY_INET6,
    CSYSTEM_FAMILY_UNIX,
    CSYSTEM_FAMILY_NETLINK,
    CSYSTEM_FAMILY_VSOCK,
    CSYSTEM_FAMILY_OTHER,
};

struct csystem_descriptor {
    enum csystem_kind kind;
    enum csystem_family family;
    /// The local address as text, `address_length` bytes; 0 where it has none.
    char address[160];
    int address_length;
};

/// Finds out what a descriptor is, without changing it.
struct csystem_descriptor csystem_descriptor_inspect(int descriptor);

#endif
