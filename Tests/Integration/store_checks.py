"""What the manager keeps and does on a service's word: stored descriptors, barriers, and an end on request."""

import re
import unittest

from service import Check, run


def version():
    return int(re.match(r"systemd (\d+)", run("systemctl", "--version"))[1])


class StoreChecks(Check):
    def kept(self, fixture):
        return fixture.show("NFileDescriptorStore")

    def test_state_stored_by_one_process_is_read_by_the_next(self):
        """state in the descriptor store outlives restarts and a kill; a barrier says that the manager has it"""
        fixture = self.fixture("keep", "FileDescriptorStoreMax=2", "Restart=always", "RestartSec=0")
        watch = self.watch(fixture)
        limit = 2 if version() >= 254 else "any"
        fixture.start()
        watch.line(f"^start 1 of {limit}, passed$")
        self.assertEqual(self.kept(fixture), "1")
        fixture.restart()
        watch.line(f"^start 2 of {limit}, passed$")
        self.assertEqual(self.kept(fixture), "1")
        fixture.kill()
        watch.line(f"^start 3 of {limit}, passed$")
        self.assertEqual(self.kept(fixture), "1")

    def test_what_is_removed_by_name_is_gone(self):
        """a stored descriptor is gone from the store when it has been removed by name"""
        fixture = self.fixture("keep", "FileDescriptorStoreMax=2")
        watch = self.watch(fixture)
        fixture.start()
        watch.line("waiting for SIGHUP")
        self.assertEqual(self.kept(fixture), "1")
        fixture.signal("HUP")
        watch.line("^removed, passed$")
        self.assertEqual(self.kept(fixture), "0")

    def test_without_room_nothing_is_kept(self):
        """without FileDescriptorStoreMax= the manager keeps nothing, and the barrier passes all the same"""
        fixture = self.fixture("keep")
        watch = self.watch(fixture)
        fixture.start()
        watch.line("^start 1 of any, passed$")
        self.assertEqual(self.kept(fixture), "0")
        fixture.restart()
        watch.line("^start 1 of any, passed$")

    def test_a_service_can_have_itself_ended_as_if_it_hung(self):
        """WATCHDOG=trigger ends the service with result watchdog, without WatchdogSec="""
        fixture = self.fixture("trigger")
        watch = self.watch(fixture)
        fixture.start()
        watch.line("waiting for SIGHUP")
        fixture.signal("HUP")
        watch.until("WATCHDOG=trigger")
        watch.until("Failed with result 'watchdog'.")
        self.assertEqual(fixture.show("Result"), "watchdog")

    def test_restarts_are_counted_from_zero_again_on_request(self):
        """RESTART_RESET=1 has the manager count restarts from zero again; before systemd 258 it is ignored"""
        fixture = self.fixture("reset", "Restart=always", "RestartSec=0")
        watch = self.watch(fixture)
        fixture.start()
        watch.line("waiting for SIGHUP")
        again = self.watch(fixture)
        fixture.kill()
        again.line("waiting for SIGHUP")
        again.until("start -> running")
        self.assertEqual(fixture.show("NRestarts"), "1")
        fixture.signal("HUP")
        again.line("^reset, passed$")
        self.assertEqual(fixture.show("NRestarts"), "0" if version() >= 258 else "1")


if __name__ == "__main__":
    unittest.main()
