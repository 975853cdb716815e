"""What the manager passes to a process: sockets of every kind, files, connections; and to which process."""

import pathlib
import socket
import unittest

from journal_checks import REPORT, entries
from service import FIXTURE, PATIENCE, Check, Service, run, version
from telling_checks import DONE, Orders


class PassingCheck(Check):
    def report(self, service):
        """What the process found; each thing may be there several times."""
        (entry,) = entries(service, REPORT)
        self.assertNotIn("PROBLEM", entry)
        return entry

    def descriptors(self, service):
        found = self.report(service).get("DESCRIPTOR", [])
        return [found] if isinstance(found, str) else found

    def sockets(self, **units):
        """A socket unit of each name with these lines, for the fixture that is started with all of them."""
        for name, lines in units.items():
            text = "\n".join(("[Socket]", "Service=fixture.service", *lines, ""))
            self.install(f"{name}.socket", text)
        names = " ".join(f"{name}.socket" for name in units)
        # Without a port of its own, whatever it is passed.
        fixture = self.fixture("facts", "Environment=PORT=0", f"Sockets={names}")
        return fixture

    def change(self, mode, *directives):
        """Has the next start of the fixture be one in another mode."""
        lines = ("[Service]", "ExecStart=", f"ExecStart={FIXTURE} {mode}", *directives, "")
        self.changes = getattr(self, "changes", 0) + 1
        self.install(f"fixture.service.d/{self.changes}.conf", "\n".join(lines))


class SocketChecks(PassingCheck):
    def test_sockets_of_every_kind_are_told_apart(self):
        """sockets, a FIFO, a special file and a queue: each is passed in the unit's order and known for what it is"""
        fixture = self.sockets(
            echo=(
                "FileDescriptorName=many",
                *("ListenStream=127.0.0.1:7071", "ListenStream=[::1]:7072", "ListenDatagram=127.0.0.1:7073"),
                *("ListenStream=/run/kinds.stream", "ListenSequentialPacket=/run/kinds.packets"),
                *("ListenDatagram=@kinds.datagrams", "ListenFIFO=/run/kinds.fifo", "ListenSpecial=/dev/pts/ptmx"),
                *("ListenMessageQueue=/kinds", "ListenNetlink=kobject-uevent 1"),
            )
        )
        fixture.start()
        self.assertEqual(
            self.descriptors(fixture),
            [
                "many stream listener 127.0.0.1:7071",
                "many stream listener [::1]:7072",
                "many datagram 127.0.0.1:7073",
                "many stream listener /run/kinds.stream",
                "many seqpacket listener /run/kinds.packets",
                "many datagram @kinds.datagrams",
                "many fifo -",
                "many other -",
                "many message queue -",
                "many datagram -",
            ],
        )

    def test_each_unit_has_its_name_and_its_order(self):
        """sockets of two units come under the names of each, in the order within it; by default its own name"""
        fixture = self.sockets(
            first=("FileDescriptorName=a", "ListenStream=7071", "ListenStream=7072"), second=("ListenStream=7073",)
        )
        fixture.start()
        found = self.descriptors(fixture)
        self.assertEqual(
            sorted(found),
            [
                "a stream listener [::]:7071",
                "a stream listener [::]:7072",
                "second.socket stream listener [::]:7073",
            ],
        )
        self.assertEqual([text[-5:-1] for text in found if text.startswith("a ")], [":707"] * 2)
        self.assertLess(found.index("a stream listener [::]:7071"), found.index("a stream listener [::]:7072"))

    def test_files_that_the_unit_opens_are_passed_as_well(self):
        """OpenFile=: a file and a Unix socket's path are passed under their names"""
        if version() < 253:
            self.skipTest("OpenFile= came with systemd 253")
        pathlib.Path("/run/opened").write_text("text")
        with socket.socket(socket.AF_UNIX) as other:
            other.bind("/run/opened.socket")
            self.addCleanup(pathlib.Path("/run/opened.socket").unlink)
            other.listen()
            fixture = self.fixture(
                "facts",
                *("OpenFile=/run/opened:text:read-only", "OpenFile=/run/opened.socket:peer"),
                "OpenFile=/run/nowhere:missing:graceful,read-only",
            )
            fixture.start()
            found = sorted(self.descriptors(fixture))
        self.assertEqual([text.rsplit(" ", 1)[0] for text in found], ["peer connection", "text file"])

    def test_what_is_stored_comes_after_what_listens(self):
        """what is stored comes back after the sockets, under the names that it was stored with"""
        fixture = self.sockets(a=("ListenStream=7071",), z=("ListenStream=7072",))
        self.change("orders", "FileDescriptorStoreMax=2")
        fixture.start()
        orders = Orders()
        for name in ("kept", "b c"):
            # A pipe, whose end comes with that of the process.
            self.assertEqual(orders.ask(f"store-unwatched 1 {name}"), DONE)
        orders.socket.close()
        self.change("facts")
        fixture.restart()
        found = self.descriptors(fixture)
        listeners = ["a.socket stream listener [::]:7071", "z.socket stream listener [::]:7072"]
        self.assertEqual(sorted(found[:2]), listeners)
        self.assertEqual(sorted(found[2:]), ["b c fifo -", "kept fifo -"])

    def test_the_process_is_named_by_its_pidfd_as_well(self):
        """LISTEN_PIDFDID (systemd 259) names the process, and the descriptors are taken"""
        if version() < 259:
            self.skipTest("LISTEN_PIDFDID came with systemd 259")
        fixture = self.sockets(first=("ListenStream=7071",))
        fixture.start()
        self.assertEqual(self.descriptors(fixture), ["first.socket stream listener [::]:7071"])
        self.assertTrue(self.report(fixture)["VARIABLE_LISTEN_PIDFDID"].isdigit())

    def test_a_process_that_the_manager_did_not_start_gets_nothing(self):
        """a child of the main process takes neither sockets nor watchdog, and knows that it is not the main one"""
        fixture = self.sockets(first=("ListenStream=7071",))
        wrapper = f"ExecStart=/bin/sh -c '{FIXTURE} facts; exit'"
        self.install(
            "fixture.service.d/wrapped.conf",
            "\n".join(("[Service]", "ExecStart=", wrapper, "NotifyAccess=all", "WatchdogSec=50", "KillMode=mixed", "")),
        )
        fixture.start()
        entry = self.report(fixture)
        self.assertNotIn("DESCRIPTOR", entry)
        self.assertEqual((entry["WATCHDOG"], entry["IS_MAIN"], entry["IS_SUPERVISED"]), ("", "false", "true"))

    def test_the_main_process_is_told_of_its_watchdog(self):
        """the main process is told of the watchdog's time, and that it is the main one"""
        fixture = self.fixture("facts", "WatchdogSec=50")
        fixture.start()
        entry = self.report(fixture)
        self.assertEqual((entry["WATCHDOG"], entry["IS_MAIN"]), ("50.0 seconds", "true"))


class ConnectionChecks(PassingCheck):
    def accept(self, address, *lines, settings=()):
        """A connection for which the manager starts an instance; returns it and the instance."""
        self.install("accept.socket", "\n".join(("[Socket]", "Accept=yes", *lines, "")))
        self.install(
            "accept@.service",
            "\n".join(
                (
                    *("[Service]", "Type=notify", f"ExecStart={FIXTURE} facts", "Environment=PORT=0"),
                    *("LimitCORE=0", *settings, ""),
                )
            ),
        )
        self.addCleanup(run, "systemctl", "stop", "accept.socket", "accept@*.service")
        run("systemctl", "start", "accept.socket")
        family = socket.AF_INET if isinstance(address, tuple) else socket.AF_UNIX
        connection = socket.socket(family)
        connection.settimeout(PATIENCE)
        self.addCleanup(connection.close)
        if family == socket.AF_UNIX:
            connection.bind("/run/caller")
            self.addCleanup(pathlib.Path("/run/caller").unlink)
        connection.connect(address)
        return connection, self.instance()

    def instance(self):
        """The only one; the connection has been made, and the manager asks for the list when it has seen it."""
        while True:
            units = run("systemctl", "list-units", "--all", "--plain", "--no-legend", "accept@*.service").split()
            if units:
                service = Service(units[0].removesuffix(".service"))
                service.start()  # returns when it is ready
                return service

    def test_a_connection_of_its_own_comes_with_the_callers_address(self):
        """Accept=yes: the process gets one connection, named so, and the caller's address (REMOTE_ADDR)"""
        connection, instance = self.accept(("127.0.0.1", 7075), "ListenStream=127.0.0.1:7075")
        entry = self.report(instance)
        self.assertEqual(entry["DESCRIPTOR"], "connection connection 127.0.0.1:7075")
        address, port = connection.getsockname()
        self.assertEqual((entry["VARIABLE_REMOTE_ADDR"], entry["VARIABLE_REMOTE_PORT"]), (address, str(port)))
        if version() >= 258:
            self.assertTrue(entry["VARIABLE_SO_COOKIE"].isdigit())

    def test_a_connection_on_a_path_has_the_callers_path(self):
        """Accept=yes on a Unix socket: REMOTE_ADDR is the caller's path, which systemd tells since 257; no port"""
        _, instance = self.accept("/run/accept", "ListenStream=/run/accept")
        entry = self.report(instance)
        self.assertEqual(entry["DESCRIPTOR"], "connection connection /run/accept")
        self.assertEqual(entry.get("VARIABLE_REMOTE_ADDR"), "/run/caller" if version() >= 257 else None)
        self.assertNotIn("VARIABLE_REMOTE_PORT", entry)

    def test_a_connection_can_have_a_name(self):
        """Accept=yes with FileDescriptorName=: since systemd 257 the connection has that name"""
        _, instance = self.accept("/run/accept", "ListenStream=/run/accept", "FileDescriptorName=caller")
        name = "caller" if version() >= 257 else "connection"
        self.assertEqual(self.report(instance)["DESCRIPTOR"], f"{name} connection /run/accept")

    def test_a_connection_as_standard_input_is_not_passed(self):
        """StandardInput=socket: the connection is standard input, and nothing is passed beside it"""
        settings = ("StandardInput=socket",)
        connection, instance = self.accept(("127.0.0.1", 7075), "ListenStream=127.0.0.1:7075", settings=settings)
        entry = self.report(instance)
        self.assertNotIn("DESCRIPTOR", entry)
        self.assertEqual(entry["VARIABLE_REMOTE_PORT"], str(connection.getsockname()[1]))


if __name__ == "__main__":
    unittest.main()
