"""Units/hello.service and hello.socket with a stand-in for hello, tried inside with-systemd.

The stand-in does what any program under these units must be able to: say that it is ready, accept
connections on the socket handed over, and start threads. It answers with what it is permitted. test_units.py
puts the stand-in and the units in their places.
"""

import http.client
import json
import os
import select
import signal
import unittest

from manager_checks import run


def ask(address="127.0.0.1"):
    connection = http.client.HTTPConnection(address, 80, timeout=30)
    connection.request("GET", "/")
    answer = json.loads(connection.getresponse().read())
    connection.close()
    return answer


def property_of(unit, name):
    return run("systemctl", "show", "--value", "--property", name, unit).strip()


class UnitChecks(unittest.TestCase):
    def setUp(self):
        run("systemctl", "start", "hello.socket")
        self.addCleanup(run, "systemctl", "stop", "hello.socket", "hello.service")

    def test_systemd_analyze_verify_says_nothing(self):
        self.assertEqual(run("systemd-analyze", "verify", "hello.service", "hello.socket"), "")

    def test_the_exposure_is_at_most_0_8(self):
        run("systemd-analyze", "security", "--offline=true", "--threshold=8", "hello.service")
        with self.assertRaises(AssertionError):  # the threshold is in tenths, and can be missed
            run("systemd-analyze", "security", "--offline=true", "--threshold=1", "hello.service")

    def test_the_first_connection_starts_the_service_and_both_families_are_answered(self):
        self.assertEqual(property_of("hello.service", "ActiveState"), "inactive")
        for address in ("127.0.0.1", "::1"):
            self.assertEqual(ask(address)["names"], "http")
        self.assertEqual(property_of("hello.service", "ActiveState"), "active")

    def test_a_start_of_the_service_alone_starts_the_socket_first(self):
        run("systemctl", "stop", "hello.socket")
        run("systemctl", "start", "hello.service")
        self.assertEqual(property_of("hello.socket", "ActiveState"), "active")
        self.assertEqual(ask()["names"], "http")

    def test_it_runs_without_root_capabilities_network_or_core_dumps(self):
        answer = ask()
        self.assertNotEqual(answer["user"], 0)
        self.assertEqual(answer["capabilities"], "0" * 16)
        self.assertEqual(answer["bounding"], "0" * 16)
        self.assertEqual(answer["core"], [0, 0])
        self.assertEqual(answer["backtrace"], "enable=no")
        self.assertEqual(answer["refused"], ["AF_INET", "AF_INET6", "AF_NETLINK"])

    def test_it_writes_nothing_but_its_own_temporary_files(self):
        self.assertEqual(ask()["writable"], ["/tmp", "/var/tmp"])

    def test_after_a_crash_the_next_connection_is_answered_by_a_new_process(self):
        old = ask()["process"]
        main = os.pidfd_open(int(property_of("hello.service", "MainPID")))
        signal.pidfd_send_signal(main, signal.SIGKILL)
        select.select([main], [], [])  # until then it might still accept
        os.close(main)
        self.assertNotEqual(ask()["process"], old)
        self.assertEqual(property_of("hello.service", "NRestarts"), "1")

    def test_after_a_stop_of_the_service_alone_the_next_connection_starts_it(self):
        old = ask()["process"]
        run("systemctl", "stop", "hello.service")
        self.assertNotEqual(ask()["process"], old)

    def test_the_watchdog_and_the_stop_have_their_times(self):
        ask()
        self.assertEqual(property_of("hello.service", "WatchdogUSec"), "1min")
        self.assertEqual(property_of("hello.service", "TimeoutStopUSec"), "15s")

    def test_it_can_be_enabled(self):
        run("systemctl", "enable", "hello.service")
        self.addCleanup(run, "systemctl", "disable", "hello.service", "hello.socket")
        states = run("systemctl", "is-enabled", "hello.service", "hello.socket")
        self.assertEqual(states.split(), ["enabled", "enabled"])


if __name__ == "__main__":
    unittest.main()
