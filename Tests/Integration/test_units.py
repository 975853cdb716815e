"""Tries the units of Units/ under this machine's systemd and under forky's, in sandboxes.

    python3 -m unittest discover -v -s Tests/Integration -p test_units.py
"""

import unittest

from test_sandbox import HERE, run, setUpModule, trees  # noqa: F401  (unittest calls setUpModule)

UNITS = HERE.parent.parent / "Units"


class UnitTests(unittest.TestCase):
    def test_the_units_of_hello_serve_a_program_and_permit_it_no_more_than_it_needs(self):
        for name, tree in trees.items():
            with self.subTest(tree=name):
                done = run(
                    *("--tree", tree, "--copy", f"{HERE}:/checks"),
                    *("--copy", f"{HERE}/standin:/opt/hello/bin/hello"),
                    *("--copy", f"{UNITS}/hello.service:/etc/systemd/system/hello.service"),
                    *("--copy", f"{UNITS}/hello.socket:/etc/systemd/system/hello.socket"),
                    *("python3", "-m", "unittest", "discover", "-v", "-s", "/checks", "-p", "unit_checks.py"),
                )
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
                self.assertRegex(done.stderr, r"Ran [1-9]\d* tests")


if __name__ == "__main__":
    unittest.main()
