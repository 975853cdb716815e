#ifndef CSUPERVISION_RIGHTS_H
#define CSUPERVISION_RIGHTS_H

#include <stddef.h>

/// The most descriptors that one message carries: the kernel's SCM_MAX_FD.
#define CSUPERVISION_MOST_RIGHTS 253

/// Sends one message with descriptors (SCM_RIGHTS); never waits and raises no SIGPIPE.
///
/// Gives 0, or the negative errno; -E2BIG above CSUPERVISION_MOST_RIGHTS. The descriptors stay the caller's.
int csupervision_rights_send(
    int descriptor, const void *bytes, size_t length, const int *rights, size_t count
);

/// Takes one message and the descriptors that came with it, which are made close-on-exec; never waits.
///
/// `rights` has room for CSUPERVISION_MOST_RIGHTS. Gives the message's length, or the negative errno.
long csupervision_rights_receive(int descriptor, void *bytes, size_t capacity, int *rights, size_t *count);

#endif
