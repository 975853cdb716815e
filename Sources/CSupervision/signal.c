#define _GNU_SOURCE
#include "CSupervisionSignal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static int signal_pipe[2] = {-1, -1};

// Async-signal-safe: nothing but write, and errno as it was. A full pipe loses a signal that is there already.
static void note_signal(int signal) {
    int saved = errno;
    unsigned char byte = (unsigned char)signal;
    ssize_t written = write(signal_pipe[1], &byte, 1);
    (void)written;
    errno = saved;
}

int csupervision_signal_pipe(const int *signals, int count) {
    if (pipe(signal_pipe) != 0) return -errno;
    for (int end = 0; end < 2; end++) {
        fcntl(signal_pipe[end], F_SETFD, FD_CLOEXEC);
        fcntl(signal_pipe[end], F_SETFL, O_NONBLOCK);
    }
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = note_signal;
    action.sa_flags = SA_RESTART;
    sigemptyset(&action.sa_mask);
    for (int i = 0; i < count; i++) {
        if (sigaction(signals[i], &action, NULL) != 0) return -errno;
    }
    return signal_pipe[0];
}

void csupervision_ignore_sigpipe(void) { signal(SIGPIPE, SIG_IGN); }
