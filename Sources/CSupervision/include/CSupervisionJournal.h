#ifndef CSUPERVISION_JOURNAL_H
#define CSUPERVISION_JOURNAL_H

#include <stddef.h>

/// Puts bytes into a memory file and seals it: nobody can change or resize it any more.
///
/// Gives the descriptor, close-on-exec, or the negative errno; -ENOSYS where the system has no such files.
int csupervision_journal_seal(const void *bytes, size_t length);

/// Sends a datagram of one descriptor and no bytes; never waits and raises no SIGPIPE.
///
/// Gives 0, or the negative errno. The descriptor stays open here.
int csupervision_journal_send_descriptor(int socket, int descriptor);

#endif
