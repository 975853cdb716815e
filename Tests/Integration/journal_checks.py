"""What reaches the journal: entries of every kind, as it gives them back, and lines with priorities."""

import json
import unittest

from service import Check, run

REPORT = "MESSAGE_ID=5f357ffdb9c44e0fa7f5d7a58d3c6b1e"


def entries(service, *matches, namespace=None):
    """The entries of this run of the unit, oldest first."""
    journal = ("journalctl", *([f"--namespace={namespace}"] if namespace else []))
    run(*journal, "--sync")
    by_run = (f"_SYSTEMD_INVOCATION_ID={service.show('InvocationID')}", *matches)
    # 252 may take the first entries of a process for the manager's own, whose cgroup it starts in.
    by_process = (f"_PID={service.show('ExecMainPID')}", *matches)
    lines = run(*journal, "--output=json", "--all", "--quiet", *by_run, "+", *by_process).splitlines()
    return [json.loads(line) for line in lines]


class JournalChecks(Check):
    def test_entries_come_back_as_they_were_sent(self):
        """entries come back as they were sent: of several lines, of bytes, of a mebibyte, of very many fields"""
        fixture = self.fixture("journal")
        fixture.start()
        first, large, many, *grades = entries(fixture, REPORT)

        self.assertEqual(first["MESSAGE"], "one\ntwo <0>three")
        self.assertEqual(first["PRIORITY"], "4")
        self.assertEqual(first["SYSLOG_IDENTIFIER"], "reporter")
        self.assertEqual(first["ERRNO"], "2")
        self.assertEqual(first["CODE_FILE"], "DaemonFixture/Reports.swift")
        self.assertGreater(int(first["CODE_LINE"]), 1)
        self.assertIn("CODE_FUNC", first)
        self.assertEqual(first["DOCUMENTATION"], "man:daemon(7)")
        self.assertEqual(sorted(first["SEVERAL"]), ["first", "second"])
        self.assertEqual(first["OWN_NAME"], "lines\n\nof text\n")
        self.assertEqual(first["BYTES"], list(range(256)))
        self.assertEqual(first["_TRANSPORT"], "journal")
        self.assertEqual(first["_PID"], str(fixture.process))

        self.assertEqual(large["MESSAGE"], "large")
        self.assertEqual(large["LARGE"], "x" * (1 << 20))

        self.assertEqual(many["MESSAGE"], "many")
        own = {name: value for name, value in many.items() if name.startswith("FIELD_")}
        self.assertEqual(own, {f"FIELD_{number}": str(number) for number in range(2, 1023)})

        names = ("emergency", "alert", "critical", "error", "warning", "notice", "info", "debug")
        self.assertEqual(
            [(entry["MESSAGE"], entry["PRIORITY"]) for entry in grades],
            [(name, str(number)) for number, name in enumerate(names)],
        )

    def test_every_line_on_standard_error_has_its_priority_and_no_other(self):
        """every line on standard error has the priority it was given, whatever it begins with"""
        fixture = self.fixture("journal")
        fixture.start()
        lines = [entry for entry in entries(fixture, "_TRANSPORT=stdout") if entry["PRIORITY"] != "6"]
        text = [line["MESSAGE"] for line in lines]
        self.assertEqual(text[:3], ["first of many", "<0>second", "<1>third"])
        self.assertEqual("".join(text[3:]), "y" * 60_000 + "<2>fourth")
        self.assertEqual({line["PRIORITY"] for line in lines}, {"5"})

    def test_what_does_not_go_to_the_journal_has_no_prefix(self):
        """lines that go to a file, and not to the journal, have no priorities before them"""
        self.fixture("journal", "StandardError=file:/run/fixture.said").start()
        with open("/run/fixture.said") as said:
            text = said.read()
        self.assertIn("standard error is not the journal\n", text)
        self.assertNotRegex(text, "(?m)^<[0-7]>")


if __name__ == "__main__":
    unittest.main()
