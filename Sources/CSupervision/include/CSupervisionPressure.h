#ifndef CSUPERVISION_PRESSURE_H
#define CSUPERVISION_PRESSURE_H

/// Connects to an AF_UNIX stream socket behind a path: close-on-exec, non-blocking, never waiting.
///
/// Gives the descriptor, or the negative errno: -ENAMETOOLONG where the path does not fit, -EAGAIN where too
/// many wait to be accepted.
int csupervision_pressure_connect(const char *path);

/// Opens a regular file or a FIFO, close-on-exec and without waiting. Gives the descriptor, or the negative errno.
int csupervision_pressure_open(const char *path, int for_writing);

#endif
