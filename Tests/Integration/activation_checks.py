"""Sockets that the manager passes: who is served on them, with which rights, and what needs no name."""

import pathlib
import unittest

from service import HELLO, Check, ask

FAMILIES = {"IPv4": "127.0.0.1", "IPv6": "::1"}

# No port at all: a listener that looks at PORT fails to start.
SERVICE = f"""
[Unit]
Requires=named.socket
After=named.socket
[Service]
Type=notify
ExecStart={HELLO}
Environment=PORT=none
DynamicUser=yes
"""


class ActivationChecks(Check):
    def test_the_connection_that_starts_the_service_is_answered_without_privileges(self):
        """on port 80 the very connection that starts it is answered, over IPv4 and IPv6, with no capability"""
        for family, address in FAMILIES.items():
            with self.subTest(family):
                hello = self.hello()
                self.assertEqual(hello.state, ("inactive", "dead"))
                client = self.client(80, address)
                self.assertEqual(client.ask().body, "Hello World!")
                self.assertEqual(hello.state, ("active", "running"))
                status = dict(
                    line.split(":\t", 1)
                    for line in pathlib.Path(f"/proc/{hello.process}/status").read_text().splitlines()
                    if ":\t" in line
                )
                self.assertNotIn("0", status["Uid"].split())
                for name in ("CapEff", "CapBnd", "CapPrm", "CapAmb"):
                    self.assertEqual(int(status[name], 16), 0, name)
                client.close()
                hello.stop()

    def test_after_a_request_the_process_stays(self):
        """the process stays after a request, and answers the next (H2-07)"""
        hello = self.hello()
        ask()
        process = hello.process
        for address in (*FAMILIES.values(),) * 3:
            self.assertEqual(ask(address=address).status, 200)
        self.assertEqual((hello.process, hello.state), (process, ("active", "running")))

    def test_after_a_stop_of_the_service_alone_the_next_request_starts_a_new_process(self):
        """stopped alone, its socket still listens, and the next request starts a new process (H2-08)"""
        hello = self.hello()
        ask()
        first = hello.process
        hello.stop()
        self.assertEqual(hello.state, ("inactive", "dead"))
        self.assertEqual(ask().body, "Hello World!")
        self.assertNotIn(hello.process, (0, first))

    def test_stopped_with_its_socket_it_is_gone(self):
        """stopped together with its socket, it refuses connections"""
        hello = self.hello()
        ask()
        hello.clean_up()
        with self.assertRaises(ConnectionRefusedError):
            ask()

    def test_port_is_ignored_where_a_socket_was_passed(self):
        """with a socket passed under its name, the listener does not even read PORT (H2-01)"""
        self.serves_what_is_passed("FileDescriptorName=http")

    def test_a_sole_socket_of_another_name_is_served(self):
        """with one socket passed, under another name, the listener serves that and does not read PORT (H2-01)"""
        self.serves_what_is_passed("FileDescriptorName=web")

    def test_a_sole_socket_of_no_given_name_is_served(self):
        """with one socket passed, of which no unit said a name, the listener serves that (H2-01)"""
        self.serves_what_is_passed("")

    def serves_what_is_passed(self, directive):
        self.install("named.socket", f"[Socket]\nListenStream=8083\n{directive}\n")
        service = self.service("named", SERVICE)
        watch = self.watch(service)
        service.start()
        self.assertEqual(ask(port=8083).body, "Hello World!")
        self.assertRegex(watch.line("listener http"), r"listening on \S+:8083, passed by the service manager")

    def test_a_socket_without_any_name_is_served(self):
        """a socket passed without LISTEN_FDNAMES is served"""
        hello = self.plain("/usr/bin/systemd-socket-activate", "--listen=8084", HELLO, PORT="none")
        hello.line("Listening on")
        self.assertEqual(ask(port=8084).body, "Hello World!")
        hello.line("listener http: listening on .*:8084, passed")
        hello.signal("TERM")
        self.assertEqual(hello.wait(), 0)

    def test_sockets_meant_for_another_process_are_left_alone(self):
        """with LISTEN_PID of another process the descriptors are not touched, and PORT counts"""
        hello = self.plain(HELLO, PORT="8085", LISTEN_PID="1", LISTEN_FDS="1", LISTEN_FDNAMES="http")
        hello.line("listener http: listening on .*:8085$")
        self.assertEqual(ask(port=8085).body, "Hello World!")


if __name__ == "__main__":
    unittest.main()
