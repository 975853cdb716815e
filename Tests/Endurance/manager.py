"""Stands in for the service manager: sockets, the notify socket, the store of descriptors, the watchdog.

Not systemd itself, so that it can do what a systemd seldom does: go away, come back, and not listen.
"""

import array
import fcntl
import os
import pathlib
import select
import signal
import socket
import struct
import sys
import threading
import time

import scarcity

LAUNCHER = pathlib.Path(__file__).with_name("launch.py")

DEADLINE = 120  # seconds for what the process must do; no run that passes waits for this


class Failure(Exception):
    """The process did what it must not, or did not what it must."""


class Message:
    """What the process told."""

    def __init__(self, process, text, descriptors):
        self.time = time.monotonic()
        self.process = process
        self.fields = dict(line.split("=", 1) for line in text.split("\n") if "=" in line)
        self.descriptors = descriptors

    def __getitem__(self, name):
        return self.fields.get(name)


class Life:
    """One process of the service."""

    def __init__(self, process, number):
        self.process, self.number = process, number
        self.began = time.monotonic()
        self.asked = self.ended = None
        self.messages = []
        self.status = None
        # Whether all that it said was heard, in time.
        self.is_heard = True
        self.pidfd = os.pidfd_open(process)

    def signal(self, number):
        os.kill(self.process, number)

    def wait(self):
        """Until the process has ended."""
        if not select.select([self.pidfd], [], [], DEADLINE)[0]:
            self.signal(signal.SIGABRT)
            os.waitpid(self.process, 0)
            raise Failure(f"process {self.number} did not end within {DEADLINE} s of SIGTERM")
        self.ended = time.monotonic()
        self.status = os.waitstatus_to_exitcode(os.waitpid(self.process, 0)[1])
        os.close(self.pidfd)


class Manager:
    """The manager of one service."""

    def __init__(self, folder, watchdog, room=16):
        self.path = pathlib.Path(folder, "notify")
        self.watchdog, self.room = watchdog, room
        self.sockets = {}
        self.store = []  # names and descriptors
        self.lives = []
        self.deafness = []  # when nobody read: begin, end, life
        self.problems = []
        self.news = threading.Condition()
        self.inbox = None
        self.reading = threading.Event()
        self.come_back()
        threading.Thread(target=self.read, daemon=True).start()

    # The socket that the process tells things to.

    def go_away(self):
        self.reading.clear()
        self.path.unlink()
        with self.news:
            self.inbox.close()
            self.inbox = None
            self.became_deaf()

    def come_back(self):
        with self.news:
            self.inbox = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            self.inbox.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
            self.inbox.setblocking(False)
            self.path.unlink(missing_ok=True)
            self.inbox.bind(str(self.path))
            if self.deafness:
                self.deafness[-1][1] = time.monotonic()
        self.reading.set()

    def stop_reading(self):
        self.reading.clear()
        with self.news:
            self.became_deaf()
        # How many messages may wait is the machine's affair (net.unix.max_dgram_qlen): none has room now.
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as filler:
            filler.setblocking(False)
            try:
                while True:
                    filler.sendto(b"X_FILLER=1", str(self.path))
            except BlockingIOError:
                pass

    def go_on_reading(self):
        with self.news:
            self.deafness[-1][1] = time.monotonic()
        self.reading.set()

    def became_deaf(self):
        self.deafness.append([time.monotonic(), None])

    def read(self):
        while True:
            self.reading.wait()
            with self.news:
                inbox = self.inbox
                if self.reading.is_set():
                    self.take_all()
                self.news.notify_all()
            try:
                select.select([inbox] if inbox else [], [], [], 0.05)
            except (OSError, ValueError):
                pass  # closed meanwhile

    def take_all(self):
        while self.inbox:
            try:
                # At most what the manager reads of a message.
                text, rights, _, _ = self.inbox.recvmsg(
                    4096, socket.CMSG_SPACE(768 * 4) + socket.CMSG_SPACE(12), socket.MSG_CMSG_CLOEXEC
                )
            except BlockingIOError:
                return
            self.take(text, rights)

    def take(self, text, rights):
        descriptors, sender = array.array("i"), None
        for level, kind, data in rights:
            if kind == socket.SCM_RIGHTS:
                descriptors.frombytes(data)
            elif kind == socket.SCM_CREDENTIALS:
                sender = struct.unpack("3i", data)[0]
        if sender == os.getpid():
            return
        life = next((life for life in reversed(self.lives) if life.process == sender), None)
        if life is None:
            self.problems.append(f"a message from process {sender}, which is none of the service's: {text!r}")
            return
        message = Message(sender, text.decode(), len(descriptors))
        life.messages.append(message)
        if message["FDSTORE"] == "1" and len(self.store) + len(descriptors) <= self.room:
            name = message["FDNAME"] or "stored"
            self.store += [(name, descriptor) for descriptor in descriptors]
            descriptors = []
        elif message["FDSTOREREMOVE"] == "1":
            for name, descriptor in self.store:
                if name == message["FDNAME"]:
                    os.close(descriptor)
            self.store = [(name, descriptor) for name, descriptor in self.store if name != message["FDNAME"]]
        elif message["FDSTORE"] == "1":
            self.problems.append(f"the store is full: {[name for name, _ in self.store]}")
        # Closing it is the answer to a barrier too.
        for descriptor in descriptors:
            os.close(descriptor)

    def wait(self, what, condition):
        """Until a condition holds, which is looked at after each message."""
        life = self.lives[-1]
        with self.news:
            if not self.news.wait_for(lambda: condition() or self.has_ended(life), DEADLINE):
                raise Failure(f"within {DEADLINE} s the process did not {what}")
            if self.reading.is_set():
                self.take_all()
            if not condition():
                raise Failure(f"process {life.number} ended, and did not {what}")

    def is_stored(self, name):
        return any(stored == name for stored, _ in self.store)

    # The process.

    def start(self, program, environment, stderr):
        """Starts the process, with the sockets and what is stored. Returns when it is ready."""
        with self.news:
            # What the process before has told to the last.
            self.take_all()
            expected = [os.pread(descriptor, 1, 0)[0] + 1 for name, descriptor in self.store if name == "lives"]
            passed = [(name, each.fileno()) for name, each in self.sockets.items()] + self.store
            variables = {
                **environment,
                "NOTIFY_SOCKET": str(self.path),
                "FDSTORE": str(self.room),
                "LISTEN_FDS": str(len(passed)),
                "LISTEN_FDNAMES": ":".join(name for name, _ in passed),
                "WATCHDOG_USEC": str(int(self.watchdog * 1e6)),
            }
            actions = [
                (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
                (os.POSIX_SPAWN_DUP2, stderr.fileno(), 1),
                (os.POSIX_SPAWN_DUP2, stderr.fileno(), 2),
            ]
            mine, theirs = socket.socketpair()
            # Copies out of the way of the numbers that are to be theirs.
            copies = [fcntl.fcntl(each, fcntl.F_DUPFD_CLOEXEC, 200) for each in (*(d for _, d in passed), theirs)]
            actions += [(os.POSIX_SPAWN_DUP2, descriptor, 3 + index) for index, descriptor in enumerate(copies)]
            process = os.posix_spawn(
                sys.executable,
                [sys.executable, str(LAUNCHER), str(program), str(3 + len(passed))],
                variables,
                file_actions=actions,
            )
            for descriptor in copies:
                os.close(descriptor)
            theirs.close()
            life = Life(process, len(self.lives) + 1)
            # The how manyth it is, by what the store tells it.
            life.expected = min(255, expected[0] if expected else 1)
            self.lives.append(life)
            with mine:
                life.scarcity = scarcity.Scarcity(mine, process)
        self.wait("become ready", lambda: any(message["READY"] for message in life.messages))
        return life

    def has_ended(self, life):
        return life.ended is not None or bool(select.select([life.pidfd], [], [], 0)[0])

    def stop(self, life):
        """Has the process stop, and looks at how it did."""
        life.asked = time.monotonic()
        life.signal(signal.SIGTERM)
        life.wait()
        if life.status != 0:
            self.problems.append(f"process {life.number} ended with status {life.status}")
