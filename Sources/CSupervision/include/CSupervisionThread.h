#ifndef CSUPERVISION_THREAD_H
#define CSUPERVISION_THREAD_H

#include <pthread.h>

/// A thread of our own, outside every pool; to be joined once.
struct csupervision_thread {
    pthread_t handle;
};

/// Starts a thread with all signals blocked. `name` is at most 15 bytes.
///
/// Gives 0, or the negative errno; then `body` does not run.
int csupervision_thread_start(
    struct csupervision_thread *thread, const char *name, void (*body)(void *), void *context
);

/// Waits until the thread's body has returned.
void csupervision_thread_join(struct csupervision_thread thread);

#endif
