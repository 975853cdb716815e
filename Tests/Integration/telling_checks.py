"""What a service may tell the manager, variable by variable, and what the manager makes of each."""

import os
import re
import socket
import unittest

from service import PATIENCE, Check, version

DONE = "sent, passed"

# A process that is started from one of Dispatch's threads has inherited that SIGTERM is blocked.
KILL = "KillSignal=SIGKILL"


class Orders:
    """A connection to a fixture that tells the manager what it is told to."""

    def __init__(self):
        self.socket = socket.create_connection(("127.0.0.1", 7780), timeout=PATIENCE)

    def ask(self, order):
        self.socket.sendall(f"{order}\n".encode())
        text = b""
        while not text.endswith(b"\n"):
            block = self.socket.recv(4096)
            if not block:
                raise AssertionError(f"no answer to {order}, but {text}")
            text += block
        return text.decode().rstrip("\n")


class TellingCheck(Check):
    def orders(self):
        orders = Orders()
        self.addCleanup(orders.socket.close)
        return orders

    def speaker(self, *directives, mode="orders"):
        """A fixture that has started, and the way to tell it what to say."""
        fixture = self.fixture(mode, *directives)
        fixture.start()
        return fixture, self.orders()

    def tell(self, orders, order, answer=DONE):
        self.assertEqual(orders.ask(order), answer, order)


class TellingChecks(TellingCheck):
    def test_a_status_arrives_as_it_is_and_cannot_be_more_than_a_status(self):
        """STATUS arrives as it is, a backslash and all of Unicode included; an empty one takes it back"""
        fixture, orders = self.speaker()
        for text in ("serving", r"C:\new\table\\", "größer 😀 ﷽", 'a "quoted" = b', "100 % 'of' $all"):
            self.tell(orders, f"status {text}")
            self.assertEqual(fixture.show("StatusText"), text)
        self.tell(orders, "status a\rERRNO=5\r")
        self.assertEqual((fixture.show("StatusText"), fixture.show("StatusErrno")), ("a ERRNO=5", "0"))
        self.tell(orders, "status ")
        self.assertEqual(fixture.show("StatusText"), "")

    def test_the_longest_status_arrives_cut_at_a_character(self):
        """a STATUS that is too long arrives cut between two characters, with a sign that it is"""
        fixture, orders = self.speaker()
        self.tell(orders, "status " + "ö" * 3000)
        self.assertEqual(fixture.show("StatusText"), "ö" * ((2048 - 3) // 2) + "…")

    def test_the_longest_message_arrives_and_a_longer_one_is_not_sent(self):
        """a message of 4096 bytes arrives, its last variable too; one byte more is refused before it is sent"""
        fixture, orders = self.speaker()
        room = 4096 - len("X_CHECK=\nSTATUS=end")
        self.tell(orders, f"X_CHECK {'x' * room} + status end")
        self.assertEqual(fixture.show("StatusText"), "end")
        self.assertIn("messageTooLarge", orders.ask(f"X_CHECK {'x' * (room + 1)} + status END"))
        self.assertEqual(fixture.show("StatusText"), "end")

    def test_errors_are_shown_with_the_service(self):
        """ERRNO, BUSERROR and VARLINKERROR are the unit's properties; before systemd 257 only ERRNO is"""
        fixture, orders = self.speaker()
        self.tell(orders, "errno 2 + bus-error org.freedesktop.DBus.Error.TimedOut")
        self.tell(orders, "varlink-error org.varlink.service.MethodNotFound")
        self.assertEqual(fixture.show("StatusErrno"), "2")
        known = version() >= 257
        self.assertEqual(
            (fixture.show("StatusBusError"), fixture.show("StatusVarlinkError")),
            ("org.freedesktop.DBus.Error.TimedOut", "org.varlink.service.MethodNotFound") if known else ("", ""),
        )
        self.assertRegex(fixture.status, r"Error: (code: )?2 \(No such file or directory\)")

    def test_names_that_are_none_are_refused_before_they_are_sent(self):
        """a malformed error name, variable or descriptor's name never leaves, and the error says what would be right"""
        _, orders = self.speaker()
        for order, message in (
            ("bus-error TimedOut", "not a D-Bus error name"),
            ("varlink-error org.lower", "not a Varlink error name"),
            ("X-CHECK 1", "not a variable's name"),
            ("BARRIER 1", "goes with a descriptor"),
            ("store 1 a:b", "colon"),
            ("store 254 many", "1 to 253"),
        ):
            self.assertIn(message, orders.ask(order), order)

    def test_what_only_a_reader_knows_of_arrives_and_changes_nothing(self):
        """EXIT_STATUS and variables of one's own (X_) arrive, and change nothing"""
        fixture, orders = self.speaker()
        watch = self.watch(fixture)
        self.tell(orders, "exit-status 3")
        self.tell(orders, r"X_CHECK a \ = ä")
        watch.until("EXIT_STATUS=3")
        watch.until(r"X_CHECK=a \ = ä")
        self.assertEqual(fixture.state, ("active", "running"))

    def test_several_variables_in_one_message_are_one(self):
        """several variables in one message are one; READY beats RELOADING whatever their order (252: the last one)"""
        fixture, orders = self.speaker()
        watch = self.watch(fixture)
        self.tell(orders, "ready + reloading + status done + errno 4")
        self.assertEqual(fixture.show("ActiveState"), "active" if version() > 252 else "reloading")
        self.assertEqual((fixture.show("StatusText"), fixture.show("StatusErrno")), ("done", "4"))
        watch.until("ERRNO=4")
        told = [text.split("=")[0] for _, text in watch.manager if re.match("[A-Z_]+=", text)]
        self.assertEqual(told, ["READY", "RELOADING", "MONOTONIC_USEC", "STATUS", "ERRNO"])

    def test_a_reload_that_the_service_begins_is_one_until_it_says_ready(self):
        """RELOADING=1 from the service itself: the unit is reloading until READY=1"""
        fixture, orders = self.speaker()
        self.tell(orders, "reloading")
        self.assertEqual(fixture.show("ActiveState"), "reloading")
        self.tell(orders, "ready")
        self.assertEqual(fixture.state, ("active", "running"))

    def test_a_reload_dated_before_its_request_does_not_count(self):
        """Type=notify-reload: RELOADING=1 with a MONOTONIC_USEC before the request is ignored, one after it counts"""
        if version() < 253:
            self.skipTest("Type=notify-reload came with systemd 253")
        # A signal upon which the daemon does something, and tells the manager nothing.
        fixture, orders = self.speaker("Type=notify-reload", "ReloadSignal=SIGUSR1")
        watch = self.watch(fixture)
        reload = fixture.begin("reload")
        watch.until("running -> reload-signal")
        self.tell(orders, "reloading-since 1")
        self.tell(orders, "ready")
        self.assertEqual(fixture.state, ("reloading", "reload-signal"))
        self.assertFalse(reload.is_over)
        self.tell(orders, "reloading")
        self.assertEqual(fixture.state, ("reloading", "reload-notify"))
        self.tell(orders, "ready")
        reload.finish()
        self.assertEqual(fixture.state, ("active", "running"))

    def test_a_start_whose_reload_signal_would_end_it_is_refused(self):
        """Type=notify-reload: where the signal to reload is not caught, systemd 262 refuses the start at READY=1"""
        if version() < 262:
            self.skipTest("it came with systemd 262")
        fixture = self.fixture("serve", "Type=notify-reload", "ReloadSignal=SIGWINCH")
        with self.assertRaises(AssertionError):
            fixture.start()
        self.assertEqual(fixture.show("Result"), "protocol")

    def test_stopping_is_final(self):
        """STOPPING=1 from the service itself: the unit stops, and no READY=1 takes it back"""
        fixture, orders = self.speaker()
        watch = self.watch(fixture)
        self.tell(orders, "stopping")
        self.tell(orders, "ready")
        self.assertEqual(fixture.state, ("deactivating", "stop-sigterm"))
        fixture.signal("TERM")  # which the manager does not send to who stops by itself
        watch.until("stop-sigterm -> dead")

    def test_who_ends_before_ready_has_broken_the_protocol(self):
        """a service that ends before READY=1, with exit status 0, has failed: result protocol"""
        fixture = self.fixture("slow-start")
        watch = self.watch(fixture)
        start = fixture.begin("start")
        watch.line("waiting for SIGHUP")
        fixture.signal("TERM")
        with self.assertRaises(AssertionError):
            start.finish()
        self.assertEqual((fixture.show("Result"), fixture.show("ExecMainStatus")), ("protocol", "0"))

    def test_a_flood_arrives_in_order_and_what_is_lost_is_counted(self):
        """10,000 messages at once: what the queue had no room for is counted, the rest arrives in order"""
        fixture, orders = self.speaker()
        watch = self.watch(fixture)
        answer = orders.ask("flood")
        self.assertRegex(answer, r"^passed, \d+ dropped$")
        dropped = int(answer.split()[1])
        self.tell(orders, "status after it")
        watch.until("STATUS=after it")
        numbers = [int(text.split("=")[1]) for text in watch.sequence("X_CHECK_FLOOD")]
        self.assertEqual(len(numbers), 10_000 - dropped)
        self.assertEqual(numbers, sorted(set(numbers)))


class MainProcessChecks(TellingCheck):
    def speaker_and_other(self, *directives):
        fixture, orders = self.speaker("NotifyAccess=all", KILL, *directives)
        return fixture, orders, fixture.process, int(orders.ask("spawn"))

    def inode(self, process):
        descriptor = os.pidfd_open(process)
        try:
            return os.fstat(descriptor).st_ino
        finally:
            os.close(descriptor)

    def test_another_process_becomes_the_main_one(self):
        """MAINPID makes another process of the service the main one, and the first one again"""
        fixture, orders, first, other = self.speaker_and_other()
        for process in (other, first):
            self.tell(orders, f"main {process}")
            self.assertEqual(fixture.process, process)

    def test_the_inode_of_a_pidfd_tells_processes_apart(self):
        """MAINPIDFDID must be that of MAINPID, or it stays as it was; before systemd 257 it says nothing"""
        fixture, orders, first, other = self.speaker_and_other()
        self.tell(orders, f"main {other} {self.inode(first)}")
        self.assertEqual(fixture.process, first if version() >= 257 else other)
        self.tell(orders, f"main {other} {self.inode(other)}")
        self.assertEqual(fixture.process, other)

    def test_a_descriptor_of_a_process_makes_it_the_main_one(self):
        """MAINPIDFD makes the process of a pidfd the main one; before systemd 257 it is ignored"""
        fixture, orders, first, other = self.speaker_and_other()
        self.tell(orders, f"main {other}")
        self.tell(orders, "main-descriptor")
        self.assertEqual(fixture.process, first if version() >= 257 else other)

    def test_a_process_of_another_unit_does_not(self):
        """MAINPID of a process that is none of the service's changes nothing"""
        fixture, orders, first, _ = self.speaker_and_other()
        self.tell(orders, f"main {os.getpid()}")
        self.assertEqual(fixture.process, first)


class AccessChecks(TellingCheck):
    def test_the_access_can_be_changed(self):
        """NOTIFYACCESS changes whose messages are taken, none takes nobody's; before systemd 254 it is ignored"""
        fixture, orders = self.speaker()
        known = version() >= 254
        for access in ("all", "exec", "main", "none"):
            self.tell(orders, f"access {access}")
            self.assertEqual(fixture.show("NotifyAccess"), access if known else "main")
        self.tell(orders, "status unheard")
        self.assertEqual(fixture.show("StatusText"), "" if known else "unheard")

    def test_who_is_not_the_main_process_is_not_heard(self):
        """with NotifyAccess=main a process that has given up its place as the main one is not heard any more"""
        fixture, orders = self.speaker("NotifyAccess=main", KILL)
        self.tell(orders, f"main {orders.ask('spawn')} + status last words")
        self.tell(orders, "status unheard")
        self.assertEqual(fixture.show("StatusText"), "last words")

    def test_where_all_are_heard_who_is_not_the_main_process_is(self):
        """with NotifyAccess=all a process is heard that is not the main one"""
        fixture, orders = self.speaker("NotifyAccess=all", KILL)
        self.tell(orders, f"main {orders.ask('spawn')}")
        self.tell(orders, "status heard")
        self.assertEqual(fixture.show("StatusText"), "heard")


class WatchdogChecks(TellingCheck):
    def test_the_time_of_the_watchdog_can_be_changed(self):
        """WATCHDOG_USEC changes the watchdog's time, and a service without WatchdogSec= gets one that it must keep"""
        fixture, orders = self.speaker()
        watch = self.watch(fixture)
        self.assertEqual(fixture.show("WatchdogUSec"), "0")
        self.tell(orders, "watchdog-timeout 30000000 + watchdog")
        self.assertEqual(fixture.show("WatchdogUSec"), "30s")
        self.tell(orders, "watchdog-timeout 100000")
        watch.until("Watchdog timeout (limit 100ms)!")
        watch.until("Failed with result 'watchdog'.")

    def test_the_watchdog_can_be_switched_off(self):
        """WATCHDOG_USEC of zero switches the watchdog off"""
        fixture, orders = self.speaker("WatchdogSec=20s")
        self.assertEqual(fixture.show("WatchdogUSec"), "20s")
        self.tell(orders, "watchdog-timeout 0")
        self.assertIn(fixture.show("WatchdogUSec"), ("0", "infinity"))


if __name__ == "__main__":
    unittest.main()
