"""Runs the checks that belong inside with-systemd: a line for each, and at the end what went wrong and why.

    python3 checks.py [PATTERN...]     only those whose file, class or method has one of the patterns in its name
"""

import pathlib
import re
import subprocess
import sys
import time
import unittest


class Report(unittest.TestResult):
    """One line per check: its verdict, how long it took, and the fact that its docstring states."""

    def __init__(self):
        super().__init__()
        self.details = []

    def startTest(self, test):
        super().startTest(test)
        self.began = time.monotonic()
        self.since = time.time()
        self.verdict = "ok"

    def stopTest(self, test):
        super().stopTest(test)
        print(f"{self.verdict:5} {time.monotonic() - self.began:5.1f} s  {test.shortDescription()}")
        if self.verdict == "FAIL":
            self.details.append(journal_since(self.since))

    def addError(self, test, error):
        super().addError(test, error)
        self.blame(self.errors)

    def addFailure(self, test, error):
        super().addFailure(test, error)
        self.blame(self.failures)

    def addSubTest(self, test, subtest, error):
        super().addSubTest(test, subtest, error)
        if error is not None:
            self.blame(self.failures if issubclass(error[0], test.failureException) else self.errors)

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.verdict = "skip"

    def blame(self, found):
        self.verdict = "FAIL"
        test, trace = found[-1]
        self.details.append(f"{'=' * 100}\n{test.id()}\n{trace}")


def journal_since(start):
    """What the units and the manager said in the time of a check."""
    command = ["journalctl", f"--since=@{start}", "--output=short-precise", "--priority=info", "--lines=100"]
    lines = subprocess.run(command, stdout=subprocess.PIPE, text=True).stdout.splitlines(keepends=True)
    return "".join(line for line in lines if not re.search("Reload|log level|thread priority|pids.max", line))


def those_of(suite):
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            yield from those_of(test)
        else:
            yield test


def main(patterns):
    found = unittest.defaultTestLoader.discover(pathlib.Path(__file__).parent, "*_checks.py")
    checks = [test for test in those_of(found) if not patterns or any(pattern in test.id() for pattern in patterns)]
    if not checks:
        sys.exit("no such check")
    report, began = Report(), time.monotonic()
    unittest.TestSuite(checks).run(report)
    for details in report.details:
        print(f"\n{details}")
    failed = len(report.errors) + len(report.failures)
    print(f"{report.testsRun} checks, {failed} failures, {time.monotonic() - began:.0f} s")
    sys.exit(1 if failed else 0)


main(sys.argv[1:])
