#ifndef CSUPERVISION_MEMORY_H
#define CSUPERVISION_MEMORY_H

#include <stddef.h>
#include <stdint.h>

enum csupervision_seal {
    CSUPERVISION_SEAL_SEAL = 1,
    CSUPERVISION_SEAL_SHRINK = 2,
    CSUPERVISION_SEAL_GROW = 4,
    CSUPERVISION_SEAL_WRITE = 8,
};

/// Makes a close-on-exec file in memory that holds `bytes`, and puts all four seals on it.
///
/// Gives the descriptor, or the negative errno: -EOPNOTSUPP where the system has no such files.
int csupervision_memory_create(const char *name, const void *bytes, size_t length);

/// Which seals a file has, and how long it is. Gives 0, or the negative errno: -EINVAL where the file cannot
/// have seals.
int csupervision_memory_inspect(int descriptor, unsigned *seals, uint64_t *length);

/// Reads from `offset` on, wherever the file's own offset is. Gives the length, 0 at the end, or the negative
/// errno.
long csupervision_memory_read(int descriptor, void *bytes, size_t capacity, uint64_t offset);

#endif
