#!/usr/bin/env python3
"""launch.py PROGRAM DESCRIPTOR: becomes the program, as a manager would start it.

LISTEN_PID and WATCHDOG_PID name the process. Before, some of its system calls are given into the hands of whoever has the
other end of the socket DESCRIPTOR (seccomp_unotify(2)), so that they can fail when it is their turn.
"""

import array
import ctypes
import fcntl
import os
import platform
import signal
import socket
import struct
import sys

# The kernel's numbers of what gives a descriptor. Not open(2): libdispatch, on which Swift's own pool stands, looks at its
# threads in /proc, and traps where it cannot.
CALLS = {
    "x86_64": {"accept4": 288, "memfd_create": 319, "pipe2": 293, "fcntl": 72},
    "aarch64": {"accept4": 242, "memfd_create": 279, "pipe2": 59, "fcntl": 25},
}
ARCHITECTURE = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}  # AUDIT_ARCH_…
SECCOMP = {"x86_64": 317, "aarch64": 277}

# Where struct seccomp_data has them: the number of the call, the architecture, the lower half of the second argument.
NUMBER_AT, ARCHITECTURE_AT, COMMAND_AT = 0, 4, 24

PR_SET_PDEATHSIG, PR_SET_NO_NEW_PRIVS = 1, 38
SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER = 1, 8
ALLOW, USER_NOTIF = 0x7FFF0000, 0x7FC00000
LOAD, EQUAL, RETURN = 0x20, 0x15, 0x06


class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]


def rules(machine):
    """The filter: every call is allowed at once but those, of which fcntl(2) only where it duplicates."""
    calls = dict(CALLS[machine])
    control = calls.pop("fcntl")
    steps = [(LOAD, 0, 0, ARCHITECTURE_AT), (EQUAL, 1, 0, ARCHITECTURE[machine]), (RETURN, 0, 0, ALLOW)]
    steps.append((LOAD, 0, 0, NUMBER_AT))
    ask = len(steps) + len(calls) + 5  # where the last step is
    for number in calls.values():
        steps.append((EQUAL, ask - len(steps) - 1, 0, number))
    steps += [(EQUAL, 0, 3, control), (LOAD, 0, 0, COMMAND_AT)]
    for command in (fcntl.F_DUPFD, fcntl.F_DUPFD_CLOEXEC):
        steps.append((EQUAL, ask - len(steps) - 1, 0, command))
    return [*steps, (RETURN, 0, 0, ALLOW), (RETURN, 0, 0, USER_NOTIF)]


def give_away(machine):
    """The descriptor by which it is decided what becomes of those calls."""
    steps = rules(machine)
    text = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
    program = Program(len(steps), ctypes.cast(text, ctypes.c_void_p))
    library = ctypes.CDLL(None, use_errno=True)
    if library.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "PR_SET_NO_NEW_PRIVS")
    descriptor = library.syscall(
        SECCOMP[machine],
        SECCOMP_SET_MODE_FILTER,
        SECCOMP_FILTER_FLAG_NEW_LISTENER,
        ctypes.byref(program),
    )
    if descriptor < 0:
        raise OSError(ctypes.get_errno(), "seccomp")
    return descriptor


def main():
    with socket.socket(fileno=int(sys.argv[2])) as other:
        descriptor = give_away(platform.machine())
        other.sendmsg([b"."], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [descriptor]))])
        os.close(descriptor)
    # Not to outlive the run, should that be killed.
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    os.environ["LISTEN_PID"] = os.environ["WATCHDOG_PID"] = str(os.getpid())
    os.execv(sys.argv[1], [sys.argv[1]])


if __name__ == "__main__":
    main()
