#ifndef CSUPERVISION_NOTIFY_H
#define CSUPERVISION_NOTIFY_H

#include <stddef.h>

/// Opens a close-on-exec AF_UNIX datagram socket and connects it.
///
/// `address` is the content of sun_path, `length` bytes long: a path without its NUL, or a NUL
/// followed by an abstract name. Gives the descriptor, or the negative errno.
int csupervision_notify_connect(const unsigned char *address, size_t length);

/// The same socket, bound instead of connected: the manager's end.
int csupervision_notify_bind(const unsigned char *address, size_t length);

/// Sends one datagram; never waits and raises no SIGPIPE. Gives 0, or the negative errno.
int csupervision_notify_send(int descriptor, const void *bytes, size_t length);

/// Takes one datagram; never waits. Gives its length, or the negative errno.
long csupervision_notify_receive(int descriptor, void *bytes, size_t capacity);

/// Opens a close-on-exec, non-blocking pipe that wakes a polling thread. Gives 0, or the negative errno.
int csupervision_wake_open(int *read_end, int *write_end);

#endif
