"""Starting: when `systemctl start` returns, what it says when a start fails, and who is served first."""

import os
import socket
import unittest

from service import HELLO, Check, ask

PORT = f"""
[Service]
Type=notify
ExecStart={HELLO}
Environment=PORT=8080
DynamicUser=yes
"""


class StartChecks(Check):
    def test_start_returns_after_ready_and_the_first_request_succeeds_on_a_passed_socket(self):
        """`systemctl start` returns after READY=1; the first request is answered (passed socket)"""
        hello = self.hello()
        watch = self.watch(hello)
        hello.start()
        self.assertEqual(hello.state, ("active", "running"))
        self.assertEqual(ask().body, "Hello World!")
        watch.until("start -> running")
        self.assertEqual(
            watch.sequence("READY", "->"), ["dead -> start", "READY=1", "start -> running"]
        )

    def test_start_returns_after_ready_and_the_first_request_succeeds_on_a_port_of_its_own(self):
        """`systemctl start` returns after READY=1; the first request is answered (PORT)"""
        hello = self.service("port", PORT)
        watch = self.watch(hello)
        for _ in range(4):  # a fifth start within 10 s would be one too many for the manager
            with self.assertRaises(ConnectionRefusedError):
                ask(port=8080)
            hello.start()
            self.assertEqual(ask(port=8080).body, "Hello World!")
            watch.until("READY=1")
            watch.until("start -> running")
            hello.stop()

    def test_start_waits_for_a_child_that_takes_its_time(self):
        """`systemctl start` waits while a child above the ReadyMarker starts, though its port answers already"""
        fixture = self.fixture("slow-start")
        watch = self.watch(fixture)
        start = fixture.begin("start")
        watch.line("waiting for SIGHUP")
        with socket.create_connection(("127.0.0.1", 7777)):
            self.assertEqual(fixture.state, ("activating", "start"))
            self.assertFalse(start.is_over)
        self.assertEqual(watch.sequence("READY"), [])
        fixture.signal("HUP")
        start.finish()
        self.assertEqual(fixture.state, ("active", "running"))

    def test_a_child_that_fails_to_start_fails_the_start_with_its_name_and_reason(self):
        """a child that fails to start fails `systemctl start`: status 69, STATUS and ERRNO name child and reason"""
        fixture = self.fixture("fail-to-start")
        watch = self.watch(fixture)
        with self.assertRaisesRegex(AssertionError, "status 1\n"):
            fixture.start()
        self.assertEqual(fixture.state, ("failed", "failed"))
        self.assertEqual((fixture.show("ExecMainStatus"), fixture.show("Result")), ("69", "exit-code"))
        self.assertIn('Status: "child "database" failed to start: no database at /nowhere"', fixture.status)
        self.assertRegex(fixture.status, r"Error: (code: )?2 \(No such file or directory\)")
        watch.until("start -> failed")
        self.assertEqual(watch.sequence("READY"), [])

    def test_without_a_manager_it_runs_the_same(self):
        """without a manager hello serves its PORT, and SIGTERM ends it with status 0"""
        hello = self.plain(HELLO, PORT="8081")
        hello.line("listening on .*:8081")
        self.assertEqual(ask(port=8081).body, "Hello World!")
        hello.signal("TERM")
        self.assertEqual(hello.wait(), 0)

    def test_without_a_manager_a_failing_start_says_why_and_exits_69(self):
        """without a manager a failing start tells why on standard error, and exits with 69"""
        fixture = self.plain("/opt/fixture/bin/fixture", "fail-to-start", PORT="0")
        fixture.line('child "database" failed to start: no database at /nowhere')
        self.assertEqual(fixture.wait(), os.EX_UNAVAILABLE)

    def test_a_port_that_is_none_is_a_clear_error(self):
        """a PORT that is no port fails the start, and the error says what would be right"""
        hello = self.plain(HELLO, PORT="http")
        hello.line('PORT is "http", it must be a port from 0 to 65535')
        self.assertEqual(hello.wait(), os.EX_UNAVAILABLE)


if __name__ == "__main__":
    unittest.main()
