"""Has system calls of the process fail, really: the kernel asks here what becomes of those that give a descriptor.

Limits would do for descriptors (RLIMIT_NOFILE), were it not that libdispatch traps at them; for memory there are none
that the kernel does not answer with the end of the process.
"""

import array
import errno
import fcntl
import os
import platform
import random
import select
import socket
import struct
import threading

import launch

SECCOMP_IOCTL_NOTIF_RECV, SECCOMP_IOCTL_NOTIF_SEND = 0xC0502100, 0xC0182101
CONTINUE = 1


class Scarcity:
    """Decides about the calls of one process: nothing fails, unless something is scarce: "descriptors" or "memory"."""

    # Of memory there is enough for every other call.
    SHORT_OF_MEMORY = {
        "accept4": (errno.ENOMEM, errno.ENOBUFS, errno.ENFILE, errno.ECONNABORTED),
        "memfd_create": (errno.ENOMEM,),
    }

    def __init__(self, end, seed):
        self.chance = random.Random(seed)
        self.scarce = None
        self.failures = 0
        self.names = {number: name for name, number in launch.CALLS[platform.machine()].items()}
        _, rights, _, _ = end.recvmsg(1, socket.CMSG_SPACE(4), socket.MSG_CMSG_CLOEXEC)
        if not rights:
            raise OSError("the launcher gave no descriptor")
        self.descriptor = array.array("i", rights[0][2])[0]
        threading.Thread(target=self.decide, daemon=True).start()

    def error(self, call):
        error = 0
        if self.scarce == "descriptors":
            error = errno.EMFILE
        elif self.scarce == "memory" and call in self.SHORT_OF_MEMORY and self.chance.random() < 0.5:
            error = self.chance.choice(self.SHORT_OF_MEMORY[call])
        if error:
            self.failures += 1
        return error

    def decide(self):
        poll = select.poll()
        poll.register(self.descriptor, select.POLLIN)
        while True:
            if any(events & select.POLLHUP for _, events in poll.poll()):
                break  # the process has ended
            asked = bytearray(80)
            try:
                fcntl.ioctl(self.descriptor, SECCOMP_IOCTL_NOTIF_RECV, asked)
                identity, number = struct.unpack_from("Q", asked)[0], struct.unpack_from("i", asked, 16)[0]
                error = self.error(self.names[number])
                flags = 0 if error else CONTINUE
                answer = bytearray(struct.pack("QqiI", identity, 0, -error, flags))
                fcntl.ioctl(self.descriptor, SECCOMP_IOCTL_NOTIF_SEND, answer)
            except OSError as problem:
                # Who asked has gone, or was interrupted by a signal and asks anew.
                if problem.errno not in (errno.ENOENT, errno.EINTR):
                    raise
        os.close(self.descriptor)
