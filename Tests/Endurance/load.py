"""Clients that behave: each request is accounted for, answered, refused by a limit, or lost.

Run as a program it is one process of clients: what to do is its argument (JSON), commands come by standard input (`go`,
`pause`, the end), and each second a line of JSON says what became of the requests.
"""

import json
import random
import socket
import ssl
import sys
import threading
import time

import orders

# What each route may answer. The 503 is the limit on how many may be in /scarce at once.
ANSWERS = {
    "/": {200: b"Hello World!"},
    "/slow": {200: b"Hello World, after a while!"},
    "/scarce": {200: b"Hello, you two!", 503: b"All places are taken.\n"},
    "/large": {200: b"." * (8 << 20)},
}
ROUTES = ["/"] * 80 + ["/slow"] * 9 + ["/scarce"] * 10 + ["/large"]

PATIENCE = 60  # seconds for an answer; no run that passes waits for this
LATE = 1  # seconds between connecting and sending, after which a limit on time may cut even a good client


class Gone(Exception):
    """The connection ended before a byte of the answer had come."""


class Lost(Exception):
    """There was no answer, or one that no route gives."""


def tls():
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class Connection:
    """A connection to a port, for one request after the other."""

    context = tls()

    def __init__(self, port, secure=False):
        self.requests = 0
        self.buffer = bytearray()
        self.socket = socket.create_connection(("127.0.0.1", port), PATIENCE)
        self.opened = self.used = time.monotonic()
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if secure:
            try:
                self.socket = self.context.wrap_socket(self.socket)
            except OSError as error:
                self.close()
                raise Gone(f"handshake: {error!r}") from error

    def close(self):
        self.socket.close()

    def more(self):
        got = self.socket.recv(1 << 18)
        if not got:
            raise ConnectionResetError("the end")
        self.buffer += got

    def get(self, path, close=False):
        """The status, the body, and whether the server keeps the connection."""
        self.requests += 1
        field = "Connection: close\r\n" if close else ""
        try:
            self.socket.sendall(f"GET {path} HTTP/1.1\r\nHost: soak\r\n{field}\r\n".encode())
            self.sent = time.monotonic()
            while b"\r\n\r\n" not in self.buffer:
                self.more()
            head, _, rest = bytes(self.buffer).partition(b"\r\n\r\n")
            lines = head.decode("latin-1").split("\r\n")
            fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
            length = int(fields["content-length"])
            self.buffer = bytearray(rest)
            while len(self.buffer) < length:
                self.more()
        except TimeoutError as error:
            raise Lost(f"no answer to {path} in {PATIENCE} s") from error
        except OSError as error:
            if self.buffer:
                raise Lost(f"the answer to {path} broke off after {len(self.buffer)} bytes: {error}") from error
            raise Gone(repr(error)) from error
        body = bytes(self.buffer[:length])
        del self.buffer[:length]
        self.used = time.monotonic()
        return int(lines[0].split()[1]), body, fields.get("connection", "").lower() != "close"


class Account:
    """What became of the requests."""

    def __init__(self):
        self.lock = threading.Lock()
        self.clear()

    def clear(self):
        self.answered = self.refused = self.late = 0
        self.retried, self.lost, self.latencies = [], [], []

    def take(self):
        with self.lock:
            taken = {name: value for name, value in vars(self).items() if name != "lock"}
            self.clear()
            return taken


class Client:
    """Sends one request after the other, on connections that it keeps or on one for each."""

    def __init__(self, account, chance, listener, port, keeps):
        self.account, self.chance, self.listener, self.port, self.keeps = account, chance, listener, port, keeps
        self.connection = None

    def close(self):
        if self.connection:
            self.connection.close()
        self.connection = None

    def attempt(self, path):
        if self.connection is None:
            self.connection = Connection(self.port, self.listener == "https")
        status, body, persists = self.connection.get(path, close=not self.keeps)
        if body != ANSWERS[path].get(status):
            raise Lost(f"{path} was answered with {status} and {len(body)} bytes: {body[:60]!r}")
        if not persists or not self.keeps:
            self.close()
        return status

    def request(self, path=None):
        path = path or self.chance.choice(ROUTES)
        began = time.monotonic()
        try:
            try:
                status = self.attempt(path)
            except Gone as error:
                # RFC 9112, section 9.3.1: a connection that was kept may close at any time, and the request on it is
                # sent once more. That is the only one.
                connection = self.connection
                if connection is None or connection.requests < 2:
                    raise
                now = time.monotonic()
                with self.account.lock:
                    self.account.retried.append([now, self.listener, now - connection.used])
                self.close()
                status = self.attempt(path)
        except Gone as error:
            connection = self.connection
            late = connection and getattr(connection, "sent", time.monotonic()) - connection.opened > LATE
            self.close()
            with self.account.lock:
                if late:
                    self.account.late += 1
                else:
                    self.lose(f"{path} on {self.listener}: closed without an answer: {error}")
            return
        except (Lost, OSError) as error:
            self.close()
            with self.account.lock:
                self.lose(f"{path} on {self.listener}: {error}")
            return
        ended = time.monotonic()
        with self.account.lock:
            if status == 200:
                self.account.answered += 1
            else:
                self.account.refused += 1
            # Whoever wants the narrow listener may have to wait for a place.
            if path == "/" and self.listener != "narrow":
                self.account.latencies.append(round((ended - began) * 1e3, 3))

    def lose(self, what):
        self.account.lost.append([time.monotonic(), what])


class Clients:
    """A process's clients, each a thread."""

    def __init__(self, listeners, count, pause, seed):
        self.account = Account()
        self.pause = pause
        self.going = threading.Event()
        self.idle = threading.Semaphore(0)
        self.count = count
        self.over = False
        names = sorted(listeners)
        self.take = self.account.take
        self.threads = []
        for number in range(count):
            chance = random.Random(f"{seed} {number}")
            name = names[number % len(names)]
            client = Client(self.account, chance, name, listeners[name], keeps=number // len(names) % 2 == 0)
            self.threads.append(threading.Thread(target=self.work, args=(client, chance), daemon=True))

    def work(self, client, chance):
        while True:
            self.going.wait()
            while self.going.is_set():
                client.request()
                time.sleep(chance.uniform(0, 2 * self.pause))
            client.close()
            self.idle.release()


if __name__ == "__main__":
    orders.obey(Clients(**json.loads(sys.argv[1])))
