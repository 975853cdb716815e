"""What outlives a process in the manager's store, as parts of a tree: a count, open connections, a listening socket."""

import socket
import unittest

from restart_checks import Traffic
from service import FIXTURE, PATIENCE, Check, version


class Line:
    """A connection that is asked again and again."""

    def __init__(self):
        self.socket = socket.create_connection(("127.0.0.1", 7778), timeout=PATIENCE)

    def say(self):
        self.socket.sendall(b"?")

    def answer(self):
        """Who answers, and the number of the answer."""
        text = b""
        while not text.endswith(b"\n"):
            block = self.socket.recv(100)
            if not block:
                raise AssertionError(f"the line ended after {text}")
            text += block
        return tuple(int(number) for number in text.split())

    def ask(self):
        self.say()
        return self.answer()


def be_greeted(address="127.0.0.1"):
    with socket.create_connection((address, 7779), timeout=PATIENCE) as connection:
        text = b""
        while block := connection.recv(100):
            text += block
    assert text == b"hello\n", text


class KeepingCheck(Check):
    def kept(self, service):
        return int(service.show("NFileDescriptorStore"))

    def change_mode(self, mode):
        """Has the next start be one in another mode; the last change counts."""
        self.changes = getattr(self, "changes", 0) + 1
        drop_in = f"fixture.service.d/mode-{self.changes}.conf"
        self.install(drop_in, f"[Service]\nExecStart=\nExecStart={FIXTURE} {mode}\n")


class KeepingChecks(KeepingCheck):
    def line(self):
        line = Line()
        self.addCleanup(line.socket.close)
        return line

    def test_a_count_and_an_open_connection_outlive_restarts(self):
        """a count and an open connection outlive restarts, and what is asked meanwhile is answered by the next process"""
        fixture = self.fixture("hand-over", "FileDescriptorStoreMax=4")
        fixture.start()
        line = self.line()
        first = fixture.process
        self.assertEqual(line.ask(), (first, 1))
        self.assertEqual(self.kept(fixture), 0)
        processes = {first}
        for count in range(2, 5):
            fixture.restart()
            self.assertEqual(self.kept(fixture), 2)
            self.assertEqual(line.ask(), (fixture.process, count))
            processes.add(fixture.process)
        self.assertEqual(len(processes), 4)

    def test_what_is_asked_during_a_restart_is_answered(self):
        """what is asked on an open connection while the service restarts is answered once"""
        fixture = self.fixture("hand-over", "FileDescriptorStoreMax=4")
        fixture.start()
        line = self.line()
        line.ask()
        answers = []
        for _ in range(10):
            job = fixture.begin("restart")
            while not job.is_over:
                answers.append(line.ask()[1])
            job.finish()
            fixture.reset_failed()
        self.assertEqual(answers, list(range(2, len(answers) + 2)))

    def test_stop_then_start_forgets(self):
        """a stop empties the store: the connection ends, and the next start counts from one"""
        fixture = self.fixture("hand-over", "FileDescriptorStoreMax=4")
        fixture.start()
        line = self.line()
        line.ask()
        fixture.restart()
        self.assertEqual(line.ask()[1], 2)
        fixture.stop()
        self.assertEqual(self.kept(fixture), 0)
        self.assertEqual(line.socket.recv(1), b"")
        fixture.start()
        self.assertEqual(self.line().ask(), (fixture.process, 1))

    def test_what_nobody_takes_is_removed(self):
        """what the next process has no use for is removed from the store, and named in the journal"""
        fixture = self.fixture("hand-over", "FileDescriptorStoreMax=4")
        fixture.start()
        line = self.line()
        line.ask()
        fixture.restart()
        self.assertEqual(self.kept(fixture), 2)
        self.change_mode("serve")
        watch = self.watch(fixture)
        fixture.restart()
        watch.line(r"\"line\" \(connection, .*was kept, but no child of the tree takes it: removed")
        watch.line(r"\"count\" \(file\) was kept, but no child of the tree takes it: removed")
        self.assertEqual(line.socket.recv(1), b"")
        self.assertEqual(self.kept(fixture), 0)


class KeptSocketChecks(KeepingCheck):
    def test_twenty_restarts_under_constant_calls_refuse_nobody(self):
        """a listener that keeps its own socket: 20 restarts under constant new connections lose none of them"""
        fixture = self.fixture("keep-socket", "FileDescriptorStoreMax=1")
        fixture.start()
        processes = set()
        with Traffic(be_greeted) as traffic:
            for _ in range(20):
                traffic.go_on()
                processes.add(fixture.process)
                fixture.restart()
                fixture.reset_failed()
                self.assertEqual(self.kept(fixture), 1)
            traffic.go_on()
        self.assertEqual(traffic.lost, [])
        self.assertEqual(len(processes), 20)

    def test_after_kill_9_all_connections_that_follow_are_answered(self):
        """a listener that keeps its own socket: after kill -9 all connections that follow are answered"""
        fixture = self.fixture("keep-socket", "FileDescriptorStoreMax=1", "Restart=always", "RestartSec=500ms")
        fixture.start()
        first = fixture.process
        fixture.kill()
        for _ in range(10):
            be_greeted()
        self.assertNotEqual(fixture.process, first)

    def test_a_stop_ends_it(self):
        """a listener that keeps its own socket: after a stop nobody listens any more"""
        fixture = self.fixture("keep-socket", "FileDescriptorStoreMax=1")
        fixture.start()
        self.assertEqual(self.kept(fixture), 1)
        fixture.stop()
        self.assertEqual(self.kept(fixture), 0)
        with self.assertRaises(ConnectionRefusedError):
            be_greeted()

    def test_with_preserve_yes_a_stop_does_not_end_it(self):
        """with FileDescriptorStorePreserve=yes those who call between a stop and a start are answered"""
        if version() < 254:
            self.skipTest("FileDescriptorStorePreserve= came with systemd 254")
        fixture = self.fixture("keep-socket", "FileDescriptorStoreMax=1", "FileDescriptorStorePreserve=yes")
        self.keep_loaded(fixture)
        for _ in range(3):
            fixture.start()
            fixture.stop()
            if fixture.is_remembered:
                break
        with socket.create_connection(("127.0.0.1", 7779), timeout=PATIENCE) as waiting:
            fixture.start()
            self.assertEqual(waiting.recv(100), b"hello\n")

    def test_another_fallback_takes_its_place(self):
        """where the next process wants another address of the same port, the old socket does not stand in its way"""
        fixture = self.fixture("keep-socket", "FileDescriptorStoreMax=1")
        fixture.start()
        for mode, address in (("keep-local-socket", r"127\.0\.0\.1"), ("keep-socket", r"\[::\]")):
            with self.subTest(mode):
                self.change_mode(mode)
                watch = self.watch(fixture)
                fixture.restart()
                watch.line("was kept, but is not what its listener wants: removed")
                watch.line(f"listener greeter: listening on {address}:7779, kept by the service manager")
                be_greeted()
                self.assertEqual(self.kept(fixture), 1)

    def test_without_room_it_is_a_socket_as_any_other(self):
        """without FileDescriptorStoreMax= a listener that should keep its socket binds it anew, and says why"""
        fixture = self.fixture("keep-socket")
        watch = self.watch(fixture)
        fixture.start()
        watch.line("listener greeter: the service manager does not say whether it keeps the socket")
        self.assertEqual(self.kept(fixture), 0)
        fixture.restart()
        be_greeted()


if __name__ == "__main__":
    unittest.main()
