#define _GNU_SOURCE
#include "CSupervisionThread.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

struct start {
    void (*body)(void *);
    void *context;
    char name[16];
};

static void *run(void *argument) {
    struct start *given = argument;
    struct start start = *given;
    free(given);
#if defined(__linux__)
    pthread_setname_np(pthread_self(), start.name);
#elif defined(__APPLE__)
    pthread_setname_np(start.name);
#endif
    start.body(start.context);
    return NULL;
}

int csupervision_thread_start(
    struct csupervision_thread *thread, const char *name, void (*body)(void *), void *context
) {
    struct start *start = calloc(1, sizeof *start);
    if (start == NULL)
        return -ENOMEM;
    start->body = body;
    start->context = context;
    strncpy(start->name, name, sizeof start->name - 1);

    // Signals belong to the threads that the program set up for them.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failure = pthread_create(&thread->handle, NULL, run, start);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failure != 0)
        free(start);
    return -failure;
}

void csupervision_thread_join(struct csupervision_thread thread) {
    pthread_join(thread.handle, NULL);
}
