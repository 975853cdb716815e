#!/usr/bin/env python3
"""launch.py PROGRAM DESCRIPTOR: becomes the program, as a manager would start it.

LISTEN_PID and WATCHDOG_PID name the process. Before, some of its system calls are given into the hands of whoever has the
other end of the socket DESCRIPTOR (seccomp_unotify(2)), so that they can fail when it is their turn.
"""

import array
import ctypes
import os
import platform
import socket
import struct
import sys

# The kernel's numbers: accept4 and memfd_create, and the architecture's own (AUDIT_ARCH_…).
NUMBERS = {"x86_64": (288, 319, 0xC000003E), "aarch64": (242, 279, 0xC00000B7)}
SECCOMP = {"x86_64": 317, "aarch64": 277}

PR_SET_NO_NEW_PRIVS = 38
SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER = 1, 8
ALLOW, USER_NOTIF = 0x7FFF0000, 0x7FC00000
LOAD, EQUAL, RETURN = 0x20, 0x15, 0x06


class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]


def give_away(calls, architecture):
    """The descriptor by which it is decided what becomes of those calls."""
    steps = [(LOAD, 0, 0, 4), (EQUAL, 1, 0, architecture), (RETURN, 0, 0, ALLOW), (LOAD, 0, 0, 0)]
    for index, number in enumerate(calls):
        steps.append((EQUAL, len(calls) - index, 0, number))
    steps += [(RETURN, 0, 0, ALLOW), (RETURN, 0, 0, USER_NOTIF)]
    text = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
    program = Program(len(steps), ctypes.cast(text, ctypes.c_void_p))
    library = ctypes.CDLL(None, use_errno=True)
    if library.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "PR_SET_NO_NEW_PRIVS")
    descriptor = library.syscall(
        SECCOMP[platform.machine()],
        SECCOMP_SET_MODE_FILTER,
        SECCOMP_FILTER_FLAG_NEW_LISTENER,
        ctypes.byref(program),
    )
    if descriptor < 0:
        raise OSError(ctypes.get_errno(), "seccomp")
    return descriptor


def main():
    *calls, architecture = NUMBERS[platform.machine()]
    with socket.socket(fileno=int(sys.argv[2])) as other:
        descriptor = give_away(calls, architecture)
        other.sendmsg([b"."], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [descriptor]))])
        os.close(descriptor)
    os.environ["LISTEN_PID"] = os.environ["WATCHDOG_PID"] = str(os.getpid())
    os.execv(sys.argv[1], [sys.argv[1]])


if __name__ == "__main__":
    main()
