#ifndef CSUPERVISION_SOCKET_H
#define CSUPERVISION_SOCKET_H

#include "CSupervisionDescriptor.h"

#include <stddef.h>
#include <stdint.h>

/// One end of a socket, as text.
struct csupervision_address {
    enum csupervision_family family;
    /// The number that the system has for the family.
    int raw_family;
    /// The port of an inet address, in the order of the host.
    int port;
    /// The host or the path, `length` bytes; "@" stands for the NUL of an abstract name.
    char text[160];
    int length;
};

/// What a socket carries.
enum csupervision_socket_type {
    CSUPERVISION_SOCKET_STREAM,
    CSUPERVISION_SOCKET_DATAGRAM,
    CSUPERVISION_SOCKET_SEQPACKET,
};

/// Which file a path names: what tells whether it is still the one we made.
struct csupervision_file_identity {
    uint64_t device;
    uint64_t inode;
};

/// 1 where `host` is an IPv4 or IPv6 address (with or without a %scope), else 0. Asks no resolver.
int csupervision_host_is_numeric(const char *host);

/// Binds a TCP socket and listens, or a UDP one: close-on-exec, non-blocking, SO_REUSEADDR where it listens.
///
/// Without `host` on every address: one IPv6 socket for both families, or an IPv4 one where there is no IPv6.
/// Gives the descriptor, or the negative errno with the name of the call in `step`.
int csupervision_socket_bind_inet(
    enum csupervision_socket_type type, const char *host, int port, int backlog, const char **step
);

/// Binds an AF_UNIX socket, and listens unless it is for datagrams. `address` is the content of sun_path, `length`
/// bytes without a NUL at the end; a NUL at the start makes it an abstract name. -ENAMETOOLONG where it does not fit.
int csupervision_socket_bind_unix(
    enum csupervision_socket_type type, const char *address, size_t length, int backlog, const char **step
);

/// Tries whether anybody listens on the path: 0 where the kernel refuses, so nobody does; -EADDRINUSE where
/// somebody does or it cannot be told; -ENOTSOCK where the path is something other than a socket.
int csupervision_unix_path_is_stale(const char *path);

/// Keeps the file of a socket from being forgotten: while the descriptor is open, no other file gets its inode.
/// Gives the descriptor, or the negative errno; -EOPNOTSUPP where the system cannot (it has no O_PATH).
int csupervision_unix_path_pin(const char *path);

/// Finds out which socket file a path names. Gives 0, or the negative errno.
int csupervision_unix_path_identity(const char *path, struct csupervision_file_identity *identity);

/// Makes a descriptor close-on-exec and non-blocking. Gives 0, or the negative errno.
int csupervision_socket_prepare(int descriptor);

/// The address that the socket is bound to.
void csupervision_socket_local_address(int descriptor, struct csupervision_address *address);

/// The address that the kernel would tell of a socket bound to a host and port. 1, or 0 where `host` is no address.
int csupervision_host_address(const char *host, int port, struct csupervision_address *address);

/// 1 where an IPv6 socket takes IPv4 connections too, else 0.
int csupervision_socket_is_dual(int descriptor);

/// The address of the other end. Gives 0, or the negative errno; -ENOTCONN where there is none.
int csupervision_socket_peer_address(int descriptor, struct csupervision_address *address);

/// Accepts one connection: close-on-exec, non-blocking, TCP_NODELAY, no SIGPIPE.
///
/// Gives the descriptor, or the negative errno.
int csupervision_socket_accept(int listener, struct csupervision_address *peer);

/// Reads what is there. Gives the length, 0 at the end, or the negative errno.
long csupervision_socket_read(int descriptor, void *bytes, size_t capacity);

/// 1 where a socket is one of sequential packets, else 0.
int csupervision_socket_is_seqpacket(int descriptor);

/// Reads one record of a socket of sequential packets. Gives its length, 0 with `is_end` where there will be none,
/// or the negative errno; -EMSGSIZE where it is longer, and lost.
long csupervision_socket_read_record(int descriptor, void *bytes, size_t capacity, int *is_end);

/// Writes what fits, without SIGPIPE. Gives the length, or the negative errno.
long csupervision_socket_write(int descriptor, const void *bytes, size_t length);

/// Ends one direction: reading (SHUT_RD) or writing (SHUT_WR).
void csupervision_socket_shutdown(int descriptor, int writing);

/// Waits until one of two descriptors is readable (or in error), for at most `milliseconds`; -1 is for ever.
/// A descriptor below 0 is left out. Gives 1 for the first and 2 for the second, added up; 0 at the end of the
/// time, and when a signal interrupts it.
int csupervision_poll_readable(int first, int second, int milliseconds);

/// Copies a descriptor, close-on-exec. Gives the copy, or the negative errno.
int csupervision_descriptor_duplicate(int descriptor);

/// What an errno means, in words.
void csupervision_error_text(int error, char *text, size_t capacity);

#endif
