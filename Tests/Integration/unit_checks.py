"""The units of Units/, and hello's with a stand-in for hello, tried inside with-systemd.

The stand-in does what any program under these units must be able to: say that it is ready, accept
connections on the socket handed over, and start threads. It answers with what it is permitted.
"""

import http.client
import json
import pathlib
import re
import unittest

from service import Check, run

INSTALLED = pathlib.Path("/etc/systemd/system")


def ask(address="127.0.0.1"):
    connection = http.client.HTTPConnection(address, 80, timeout=30)
    connection.request("GET", "/")
    answer = json.loads(connection.getresponse().read())
    connection.close()
    return answer


class UnitChecks(unittest.TestCase):
    def test_systemd_analyze_verify_says_nothing_of_any_unit(self):
        """`systemd-analyze verify` has nothing to say of any unit in Units/"""
        units = [path for path in INSTALLED.iterdir() if path.suffix in (".service", ".socket")]
        self.assertIn("hello.service", [unit.name for unit in units])
        for unit in units:  # which may be of samples that are not installed here
            for program in re.findall(r"(?m)^Exec\w+=[-@:+!]*(/\S+)", unit.read_text()):
                if not pathlib.Path(program).exists():
                    pathlib.Path(program).parent.mkdir(parents=True, exist_ok=True)
                    pathlib.Path(program).symlink_to("/bin/true")
        for unit in units:
            with self.subTest(unit.name):
                # Of a template, an instance.
                name = unit.name.replace("@.", "@check.")
                self.assertEqual(run("systemd-analyze", "verify", name), "")

    def test_the_exposure_of_each_service_is_at_most_0_8(self):
        """`systemd-analyze security` rates the exposure of every service in Units/ at 0.8 or less"""
        services = [path.name for path in INSTALLED.iterdir() if path.suffix == ".service" and not path.is_symlink()]
        self.assertIn("hello.service", services)
        for service in services:
            with self.subTest(service):
                run("systemd-analyze", "security", "--offline=true", "--threshold=8", service)
        with self.assertRaises(AssertionError):  # the threshold is in tenths, and can be missed
            run("systemd-analyze", "security", "--offline=true", "--threshold=1", "hello.service")


class StandInChecks(Check):
    def setUp(self):
        self.standin = self.hello("ExecStart=", "ExecStart=/checks/standin")

    def test_the_first_connection_starts_the_service_and_both_families_are_answered(self):
        """the first connection starts the service; both families are answered on the socket named http"""
        self.assertEqual(self.standin.show("ActiveState"), "inactive")
        for address in ("127.0.0.1", "::1"):
            self.assertEqual(ask(address)["names"], "http")
        self.assertEqual(self.standin.show("ActiveState"), "active")

    def test_a_start_of_the_service_alone_starts_the_socket_first(self):
        """a start of the service alone starts the socket first"""
        run("systemctl", "stop", "hello.socket")
        self.standin.start()
        self.assertEqual(run("systemctl", "is-active", "hello.socket"), "active\n")
        self.assertEqual(ask()["names"], "http")

    def test_it_runs_without_root_capabilities_network_or_core_dumps(self):
        """a service under hello's unit runs without root, capabilities, network or core dumps"""
        answer = ask()
        self.assertNotEqual(answer["user"], 0)
        self.assertEqual(answer["capabilities"], "0" * 16)
        self.assertEqual(answer["bounding"], "0" * 16)
        self.assertEqual(answer["core"], [0, 0])
        self.assertEqual(answer["backtrace"], "enable=no")
        self.assertEqual(answer["refused"], ["AF_INET", "AF_INET6", "AF_NETLINK"])

    def test_it_writes_nothing_but_its_own_temporary_files(self):
        """a service under hello's unit can write nothing but temporary files of its own"""
        self.assertEqual(ask()["writable"], ["/tmp", "/var/tmp"])

    def test_after_a_crash_the_next_connection_is_answered_by_a_new_process(self):
        """after a crash under hello's unit the next connection is answered by a new process"""
        old = ask()["process"]
        self.standin.kill()  # until then it might still accept
        self.assertNotEqual(ask()["process"], old)
        self.assertEqual(self.standin.show("NRestarts"), "1")

    def test_after_a_stop_of_the_service_alone_the_next_connection_starts_it(self):
        """after a stop of the service alone the next connection starts it"""
        old = ask()["process"]
        self.standin.stop()
        self.assertNotEqual(ask()["process"], old)

    def test_the_watchdog_and_the_stop_have_their_times(self):
        """hello's watchdog and its stop have their times"""
        ask()
        self.assertEqual(self.standin.show("WatchdogUSec"), "1min")
        self.assertEqual(self.standin.show("TimeoutStopUSec"), "15s")

    def test_it_can_be_enabled(self):
        """hello can be enabled, and its socket with it"""
        run("systemctl", "enable", "hello.service")
        self.addCleanup(run, "systemctl", "disable", "hello.service", "hello.socket")
        states = run("systemctl", "is-enabled", "hello.service", "hello.socket")
        self.assertEqual(states.split(), ["enabled", "enabled"])


if __name__ == "__main__":
    unittest.main()
