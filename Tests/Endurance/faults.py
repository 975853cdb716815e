"""What is done to the service while it runs, each for some seconds, and what must be true when it is over."""

import signal
import time

import load


class Faults:
    """The faults of one life of the process."""

    def __init__(self, manager, life, listeners):
        self.manager, self.life, self.listeners = manager, life, listeners

    def __iter__(self):
        return iter(
            (
                self.reloads, self.manager_gone, self.manager_deaf, self.no_descriptors, self.no_memory, self.frozen,
                self.quiet,
            )
        )  # fmt: skip

    def answers(self):
        """A request on a new connection is answered now."""
        for listener, port in self.listeners.items():
            connection = load.Connection(port, listener == "https")
            try:
                if connection.get("/", close=True)[:2] != (200, load.ANSWERS["/"][200]):
                    raise load.Lost(f"{listener} gave another answer")
            finally:
                connection.close()

    def quiet(self, seconds):
        time.sleep(seconds)

    def reloads(self, seconds):
        """SIGHUP, several times: each is followed by a reload that began after it, and by its end."""
        for _ in range(3):
            before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
            heard = len(self.life.messages)
            self.life.signal(signal.SIGHUP)

            def is_reloaded():
                messages = self.life.messages[heard:]
                for index, message in enumerate(messages):
                    # MONOTONIC_USEC: one from before the signal the manager would not take for an answer to it.
                    if message["RELOADING"] and int(message["MONOTONIC_USEC"]) >= before:
                        return any(later["READY"] for later in messages[index:])
                return False

            self.manager.wait("reload after SIGHUP", is_reloaded)
            time.sleep(seconds / 3)

    def manager_gone(self, seconds):
        """The manager's socket is gone, and there again: the process speaks to the new one."""
        self.manager.go_away()
        try:
            time.sleep(seconds)
        finally:
            self.manager.come_back()
        self.is_heard_again()

    def manager_deaf(self, seconds):
        """The manager does not read: what is told waits, and nothing else does."""
        self.manager.stop_reading()
        try:
            time.sleep(seconds)
            self.answers()
        finally:
            self.manager.go_on_reading()
        self.is_heard_again()

    def is_heard_again(self):
        heard = len(self.life.messages)
        stored = lambda: any(message["FDSTORE"] for message in self.life.messages[heard:])  # noqa: E731
        self.manager.wait("store its state again", stored)

    def no_descriptors(self, seconds):
        """No descriptor is to be had (EMFILE), neither for a connection nor for a duplicate, a pipe or memory."""
        self.scarce("descriptors", seconds)

    def no_memory(self, seconds):
        """Every other accept4 and memfd_create fails for want of memory, or of what the kernel has too little of."""
        self.scarce("memory", seconds)

    def scarce(self, what, seconds):
        self.life.scarcity.scarce = what
        try:
            time.sleep(seconds)
        finally:
            self.life.scarcity.scarce = None
        self.answers()

    def frozen(self, seconds):
        """The machine has other things to do."""
        self.life.signal(signal.SIGSTOP)
        self.manager.became_deaf()
        try:
            time.sleep(min(seconds, 2))
        finally:
            self.life.signal(signal.SIGCONT)
            self.manager.deafness[-1][1] = time.monotonic()
        self.answers()
