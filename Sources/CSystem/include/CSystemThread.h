#ifndef CSYSTEM_THREAD_H
#define CSYSTEM_THREAD_H

#include <pthread.h>

/// A thread of our own, outside every pool; to be joined once.
struct csystem_thread {
    pthread_t handle;
};

/// Starts a thread with all signals blocked. `name` is at most 15 bytes.
///
/// Gives 0, or the negative errno; then `body` does not run.
int csystem_thread_start(
    struct csystem_thread *thread, const char *name, void (*body)(void *), void *context
);

/// Waits until the thread's body has returned.
void csystem_thread_join(struct csystem_thread thread);

#endif
