"""What the checks share: a unit under the manager, what the manager is told of it, and a client for its port."""

import functools
import json
import os
import pathlib
import re
import select
import signal
import socket
import subprocess
import time
import unittest

PATIENCE = 60  # seconds; no check that passes waits for this

UNITS = pathlib.Path("/run/systemd/system")
HELLO = "/opt/hello/bin/hello"
FIXTURE = "/opt/fixture/bin/fixture"


def attempt(*arguments):
    return subprocess.run(
        arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=PATIENCE
    )


def run(*arguments):
    """The standard output of a command that must succeed."""
    done = attempt(*arguments)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(arguments)}: status {done.returncode}\n{done.stdout}")
    return done.stdout


@functools.cache
def version():
    """The number of the manager's release, such as 252."""
    return int(re.match(r"systemd (\d+)", run("systemctl", "--version"))[1])


class Check(unittest.TestCase):
    """A test that leaves the manager as it found it."""

    longMessage = True

    def install(self, name, text):
        """Adds a unit, or with NAME.d/x.conf a drop-in, until the end of the test."""
        path = UNITS / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        self.addCleanup(run, "systemctl", "daemon-reload")
        self.addCleanup(path.unlink)
        run("systemctl", "daemon-reload")

    def service(self, name, text=None):
        """The service of that name, made from the text where there is one, and stopped after the test."""
        if text is not None:
            self.install(f"{name}.service", text)
        service = Service(name)
        self.addCleanup(service.clean_up)
        return service

    def hello(self, *directives):
        """The service of Units/hello.service, with its socket listening, and directives of the test's own."""
        if directives:
            self.install("hello.service.d/check.conf", "\n".join(("[Service]", *directives, "")))
        service = self.service("hello")
        run("systemctl", "start", "hello.socket")
        return service

    def fixture(self, mode, *directives):
        """Tests/Fixture, going wrong in that way."""
        return self.service(
            "fixture",
            "\n".join(
                (
                    *("[Service]", "Type=notify", f"ExecStart={FIXTURE} {mode}", "DynamicUser=yes"),
                    *("LimitCORE=0", "Environment=SWIFT_BACKTRACE=enable=no", *directives, ""),
                )
            ),
        )

    def keep_loaded(self, service):
        """Has another unit name it: one that nobody names may be unloaded as soon as it is inactive, store and all."""
        self.install("basic.target.d/check.conf", f"[Unit]\nWants={service.unit}\n")

    def plain(self, *command, **variables):
        """A process that the manager knows nothing of, ended after the test."""
        plain = Plain(command, variables)
        self.addCleanup(plain.close)
        return plain

    def client(self, *arguments):
        client = Client(*arguments)
        self.addCleanup(client.close)
        return client

    def watch(self, service):
        watch = Watch(service)
        self.addCleanup(watch.close)
        return watch


class Service:
    """A unit, and its process."""

    def __init__(self, name):
        self.name = name
        self.unit = f"{name}.service"

    def start(self):
        run("systemctl", "start", self.unit)

    def stop(self):
        run("systemctl", "stop", self.unit)

    def restart(self):
        run("systemctl", "restart", self.unit)

    def begin(self, verb):
        """Starts `systemctl VERB`, without waiting for its end."""
        return Job("systemctl", verb, self.unit)

    def signal(self, name):
        run("systemctl", "kill", "--kill-whom=main", f"--signal={name}", self.unit)

    def show(self, name):
        return run("systemctl", "show", "--value", "--property", name, self.unit).strip()

    @property
    def program(self):
        """The name of its program, under which the journal has its lines."""
        return os.path.basename(re.match(r"{ path=(\S+) ;", self.show("ExecStart"))[1])

    @property
    def state(self):
        return self.show("ActiveState"), self.show("SubState")

    @property
    def status(self):
        """What a person sees; its exit status tells the unit's state, and is of no interest here."""
        return attempt("systemctl", "status", "--full", "--lines=0", self.unit).stdout

    @property
    def process(self):
        return int(self.show("MainPID"))

    def freeze(self):
        """SIGSTOP for the main process; returns when each of its threads has stopped."""
        process = self.process
        os.kill(process, signal.SIGSTOP)
        states = [task / "stat" for task in pathlib.Path(f"/proc/{process}/task").iterdir()]
        while any(state.read_text().rpartition(") ")[2][0] != "T" for state in states):
            time.sleep(0)  # it is a matter of microseconds, and nothing tells

    @property
    def is_remembered(self):
        """Whether it has been loaded since it ran: at times (systemd 262) a unit that has just stopped is loaded anew,
        whatever names it, and what was stored for it is gone."""
        return self.show("InvocationID") != ""

    def kill(self):
        """SIGKILL for the main process; returns when it is gone."""
        main = os.pidfd_open(self.process)
        signal.pidfd_send_signal(main, signal.SIGKILL)
        select.select([main], [], [], PATIENCE)
        os.close(main)

    def reset_failed(self):
        """Has the manager forget failures, and how often it started the unit lately."""
        run("systemctl", "reset-failed", self.unit)

    def clean_up(self):
        sockets = self.show("TriggeredBy").split()
        run("systemctl", "stop", *sockets, self.unit)
        attempt("systemctl", "reset-failed", *sockets, self.unit)


class Job:
    """A command under way."""

    def __init__(self, *arguments):
        self.began = time.monotonic()
        self.process = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    @property
    def is_over(self):
        return self.process.poll() is not None

    def finish(self):
        """Waits for its end, which must be a good one; returns how long all of it took, in seconds."""
        output, _ = self.process.communicate(timeout=PATIENCE)
        if self.process.returncode != 0:
            raise AssertionError(f"{' '.join(self.process.args)}: status {self.process.returncode}\n{output}")
        return time.monotonic() - self.began


class Plain:
    """A process without a manager, and what it writes to standard error."""

    def __init__(self, command, variables):
        self.process = subprocess.Popen(command, env={**os.environ, **variables}, stderr=subprocess.PIPE)
        self.said = b""

    def line(self, pattern):
        """Waits for a line like that, from now or before."""
        while not re.search(pattern, self.said.decode(), re.MULTILINE):
            ready, _, _ = select.select([self.process.stderr], [], [], PATIENCE)
            block = os.read(self.process.stderr.fileno(), 1 << 16) if ready else b""
            if not block:
                raise AssertionError(f"no \"{pattern}\" in\n{self.said.decode()}")
            self.said += block

    def signal(self, name):
        self.process.send_signal(signal.Signals[f"SIG{name}"])

    def wait(self):
        """Waits for its end; returns its exit status, or the signal's number as a negative."""
        return self.process.wait(PATIENCE)

    def close(self):
        self.process.kill()
        self.process.wait()
        self.process.stderr.close()


@functools.cache
def have_the_manager_tell_all():
    run("systemctl", "log-level", "debug")


class Watch:
    """What the manager is told of a unit and makes of it: `READY=1`, `start -> running`; and what the unit says.

    The manager writes each message and each change of state to its debug log, in order, and the journal keeps
    every line: nothing is missed that lasts too short a while to be seen by asking.
    """

    def __init__(self, service):
        have_the_manager_tell_all()
        run("journalctl", "--sync")
        self.last = json.loads(run("journalctl", "--lines=1", "--output=json", "--quiet"))["__CURSOR"]
        self.unit = service.unit
        self.manager = []  # (seconds on the monotonic clock, text)
        self.service = []
        self.next = 0  # in manager
        self.rest = b""
        # Not --unit: 252 takes the first lines of a process for the manager's own, whose cgroup it starts in.
        self.follower = subprocess.Popen(
            [
                *("journalctl", "--follow", "--no-tail", "--output=json", "--quiet"),
                # Not --after-cursor: where the last is none of these, 252 takes the first of these for it.
                f"--cursor={self.last}",
                *("_PID=1", f"UNIT={service.unit}", "+", "_TRANSPORT=stdout", f"SYSLOG_IDENTIFIER={service.program}"),
            ],
            stdout=subprocess.PIPE,
        )

    def close(self):
        self.follower.kill()
        self.follower.wait()
        self.follower.stdout.close()

    def until(self, text):
        """Waits for a message or a change of state, after the one waited for before; returns its time."""
        return self.match(re.escape(text) + "$")

    def match(self, pattern):
        """Waits for one that begins like that, as above."""
        end = time.monotonic() + PATIENCE
        while True:
            while self.next < len(self.manager):
                moment, found = self.manager[self.next]
                self.next += 1
                if re.match(pattern, found):
                    return moment
            self.read(pattern, end)

    def line(self, pattern):
        """Waits for a line that the service wrote since the watch began; returns it."""
        end = time.monotonic() + PATIENCE
        while True:
            for _, found in self.service:
                if re.search(pattern, found):
                    return found
            self.read(pattern, end)

    def sequence(self, *kinds):
        """The messages of these kinds so far (`STATUS`), and changes of state where `->` is one of them."""
        return [
            text
            for _, text in self.manager
            if text.split("=")[0] in kinds or ("->" in kinds and " -> " in text)
        ]

    def read(self, awaited, end):
        ready, _, _ = select.select([self.follower.stdout], [], [], max(0, end - time.monotonic()))
        block = os.read(self.follower.stdout.fileno(), 1 << 16) if ready else b""
        if not block:
            seen = "\n".join(text for _, text in [*self.manager, *self.service])
            raise AssertionError(f"{self.unit}: no \"{awaited}\" in\n{seen}")
        *lines, self.rest = (self.rest + block).split(b"\n")
        for entry in map(json.loads, lines):
            if entry["__CURSOR"] != self.last:
                self.take(entry)

    def take(self, entry):
        moment = int(entry["__MONOTONIC_TIMESTAMP"]) / 1e6
        text = entry["MESSAGE"]
        if isinstance(text, list):  # bytes that are not UTF-8
            text = bytes(text).decode(errors="replace")
        if entry["_TRANSPORT"] == "stdout":
            return self.service.append((moment, text))
        text = text.removeprefix(f"{self.unit}: ")
        # 252 and 262 put it differently.
        if message := re.fullmatch(r"Got notification message from PID \d+(?: \((.*)\)|: (.*))", text):
            variables = message[1] or message[2]
            self.manager += [(moment, variable) for variable in re.split(r", (?=[A-Z_]+=)", variables)]
        else:
            self.manager.append((moment, text.removeprefix("Changed ")))


class Lost(AssertionError):
    """A connection ended without the answer it owed."""


class Response:
    def __init__(self, head, body):
        first, *fields = head.decode().split("\r\n")
        self.status = int(first.split()[1])
        self.fields = {name.lower(): value for name, value in (field.split(": ", 1) for field in fields)}
        self.body = body.decode()

    @property
    def is_last(self):
        return self.fields.get("connection") == "close"


class Client:
    """One connection."""

    def __init__(self, port=80, address="127.0.0.1"):
        self.socket = socket.create_connection((address, port), timeout=PATIENCE)
        self.received = b""

    def close(self):
        self.socket.close()

    def send(self, path, *fields, body=""):
        head = (f"GET {path} HTTP/1.1", "Host: check", *fields)
        self.socket.sendall("\r\n".join((*head, "", body)).encode())

    def response(self):
        head, body = self.take_until(b"\r\n\r\n"), b""
        length = re.search(rb"(?i)\r\ncontent-length: (\d+)", head)
        while len(self.received) < int(length[1]):
            self.receive()
        body, self.received = self.received[: int(length[1])], self.received[int(length[1]) :]
        return Response(head, body)

    def ask(self, path="/", *fields):
        self.send(path, *fields)
        return self.response()

    def wait_for_end(self):
        """Returns when the server has ended the connection, without another byte: the time on the monotonic clock."""
        try:
            block = self.socket.recv(1 << 16)
        except ConnectionResetError:
            block = b""
        if block:
            raise AssertionError(f"an answer instead of the end: {block}")
        return time.monotonic()

    def take_until(self, end):
        while end not in self.received:
            self.receive()
        head, self.received = self.received.split(end, 1)
        return head

    def receive(self):
        try:
            block = self.socket.recv(1 << 16)
        except ConnectionResetError as error:
            raise Lost(f"{error}, {self.received} came before") from None
        if not block:
            raise Lost(f"the server closed, {self.received} came before")
        self.received += block


def ask(path="/", port=80, address="127.0.0.1"):
    """The answer to one request over a connection of its own."""
    client = Client(port, address)
    try:
        return client.ask(path, "Connection: close")
    finally:
        client.close()
