"""What programs that the daemon starts get of what the manager gave to it: nothing."""

import os
import pathlib
import re
import unittest

from service import Check

SOCKET = "[Socket]\nListenStream=7777\nFileDescriptorName=echo\n"


class InheritanceChecks(Check):
    def test_programs_started_from_it_inherit_neither_variables_nor_descriptors(self):
        """programs started from it inherit neither the manager's variables nor a descriptor"""
        self.install("fixture.socket", SOCKET)
        fixture = self.fixture("environment", "WatchdogSec=1min", "Sockets=fixture.socket")
        watch = self.watch(fixture)
        fixture.start()
        watch.until("start -> running")

        process = pathlib.Path(f"/proc/{fixture.process}")
        given = [entry.split("=")[0] for entry in (process / "environ").read_text().split("\0")]
        for variable in ("LISTEN_FDS", "LISTEN_FDNAMES", "LISTEN_PID", "NOTIFY_SOCKET", "WATCHDOG_USEC"):
            self.assertIn(variable, given)  # at its start
        own = {
            os.readlink(descriptor)
            for descriptor in (process / "fd").iterdir()
            if int(descriptor.name) > 2 and os.readlink(descriptor).startswith(("socket:", "pipe:"))
        }
        self.assertGreaterEqual(len(own), 2)  # the listener and the manager's address

        # The program lists its variables, then its descriptors; the last is that of the list itself.
        watch.line(r"-> /proc/\d+/fd$")
        said = [text for _, text in watch.service]
        self.assertEqual([text for text in said if re.match("LISTEN_|NOTIFY_|WATCHDOG_", text)], [])
        descriptors = dict(found.groups() for text in said if (found := re.search(r"(\d+) -> (\S+)$", text)))
        self.assertLessEqual({"0", "1", "2"}, descriptors.keys())
        inherited = {target for number, target in descriptors.items() if int(number) > 2}
        self.assertEqual(inherited & own, set())


if __name__ == "__main__":
    unittest.main()
