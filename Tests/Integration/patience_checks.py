"""How long the manager waits: for a start, a run, a stop, and for a service that asks for more time."""

import unittest

from telling_checks import TellingCheck

MINUTE = 60_000_000  # microseconds

# A start or a run that is given up gets a SIGTERM first.
KILLED = "KillSignal=SIGKILL"


class PatienceChecks(TellingCheck):
    """Beside each service stands a dull one that asks for nothing, and whose time begins later and is as long."""

    def dull(self, *directives):
        """What ends only by SIGKILL, and never says that it is ready."""
        command = "ExecStart=/bin/sh -c 'trap \"\" TERM; exec sleep infinity'"
        return self.service("dull", "\n".join(("[Service]", command, *directives, "")))

    def test_a_start_that_asks_for_more_time_gets_it(self):
        """EXTEND_TIMEOUT_USEC during the start: the manager waits longer than TimeoutStartSec="""
        limit = "TimeoutStartSec=2"
        fixture, dull = self.fixture("orders-while-starting", limit), self.dull("Type=notify", limit, KILLED)
        watch, other = self.watch(fixture), self.watch(dull)
        start = fixture.begin("start")
        watch.line("waiting for SIGHUP")
        self.tell(self.orders(), f"extend {MINUTE}")
        dull.begin("start")
        other.until("Failed with result 'timeout'.")
        self.assertFalse(start.is_over)
        self.assertEqual(fixture.state, ("activating", "start"))
        fixture.signal("HUP")
        start.finish()
        self.assertEqual(fixture.state, ("active", "running"))

    def test_a_start_that_does_not_keep_asking_is_given_up(self):
        """EXTEND_TIMEOUT_USEC must be repeated: a start that asked once and too little fails with timeout"""
        fixture = self.fixture("orders-while-starting", "TimeoutStartSec=1")
        watch = self.watch(fixture)
        fixture.begin("start")
        watch.line("waiting for SIGHUP")
        began = watch.until("dead -> start")
        self.tell(self.orders(), "extend 3000000")
        end = watch.until("start -> stop-sigterm")
        self.assertGreaterEqual(end - began, 3)
        watch.until("Failed with result 'timeout'.")

    def test_a_run_that_asks_for_more_time_gets_it(self):
        """EXTEND_TIMEOUT_USEC while running: the service may run longer than RuntimeMaxSec="""
        limit = "RuntimeMaxSec=2"
        dull = self.dull(limit, KILLED)  # first, for a daemon-reload takes the extension away
        fixture, orders = self.speaker(limit)
        other = self.watch(dull)
        self.tell(orders, f"extend {MINUTE}")
        dull.start()
        other.until("Failed with result 'timeout'.")
        self.assertEqual(fixture.state, ("active", "running"))

    def test_a_drain_keeps_the_manager_waiting_for_its_own_time(self):
        """a Drainer has the manager wait as long as it may take, though TimeoutStopSec= is shorter"""
        limit = "TimeoutStopSec=2"
        dull = self.dull(limit)
        fixture, busy = self.speaker(limit)
        dull.start()
        watch, other = self.watch(fixture), self.watch(dull)
        stop = fixture.begin("stop")
        watch.until("EXTEND_TIMEOUT_USEC=10000000")
        dull.begin("stop")
        other.until("Failed with result 'timeout'.")
        self.assertFalse(stop.is_over)
        self.assertEqual(fixture.state, ("deactivating", "stop-sigterm"))
        busy.socket.close()
        stop.finish()
        self.assertEqual((fixture.show("Result"), fixture.show("ExecMainStatus")), ("success", "0"))

    def test_a_start_has_the_time_that_the_tree_gives_it(self):
        """a child with a startTimeout keeps the manager waiting for as long and no longer: then the tree gives up itself"""
        limit = "TimeoutStartSec=2"
        fixture, dull = self.fixture("limited-start", limit), self.dull("Type=notify", limit, KILLED)
        watch, other = self.watch(fixture), self.watch(dull)
        fixture.begin("start")
        watch.line("waiting for SIGHUP")
        began = watch.until("dead -> start")
        dull.begin("start")
        other.until("Failed with result 'timeout'.")
        self.assertEqual(fixture.state, ("activating", "start"))
        end = watch.until("Failed with result 'exit-code'.")
        self.assertGreaterEqual(end - began, 6)
        self.assertLess(end - began, 11)
        self.assertEqual(fixture.show("ExecMainStatus"), "69")
        self.assertIn("had not started after 6.0 seconds", fixture.show("StatusText"))

    def test_a_start_without_a_limit_has_the_units(self):
        """a child without a limit of its own gets the time of the unit, and not more"""
        fixture = self.fixture("slow-start", "TimeoutStartSec=2")
        watch = self.watch(fixture)
        fixture.begin("start")
        watch.until("Failed with result 'timeout'.")
        self.assertEqual(watch.sequence("READY"), [])


if __name__ == "__main__":
    unittest.main()
