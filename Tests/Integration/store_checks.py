"""What the manager keeps and does on a service's word: stored descriptors, barriers, and an end on request."""

import json
import unittest

from service import run, version
from telling_checks import TellingCheck


class StoreChecks(TellingCheck):
    def kept(self, fixture):
        return fixture.show("NFileDescriptorStore")

    def test_what_hangs_up_is_dropped_unless_it_is_not_watched(self):
        """what hangs up leaves the store by itself, and stays there with FDPOLL=0"""
        fixture, orders = self.speaker("FileDescriptorStoreMax=10")
        watch = self.watch(fixture)
        self.tell(orders, "store 2 watched")
        self.tell(orders, "store-unwatched 3 unwatched")
        self.assertEqual(self.kept(fixture), "5")
        self.assertEqual(orders.ask("hang up"), "hung up")
        for _ in range(2):
            watch.match(r"Received EPOLLHUP on stored fd \d+ \(watched\), closing\.")
        self.assertEqual(self.kept(fixture), "3")
        self.tell(orders, "remove watched")
        self.assertEqual(self.kept(fixture), "3")
        self.tell(orders, "remove unwatched")
        self.assertEqual(self.kept(fixture), "0")

    def test_a_message_carries_as_many_as_the_kernel_lets_it(self):
        """253 descriptors in one message are stored, under a name of 255 characters of any kind that is allowed"""
        fixture, orders = self.speaker("FileDescriptorStoreMax=500")
        name = "".join(chr(code) for code in range(0x20, 0x7F) if chr(code) not in ":+") + "x" * 162
        self.assertEqual(len(name), 255)
        self.tell(orders, f"store 253 {name}")
        self.assertEqual(self.kept(fixture), "253")
        self.tell(orders, f"store 1 {name}")
        self.tell(orders, f"remove {name}")
        self.assertEqual(self.kept(fixture), "0")

    def test_what_is_stored_can_be_looked_at(self):
        """`systemd-analyze fdstore` lists what is stored, by name"""
        if version() < 254:
            self.skipTest("it came with systemd 254")
        fixture, orders = self.speaker("FileDescriptorStoreMax=4")
        self.tell(orders, "store 2 two")
        self.tell(orders, "store 1 one")
        listed = json.loads(run("systemd-analyze", "fdstore", "--json=short", fixture.unit))
        self.assertEqual(sorted(entry["fdname"] for entry in listed), ["one", "two", "two"])

    def test_what_is_stored_can_be_kept_over_a_good_end_alone(self):
        """FileDescriptorStorePreserve=on-success keeps what is stored over a stop, and not over a failure"""
        if version() < 261:
            self.skipTest("on-success came with systemd 261")
        fixture = self.fixture("orders", "FileDescriptorStoreMax=1", "FileDescriptorStorePreserve=on-success")
        self.keep_loaded(fixture)
        for _ in range(3):
            fixture.start()
            orders = self.orders()
            self.tell(orders, "store-unwatched 1 one")
            orders.socket.close()  # or it would be waited for
            fixture.stop()
            kept = self.kept(fixture)
            if fixture.is_remembered:
                break
        self.assertEqual(kept, "1")
        watch = self.watch(fixture)
        fixture.start()
        self.tell(self.orders(), "store-unwatched 1 one")
        self.assertEqual(self.kept(fixture), "1")
        fixture.kill()
        watch.until("running -> failed")
        self.assertEqual(self.kept(fixture), "0")

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
