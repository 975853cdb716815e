#ifndef CSUPERVISION_SIGNAL_H
#define CSUPERVISION_SIGNAL_H

// Has these signals written, one byte each (the signal's number), into a pipe whose read end is returned;
// the negative errno on failure. The handlers are gone after exec, as every handler is. Once per process.
int csupervision_signal_pipe(const int *signals, int count);

// Ignores SIGPIPE, so that a write to a peer that has gone is an error and not the end of the process.
void csupervision_ignore_sigpipe(void);

#endif
