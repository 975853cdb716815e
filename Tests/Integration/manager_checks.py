r"""What the other checks rely on, tried inside with-systemd: the sandbox's systemd runs units in earnest.

    with-systemd --copy Tests/Integration:/checks -- \
        python3 -m unittest discover -s /checks -p manager_checks.py
"""

import os
import pathlib
import socket
import subprocess
import unittest

UNITS = pathlib.Path("/run/systemd/system")

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


def run(*arguments):
    """The standard output of a command that must succeed."""
    done = subprocess.run(arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=30)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(arguments)}: status {done.returncode}\n{done.stdout}")
    return done.stdout


def install(name, text):
    (UNITS / name).write_text(text)
    run("systemctl", "daemon-reload")


def lines_of(unit):
    run("journalctl", "--sync")
    return run("journalctl", "--unit", unit, "--output", "cat").splitlines()


class ManagerChecks(unittest.TestCase):
    def setUp(self):
        self.addCleanup(run, "systemctl", "reset-failed")

    def once(self, name, command, *directives):
        """Runs a command as a unit to its end; returns what the unit said to the journal."""
        settings = "\n".join(directives)
        install(f"{name}.service", f"[Service]\nType=oneshot\nExecStart={command}\n{settings}\n")
        try:
            run("systemctl", "start", f"{name}.service")
        except AssertionError as failure:
            raise AssertionError(f"{failure}\n" + "\n".join(lines_of(f"{name}.service"))) from None
        return lines_of(f"{name}.service")

    def test_the_manager_is_pid_1_and_all_its_units_are_up(self):
        self.assertEqual(pathlib.Path("/proc/1/comm").read_text().strip(), "systemd")
        self.assertEqual(run("systemctl", "is-system-running").strip(), "running")

    def test_the_journal_has_what_a_unit_says(self):
        self.assertIn("said by a unit", self.once("says", "/bin/echo said by a unit"))

    def test_a_failed_unit_is_seen_to_fail(self):
        with self.assertRaisesRegex(AssertionError, "status 1"):
            self.once("fails", "/bin/false")

    def test_a_dynamic_user_is_neither_root_nor_in_passwd(self):
        said = self.once("dynamic", "/bin/sh -c 'id -u'", "DynamicUser=yes")
        users = [int(line) for line in said if line.isdigit()]
        self.assertEqual(len(users), 1, said)
        self.assertTrue(61184 <= users[0] <= 65519, users)

    def test_a_private_network_is_a_namespace_with_a_loopback_and_nothing_else(self):
        command = "/bin/sh -c 'readlink /proc/self/ns/net; cat /proc/net/dev'"
        said = self.once("private", command, "PrivateNetwork=yes")
        self.assertEqual(sum(line.startswith("net:[") for line in said), 1, said)
        self.assertNotIn(os.readlink("/proc/self/ns/net"), said)
        interfaces = [line.split(":")[0].strip() for line in said if line.endswith("0") and ":" in line]
        self.assertEqual(interfaces, ["lo"])

    def test_an_empty_bounding_set_leaves_no_capability(self):
        said = self.once("bounded", "/bin/grep -E ^Cap(Eff|Bnd) /proc/self/status", "CapabilityBoundingSet=")
        self.assertIn("CapEff:\t0000000000000000", said)
        self.assertIn("CapBnd:\t0000000000000000", said)

    def test_a_strictly_protected_system_cannot_be_written(self):
        said = self.once(
            "protected", "/bin/sh -c 'touch /etc/x /usr/x /var/x || echo refused'", "ProtectSystem=strict"
        )
        self.assertIn("refused", said)
        self.assertFalse(any(pathlib.Path(path).exists() for path in ("/etc/x", "/usr/x", "/var/x")))

    def test_a_credential_is_handed_over(self):
        pathlib.Path("/run/secret").write_text("swordfish\n")
        said = self.once(
            "credential",
            "/bin/sh -c 'cat $CREDENTIALS_DIRECTORY/key'",
            "LoadCredential=key:/run/secret",
            "DynamicUser=yes",
        )
        self.assertIn("swordfish", said)

    def test_a_system_call_filter_is_in_force(self):
        said = self.once(
            "filtered",
            "/bin/sh -c 'uname || echo refused'",
            "SystemCallFilter=~uname",
            "SystemCallErrorNumber=EPERM",
        )
        self.assertIn("refused", said)

    def test_a_connection_to_a_port_below_1024_starts_the_service_and_is_answered(self):
        pathlib.Path("/run/answer.py").write_text(ANSWER)
        install("answer.service", "[Service]\nDynamicUser=yes\nExecStart=/usr/bin/python3 /run/answer.py\n")
        install("answer.socket", "[Socket]\nListenStream=80\nFileDescriptorName=http\n")
        run("systemctl", "start", "answer.socket")
        self.addCleanup(run, "systemctl", "stop", "answer.socket", "answer.service")
        for address in ("127.0.0.1", "::1"):
            with socket.create_connection((address, 80), timeout=30) as connection:
                name, user = connection.recv(100).split()
                self.assertEqual(name, b"http")
                self.assertNotEqual(user, b"0")

    def test_a_service_that_does_not_ping_is_ended_by_the_watchdog(self):
        pathlib.Path("/run/notify.py").write_text(NOTIFY)
        os.mkfifo("/run/result")
        install(
            "silent.service",
            "[Service]\nType=notify\nWatchdogSec=100ms\nLimitCORE=0\n"
            "ExecStart=/usr/bin/python3 /run/notify.py\n"
            "ExecStopPost=/bin/sh -c 'echo $SERVICE_RESULT >/run/result'\n",
        )
        run("systemctl", "start", "silent.service")
        self.assertEqual(run("cat", "/run/result").strip(), "watchdog")


if __name__ == "__main__":
    unittest.main()
