"""Failing for good: what the manager is told, and what it does about it."""

import unittest

from service import Check


class FailureChecks(Check):
    def test_a_daemon_that_gives_up_says_why_exits_70_and_is_started_again(self):
        """giving up: status 70, STATUS and ERRNO name child and reason, Restart=on-failure starts it again"""
        fixture = self.fixture("give-up", "Restart=on-failure", "RestartSec=3")
        watch = self.watch(fixture)
        fixture.start()
        watch.line("waiting for SIGHUP")
        watch.until("start -> running")
        first = fixture.process
        fixture.signal("HUP")
        watch.until("Failed with result 'exit-code'.")
        # The time until the next start is long enough for a look.
        self.assertEqual(fixture.state[0], "activating")
        self.assertEqual(fixture.show("ExecMainStatus"), "70")
        self.assertIn('Status: "gave up on child "worker": ', fixture.status)
        self.assertRegex(fixture.status, r'worker": .*bad sector')
        self.assertRegex(fixture.status, r"Error: (code: )?5 \(Input/output error\)")
        self.assertEqual(watch.sequence("STOPPING"), ["STOPPING=1"])

        watch.until("start -> running")
        self.assertEqual((fixture.state, fixture.show("NRestarts")), (("active", "running"), "1"))
        self.assertNotEqual(fixture.process, first)

    def test_a_child_that_ignores_its_stop_is_named_and_left_behind(self):
        """a child that ignores its stop is named as still running; status 75, well before TimeoutStopSec="""
        fixture = self.fixture("ignore-stop")
        watch = self.watch(fixture)
        fixture.start()
        self.assertLess(fixture.begin("stop").finish(), 20)
        self.assertEqual((fixture.show("ExecMainStatus"), fixture.show("Result")), ("75", "exit-code"))
        self.assertIn('still running after its time was up: "stubborn"', fixture.status)
        watch.line("stubborn abandoned")


if __name__ == "__main__":
    unittest.main()
