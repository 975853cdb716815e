"""Has system calls of the process fail for want of memory, really: the kernel asks here what becomes of them."""

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
    """Decides about the calls of one process: nothing fails, until it is told to."""

    def __init__(self, end, seed):
        self.chance = random.Random(seed)
        self.is_scarce = False
        self.failures = 0
        accept, memory, _ = launch.NUMBERS[platform.machine()]
        self.errors = {
            accept: (errno.ENOMEM, errno.ENOBUFS, errno.ENFILE, errno.ECONNABORTED),
            memory: (errno.ENOMEM,),
        }
        _, rights, _, _ = end.recvmsg(1, socket.CMSG_SPACE(4))
        if not rights:
            raise OSError("the launcher gave no descriptor")
        self.descriptor = array.array("i", rights[0][2])[0]
        threading.Thread(target=self.decide, daemon=True).start()

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
                error, flags = 0, CONTINUE
                if self.is_scarce and self.chance.random() < 0.5:
                    error, flags = -self.chance.choice(self.errors[number]), 0
                    self.failures += 1
                answer = bytearray(struct.pack("QqiI", identity, 0, error, flags))
                fcntl.ioctl(self.descriptor, SECCOMP_IOCTL_NOTIF_SEND, answer)
            except OSError as problem:
                # Who asked has gone, or was interrupted by a signal and asks anew.
                if problem.errno not in (errno.ENOENT, errno.EINTR):
                    raise
        os.close(self.descriptor)
