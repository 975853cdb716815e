#ifndef CSUPERVISION_PROCESS_H
#define CSUPERVISION_PROCESS_H

#include <stdint.h>

/// The inode of this process's pidfd: unique for as long as the system is up, unlike a pid.
///
/// Gives 0, or the negative errno: -EOPNOTSUPP where the kernel has no pidfs (Linux before 6.9).
int csupervision_own_pidfd_inode(uint64_t *inode);

/// The process's environment: `NAME=value` strings, ended by NULL. Valid until somebody changes it.
char *const *csupervision_environment(void);

#endif
