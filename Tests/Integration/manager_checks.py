"""What the other checks rely on, tried inside with-systemd: the sandbox's systemd runs units in earnest.

    with-systemd --copy Tests/Integration:/checks -- python3 /checks/checks.py manager_checks
"""

import os
import pathlib
import socket
import unittest

from service import Check, run

NOTIFY = """
import os, signal, socket, sys
manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
manager.connect(os.environ["NOTIFY_SOCKET"])
manager.send(b"READY=1")
signal.pause()
"""

ANSWER = """
import os, socket
assert os.environ["LISTEN_PID"] == str(os.getpid())
listener = socket.socket(fileno=3)
while True:
    connection, _ = listener.accept()
    connection.sendall(b"%s %d" % (os.environ["LISTEN_FDNAMES"].encode(), os.getuid()))
    connection.close()
"""


class ManagerChecks(Check):
    def once(self, name, command, *directives):
        """Runs a command as a unit to its end; returns what it said."""
        said = pathlib.Path(f"/run/{name}.said")
        output = ("StandardInput=null", f"StandardOutput=file:{said}", "StandardError=inherit")
        settings = "\n".join((*output, *directives))
        service = self.service(name, f"[Service]\nType=oneshot\nExecStart={command}\n{settings}\n")
        try:
            service.start()
        except AssertionError as failure:
            raise AssertionError(f"{failure}\n{said.read_text()}") from None
        return said.read_text().splitlines()

    def test_the_manager_is_pid_1_and_all_its_units_are_up(self):
        """the manager is PID 1, and all its units are up"""
        self.assertEqual(pathlib.Path("/proc/1/comm").read_text().strip(), "systemd")
        self.assertEqual(run("systemctl", "is-system-running").strip(), "running")

    def test_the_journal_has_what_a_unit_says(self):
        """the journal has what a unit says"""
        service = self.service("says", "[Service]\nType=oneshot\nExecStart=/bin/echo said by a unit\n")
        watch = self.watch(service)
        service.start()
        watch.line("^said by a unit$")

    def test_a_failed_unit_is_seen_to_fail(self):
        """a failed unit is seen to fail"""
        with self.assertRaisesRegex(AssertionError, "status 1"):
            self.once("fails", "/bin/false")

    def test_a_dynamic_user_is_neither_root_nor_in_passwd(self):
        """a dynamic user is neither root nor in passwd"""
        said = self.once("dynamic", "/bin/sh -c 'id -u'", "DynamicUser=yes")
        users = [int(line) for line in said if line.isdigit()]
        self.assertEqual(len(users), 1, said)
        self.assertTrue(61184 <= users[0] <= 65519, users)

    def test_a_private_network_is_a_namespace_with_a_loopback_and_nothing_else(self):
        """a private network is a namespace with a loopback and nothing else"""
        said = self.once("private", "/bin/sh -c 'readlink /proc/self/ns/net; cat /proc/net/dev'", "PrivateNetwork=yes")
        self.assertEqual(sum(line.startswith("net:[") for line in said), 1, said)
        self.assertNotIn(os.readlink("/proc/self/ns/net"), said)
        interfaces = [line.split(":")[0].strip() for line in said if line.endswith("0") and ":" in line]
        self.assertEqual(interfaces, ["lo"])

    def test_an_empty_bounding_set_leaves_no_capability(self):
        """an empty bounding set leaves no capability"""
        said = self.once("bounded", "/bin/grep -E ^Cap(Eff|Bnd) /proc/self/status", "CapabilityBoundingSet=")
        self.assertIn("CapEff:\t0000000000000000", said)
        self.assertIn("CapBnd:\t0000000000000000", said)

    def test_a_strictly_protected_system_cannot_be_written(self):
        """a strictly protected system cannot be written"""
        said = self.once(
            "protected", "/bin/sh -c 'touch /etc/x /usr/x /var/x || echo refused'", "ProtectSystem=strict"
        )
        self.assertIn("refused", said)
        self.assertFalse(any(pathlib.Path(path).exists() for path in ("/etc/x", "/usr/x", "/var/x")))

    def test_a_credential_is_handed_over(self):
        """a credential is handed over"""
        pathlib.Path("/run/secret").write_text("swordfish\n")
        said = self.once(
            "credential",
            "/bin/sh -c 'cat $CREDENTIALS_DIRECTORY/key'",
            "LoadCredential=key:/run/secret",
            "DynamicUser=yes",
        )
        self.assertIn("swordfish", said)

    def test_a_system_call_filter_is_in_force(self):
        """a system call filter is in force"""
        said = self.once(
            "filtered",
            "/bin/sh -c 'uname || echo refused'",
            "SystemCallFilter=~uname",
            "SystemCallErrorNumber=EPERM",
        )
        self.assertIn("refused", said)

    def test_a_connection_to_a_port_below_1024_starts_the_service_and_is_answered(self):
        """a connection to a port below 1024 starts the service, and is answered"""
        pathlib.Path("/run/answer.py").write_text(ANSWER)
        self.install("answer.socket", "[Socket]\nListenStream=80\nFileDescriptorName=http\n")
        self.service("answer", "[Service]\nDynamicUser=yes\nExecStart=/usr/bin/python3 /run/answer.py\n")
        run("systemctl", "start", "answer.socket")
        for address in ("127.0.0.1", "::1"):
            with socket.create_connection((address, 80), timeout=30) as connection:
                name, user = connection.recv(100).split()
                self.assertEqual(name, b"http")
                self.assertNotEqual(user, b"0")

    def test_a_service_that_does_not_ping_is_ended_by_the_watchdog(self):
        """a service that does not ping is ended by the watchdog"""
        pathlib.Path("/run/notify.py").write_text(NOTIFY)
        os.mkfifo("/run/result")
        silent = self.service(
            "silent",
            "[Service]\nType=notify\nWatchdogSec=100ms\nLimitCORE=0\n"
            "ExecStart=/usr/bin/python3 /run/notify.py\n"
            "ExecStopPost=/bin/sh -c 'echo $SERVICE_RESULT >/run/result'\n",
        )
        silent.start()
        self.assertEqual(run("cat", "/run/result").strip(), "watchdog")


if __name__ == "__main__":
    unittest.main()
