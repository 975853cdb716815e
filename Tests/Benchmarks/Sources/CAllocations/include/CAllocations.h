#ifndef C_ALLOCATIONS_H
#define C_ALLOCATIONS_H

/// How many times the process has asked for memory: malloc, realloc and the aligned ones, of all threads.
///
/// Zero where the C library is not glibc, whose functions are taken over.
long allocation_count(void);

#endif
