#ifndef CSYSTEM_LOCK_H
#define CSYSTEM_LOCK_H

#include <pthread.h>

/// A mutex with an address of its own, for it must not move. NULL when there is no memory.
pthread_mutex_t *csystem_lock_create(void);

/// Frees a mutex that nobody holds.
void csystem_lock_destroy(pthread_mutex_t *lock);

#endif
