"""Reloading: what the manager is told, and what a reload that fails leaves behind."""

import pathlib
import unittest

from service import Check, run, version

BROKEN = pathlib.Path("/run/fixture.broken")


class ReloadChecks(Check):
    def break_it(self):
        BROKEN.touch()
        self.addCleanup(BROKEN.unlink, missing_ok=True)

    def reload_both_ways(self, *directives):
        """A reload that works, and one that fails: the service goes on after both, in the same process."""
        fixture = self.fixture("reload", *directives)
        watch = self.watch(fixture)
        fixture.start()
        watch.until("start -> running")
        process = fixture.process
        for breaks, status in ((False, "reloaded"), (True, "reload failed: config: no port in line 3")):
            if breaks:
                self.break_it()
            run("systemctl", "reload", "fixture")
            watch.until(f"STATUS={status}")
            self.assertEqual(
                watch.sequence("RELOADING", "READY", "STATUS")[-4:],
                ["RELOADING=1", "STATUS=reloading", "READY=1", f"STATUS={status}"],
            )
            self.assertEqual(fixture.show("StatusText"), status)
        watch.line("^config is read again$")
        self.assertEqual((fixture.state, fixture.process), (("active", "running"), process))

    def test_a_reload_by_signal_tells_the_manager_and_the_service_goes_on(self):
        """Type=notify: SIGHUP reloads; RELOADING=1 and READY=1 are told, also of a reload that failed"""
        self.reload_both_ways("ExecReload=/bin/kill -HUP $MAINPID")

    def test_systemctl_reload_waits_for_a_service_of_type_notify_reload(self):
        """Type=notify-reload: `systemctl reload` returns when the handlers are done, also when one failed"""
        if version() < 253:
            self.skipTest("Type=notify-reload came with systemd 253")
        self.reload_both_ways("Type=notify-reload")


class HealthChecks(Check):
    def test_a_child_that_is_not_well_has_the_service_replaced(self):
        """a health check that says no: named in the journal, and after WatchdogSec= the manager starts another process"""
        fixture = self.fixture("health", "WatchdogSec=2", "Restart=on-failure", "RestartSec=100ms")
        watch = self.watch(fixture)
        fixture.start()
        watch.until("start -> running")
        process = fixture.process
        BROKEN.touch()
        self.addCleanup(BROKEN.unlink, missing_ok=True)
        watch.line("no sign of life for the manager: patient is not well")
        watch.until("Watchdog timeout (limit 2s)!")
        BROKEN.unlink()
        watch.until("start -> running")
        self.assertNotEqual(fixture.process, process)
        self.assertEqual(fixture.show("NRestarts"), "1")


if __name__ == "__main__":
    unittest.main()
