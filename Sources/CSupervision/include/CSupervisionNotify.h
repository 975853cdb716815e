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

/// Opens a close-on-exec, non-blocking pipe that wakes a polling thread. Gives 0, or the negative errno.
int csupervision_wake_open(int *read_end, int *write_end);

#endif
