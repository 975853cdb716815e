"""Clients that misbehave: each must be refused or cut by a limit, and cost nobody else a request.

Run as a program, as `load.py` is.
"""

import json
import random
import select
import socket
import struct
import sys
import threading
import time

import orders

STUCK = 90  # seconds after which a client that the server should have cut counts as one that it never will


class Paused(Exception):
    """The clients are to stop."""


class Hostile:
    """One client after the other, each with a way of its own."""

    def __init__(self, crowd, listeners, chance):
        self.crowd, self.listeners, self.chance = crowd, listeners, chance

    def connect(self, port=None, receive_buffer=None):
        peer = socket.socket()
        if receive_buffer:
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        peer.settimeout(STUCK)
        peer.connect(("127.0.0.1", port or self.chance.choice(list(self.listeners.values()))))
        return peer

    def until_closed(self, peer):
        """What the server still says before it closes."""
        said = b""
        deadline = time.monotonic() + STUCK
        while time.monotonic() < deadline:
            if not self.crowd.going.is_set():
                raise Paused
            if select.select([peer], [], [], 0.1)[0]:
                try:
                    got = peer.recv(1 << 18)
                except ConnectionError:
                    return said
                if not got:
                    return said
                said = (said + got)[-(16 << 20) :]
        raise TimeoutError

    def rest(self, seconds):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if not self.crowd.going.is_set():
                raise Paused
            time.sleep(0.1)

    # Each returns what the server did.

    def silent(self):
        with self.connect() as peer:
            self.until_closed(peer)
        return "cut"

    def half_a_request(self):
        with self.connect() as peer:
            peer.sendall(b"GET / HTTP/1.1\r\nHost: so")
            self.until_closed(peer)
        return "cut"

    def half_a_body(self):
        with self.connect() as peer:
            peer.sendall(b"POST / HTTP/1.1\r\nHost: soak\r\nContent-Length: 100\r\n\r\nhalf")
            self.until_closed(peer)
        return "cut"

    def slow_writer(self):
        with self.connect() as peer:
            try:
                for byte in b"GET / HTTP/1.1\r\nHost: soak\r\nX-Slow: " + b"." * 1000:
                    peer.sendall(bytes([byte]))
                    self.rest(0.3)
            except ConnectionError:
                return "cut"
        return "never cut"

    def slow_reader(self):
        with self.connect(port=self.listeners["http"], receive_buffer=4096) as peer:
            peer.sendall(b"GET /large HTTP/1.1\r\nHost: soak\r\n\r\n")
            self.rest(6)
            return "cut" if len(self.until_closed(peer)) < 8 << 20 else "served"

    def reset(self):
        with self.connect() as peer:
            peer.sendall(self.chance.choice([b"", b"GET /slow HTTP/1.1\r\nHost: soak\r\n\r\n", b"GET /large HTTP/1.1\r\n"]))
            # Closed so, the peer is sent an RST.
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return "left"

    def half_closed(self):
        with self.connect(port=self.listeners["http"]) as peer:
            peer.sendall(b"GET /slow HTTP/1.1\r\nHost: soak\r\n\r\n")
            peer.shutdown(socket.SHUT_WR)
            return "served" if b"after a while!" in self.until_closed(peer) else "cut"

    def garbage(self):
        with self.connect() as peer:
            try:
                peer.sendall(bytes(self.chance.randrange(256) for _ in range(200)) + b"\r\n\r\n")
            except ConnectionError:
                return "cut"
            return "refused" if b" 400 " in self.until_closed(peer)[:64] else "cut"

    def too_much(self):
        with self.connect(port=self.listeners["http"]) as peer:
            try:
                peer.sendall(b"GET / HTTP/1.1\r\nHost: soak\r\n" + b"X-Much: " + b"." * (200 << 10) + b"\r\n\r\n")
            except ConnectionError:
                return "cut"
            return "refused" if b" 431 " in self.until_closed(peer)[:64] else "cut"

    def full_house(self):
        """Takes every place of the listener that has few, and says nothing."""
        if not self.crowd.house.acquire(blocking=False):
            return self.silent()
        peers = []
        try:
            for _ in range(20):
                peers.append(self.connect(port=self.listeners["narrow"]))
            for peer in peers:
                self.until_closed(peer)
        finally:
            for peer in peers:
                peer.close()
            self.crowd.house.release()
        return "cut"

    WAYS = [
        silent, half_a_request, half_a_body, slow_writer, slow_reader, half_closed, garbage, too_much, full_house,
        *[reset] * 6,
    ]  # fmt: skip


class Crowd:
    """A process's clients that misbehave, each a thread."""

    def __init__(self, listeners, count, seed):
        self.lock = threading.Lock()
        # Several at once could keep a good client waiting for as long as it likes.
        self.house = threading.Lock()
        self.going = threading.Event()
        self.idle = threading.Semaphore(0)
        self.count = count
        self.outcomes, self.trouble = {}, []
        self.threads = [
            threading.Thread(target=self.work, args=(listeners, random.Random(f"hostile {seed} {number}")), daemon=True)
            for number in range(count)
        ]

    def work(self, listeners, chance):
        hostile = Hostile(self, listeners, chance)
        ways = []
        while True:
            self.going.wait()
            while self.going.is_set():
                if not ways:
                    ways = list(Hostile.WAYS)
                    chance.shuffle(ways)
                self.once(hostile, ways.pop())
            self.idle.release()

    def once(self, hostile, way):
        try:
            outcome = way(hostile)
        except Paused:
            return
        except TimeoutError:
            outcome = "never cut"
        except ConnectionError as error:
            # One that sends before it looks whether it was cut.
            outcome = "refused" if isinstance(error, ConnectionRefusedError) else "cut"
        name = way.__name__.replace("_", " ")
        with self.lock:
            if outcome == "never cut" or isinstance(outcome, str) and outcome == "refused" and name == "silent":
                self.trouble.append(f"a client of the kind \"{name}\" was {outcome}")
            key = f"{name}: {outcome}"
            self.outcomes[key] = self.outcomes.get(key, 0) + 1

    def take(self):
        with self.lock:
            taken = {"outcomes": self.outcomes, "trouble": self.trouble}
            self.outcomes, self.trouble = {}, []
            return taken


if __name__ == "__main__":
    orders.obey(Crowd(**json.loads(sys.argv[1])))
